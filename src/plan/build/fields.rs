//! Fields of the graph: which composition answers which, and the parts that nothing uses.

use std::sync::Arc;

use super::Planner;
use super::outputs::Reads;
use super::policies::Door;
use super::tree::Tree;
use super::unit::{Root, Unit};
use super::wiring::Wiring;
use crate::base::diagnostic::{Diagnostic, Place, did_you_mean};
use crate::base::id::FieldId;
use crate::expr::Type;
use crate::plan::schema::{InputDef, TypeId, TypeKind};
use crate::plan::{Bounds, Field, Graph, Unwritten};
use crate::spec::{self, FieldBody, Located, Named, Stream, Template};

/// Parents served at the same time, and at all, where nothing is written.
const PARALLEL: usize = 8;
const MAX_PARENTS: usize = 100;

/// Something that answers a field of the graph, as it is written.
pub(super) struct Entry<'s> {
    /// What it answers.
    pub(super) at: Bound,
    /// `Type.field`, where it is written.
    pub(super) name: &'s Located<String>,
    /// The key path of what answers.
    pub(super) path: &'s str,
    body: Body<'s>,
}

/// What answers a field.
enum Body<'s> {
    Field(&'s spec::Field),
    Endpoint(&'s Named<spec::Endpoint>),
}

/// A field that something is bound to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    /// A field by its position in its type.
    Field(TypeId, usize),
    /// What names the concrete type of an abstract one.
    TypeName(TypeId),
}

impl Bound {
    /// The type of the objects that it hangs on.
    pub(super) fn parent(self) -> TypeId {
        match self {
            Self::Field(ty, _) | Self::TypeName(ty) => ty,
        }
    }
}

impl<'s> Entry<'s> {
    /// The result, if one is written.
    pub(super) fn result(&self) -> Option<&'s Template> {
        match self.body {
            Body::Field(spec::Field { body: FieldBody::Composition(composition), .. }) => composition.result.as_ref(),
            Body::Field(_) => None,
            Body::Endpoint(endpoint) => endpoint.value.composition.result.as_ref(),
        }
    }

    fn door(&self) -> Door<'s> {
        match self.body {
            Body::Field(field) => Door::of_field(field),
            Body::Endpoint(endpoint) => Door::of_endpoint(&endpoint.value),
        }
    }

    fn priority(&self) -> Option<&'s Located<spec::Priority>> {
        match self.body {
            Body::Field(field) => field.priority.as_ref(),
            Body::Endpoint(endpoint) => endpoint.value.priority.as_ref(),
        }
    }

    fn stream(&self) -> Option<&'s Stream> {
        match self.body {
            Body::Field(field) => field.stream.as_ref(),
            Body::Endpoint(endpoint) => endpoint.value.stream.as_ref(),
        }
    }
}

impl<'s> Planner<'s> {
    /// The bound fields and, when the project has a schema, the graph.
    pub(super) fn graph(&self) -> (Vec<Field>, Option<Graph>) {
        let entries = self.entries();
        let wiring = Wiring::new(self, &entries);
        self.check_roots(&wiring.bound);
        let parents = self.parents(&entries, &wiring);
        let reads = Arc::new(Reads::new(&self.schema, &wiring));
        let field = |entry: &Entry<'s>| {
            let unit = self.field_unit(entry, parents.get(entry.at.parent().index()));
            unit.check_door(entry.door(), entry.path);
            unit.check_stream(entry.stream(), entry.path);
            let field = self.compiled_field(entry, &unit);
            self.check_output(entry, &unit, &reads);
            field
        };
        let fields: Vec<Field> = entries.iter().map(field).collect();
        let graph = self.schema.query().map(|_| self.graph_settings(wiring, &fields));
        (fields, graph)
    }

    /// What answers fields: entries of `graph`, then endpoints that are fields too.
    fn entries(&self) -> Vec<Entry<'s>> {
        let mut entries: Vec<Entry<'s>> = Vec::new();
        let mut written: Vec<(String, Place)> = Vec::new();
        for named in &self.spec.graph.fields {
            let spec::Coordinate { type_name, field_name } = &named.value.coordinate;
            if let Some(at) = self.coordinate(type_name, field_name, &named.path) {
                written.push((named.name.value.clone(), named.name.place.clone()));
                entries.push(Entry { at, name: &named.name, path: &named.path, body: Body::Field(&named.value) });
            }
        }
        for named in &self.spec.endpoints {
            let Some(name) = &named.value.graph else { continue };
            if let Some(at) = self.endpoint_field(named, name, &mut written) {
                entries.push(Entry { at, name, path: &named.path, body: Body::Endpoint(named) });
            }
        }
        entries
    }

    /// Finds a field of the schema by its written name.
    fn coordinate(&self, type_name: &Located<String>, field_name: &Located<String>, path: &str) -> Option<Bound> {
        // Without a query type there is no graph, which is said once.
        self.schema.query()?;
        let Some(id) = self.schema.type_named(&type_name.value) else {
            let known = self.schema.types().filter(|(_, ty)| !ty.fields.is_empty() && !ty.name.starts_with("__"));
            let message = format!("the schema has no type `{}`", type_name.value);
            let help = did_you_mean(&type_name.value, known.map(|(_, ty)| &*ty.name));
            self.report.error("unknown-field", (&type_name.place, path), message, help);
            return None;
        };
        if field_name.value == "__typename" {
            return Some(Bound::TypeName(id));
        }
        let ty = &self.schema[id];
        if ty.kind == TypeKind::Interface {
            let message = format!("`{}` is an interface: what answers its fields stands with its types", ty.name);
            let each = ty.possible.iter().map(|object| format!("`{}.{}`", self.schema[*object].name, field_name.value));
            let help = format!("write {}", each.collect::<Vec<_>>().join(" and "));
            self.report.error("misplaced", (&type_name.place, path), message, help);
            return None;
        }
        match ty.fields.iter().position(|field| field.name == field_name.value) {
            Some(index) => Some(Bound::Field(id, index)),
            None => {
                let message = format!("the type `{}` has no field `{}`", ty.name, field_name.value);
                let help = did_you_mean(&field_name.value, ty.fields.iter().map(|field| field.name.as_str()));
                self.report.error("unknown-field", (&field_name.place, path), message, help);
                None
            }
        }
    }

    /// Begins to compile what answers a field, for parents of this type.
    pub(super) fn field_unit<'u>(&'u self, entry: &Entry<'s>, parent: Option<&'u Type>) -> Unit<'u, 's> {
        let args: &[InputDef] = match entry.at {
            Bound::Field(ty, index) => &self.schema[ty].fields[index].args,
            Bound::TypeName(_) => &[],
        };
        let of = entry.at.parent();
        let is_root = self.schema.roots().contains(&of);
        let read_only = Some(of) != self.schema.mutation();
        let parent = (!is_root).then(|| parent.unwrap_or(&Type::Dyn));
        let root = Root::Field { args, parent, read_only };
        Unit::new(self, self.field_tree(entry), root).behind(entry.door().auth, entry.stream())
    }

    fn field_tree(&self, entry: &Entry<'s>) -> Tree<'s> {
        let (place, path) = (&entry.name.place, entry.path);
        match entry.body {
            Body::Field(field) => match &field.body {
                FieldBody::Composition(composition) => Tree::of_composition(self, composition, (place, path)),
                FieldBody::Part(part) => Tree::of_part(self, (&part.part.value, &part.args), (&part.part.place, path)),
            },
            Body::Endpoint(endpoint) => match &endpoint.value.part {
                Some(part) => Tree::of_part(self, (&part.value, &[]), (&part.place, path)),
                None => Tree::of_composition(self, &endpoint.value.composition, (&endpoint.name.place, path)),
            },
        }
    }

    fn compiled_field(&self, entry: &Entry<'s>, unit: &Unit<'_, 's>) -> Field {
        let steps = unit.tree.levels.iter().flat_map(|level| &level.steps);
        let batched = steps.filter_map(|step| step.spec).any(|spec| spec.batch.is_some());
        let composition = self.compile(unit);
        let pure = composition.scope.steps.is_empty();
        let limit =
            |found: &Option<Located<u32>>, default: usize| found.as_ref().map_or(default, |found| found.value as usize);
        let (parallel, max, timeout) = match entry.body {
            Body::Field(field) => {
                unit.check_reach(&composition.scope, &[]);
                (&field.parallel, &field.max, field.timeout.as_ref())
            }
            // What its own answer leaves unread was said there.
            Body::Endpoint(endpoint) => (&None, &None, endpoint.value.timeout.as_ref()),
        };
        Field {
            name: entry.name.value.as_str().into(),
            class: self.class(entry.priority()),
            bounds: self.field_bounds(entry),
            composition,
            // Members of a batch wait for each other: all of them run.
            parallel: if batched { usize::MAX } else { limit(parallel, PARALLEL) },
            max: if batched || pure { usize::MAX } else { limit(max, MAX_PARENTS) },
            unwritten: Unwritten { parallel: parallel.is_none(), max: max.is_none() },
            timeout: timeout.map(|timeout| timeout.value),
            pure,
        }
    }

    /// What an endpoint says of its arguments holds also where it is a field, for those that the field has.
    fn field_bounds(&self, entry: &Entry<'s>) -> Box<[(Box<str>, Bounds)]> {
        let (Body::Endpoint(endpoint), Bound::Field(ty, index)) = (&entry.body, entry.at) else {
            return Box::default();
        };
        let declared = &self.schema[ty].fields[index].args;
        let bounded = endpoint.value.composition.args.iter().filter_map(|arg| {
            let known = declared.iter().find(|known| known.name == arg.name.value)?;
            Some((known.name.as_str().into(), self.bounds(arg, &known.ty)))
        });
        bounded.filter(|(_, bounds)| !bounds.allow_all()).collect()
    }

    /// The field that an endpoint's `graph` names, if it is free and its arguments agree.
    fn endpoint_field(
        &self,
        named: &Named<spec::Endpoint>,
        target: &Located<String>,
        written: &mut Vec<(String, Place)>,
    ) -> Option<Bound> {
        let path = format!("{}.graph", named.path);
        let Some((type_name, field_name)) = target.value.split_once('.') else {
            let message = format!("`{}` is no field of the schema", target.value);
            self.report.error(
                "unknown-field",
                (&target.place, &path),
                message,
                "write Type.field, as in Query.product".to_owned(),
            );
            return None;
        };
        let part = |value: &str| Located { value: value.to_owned(), place: target.place.clone() };
        let at = self.coordinate(&part(type_name), &part(field_name), &path)?;
        if let Some((_, place)) = written.iter().find(|(name, _)| *name == target.value) {
            let message = format!("the field `{}` is answered twice", target.value);
            self.report.add(
                Diagnostic::error("duplicate-name", target.place.clone(), path, message)
                    .related(place.clone(), "first here"),
            );
            return None;
        }
        written.push((target.value.clone(), target.place.clone()));
        if let Bound::Field(ty, index) = at {
            let declared = &self.schema[ty].fields[index].args;
            for arg in &named.value.composition.args {
                if !declared.iter().any(|known| known.name == arg.name.value)
                    && arg.value.type_name.value.ends_with('!')
                {
                    let message = format!(
                        "the field `{}` has no argument `{}`, which the endpoint needs",
                        target.value, arg.name.value
                    );
                    self.report.error(
                        "missing-argument",
                        (&target.place, &path),
                        message,
                        "declare it in the schema".to_owned(),
                    );
                }
            }
        }
        Some(at)
    }

    /// Root fields have no parent to read from: each needs an entry.
    fn check_roots(&self, bound: &[Vec<Option<FieldId>>]) {
        if let (None, Some(field)) = (self.schema.query(), self.spec.graph.fields.first()) {
            let message = "the schema has no query type, so there is no graph".to_owned();
            let help = "define `type Query { … }` in a .graphql file of schema/".to_owned();
            self.report.error("missing-query", (&field.name.place, &field.path), message, help);
        }
        for root in [self.schema.query(), self.schema.mutation()].into_iter().flatten() {
            let ty = &self.schema[root];
            for (field, bound) in ty.fields.iter().zip(&bound[root.index()]) {
                if bound.is_none() {
                    let name = format!("{}.{}", ty.name, field.name);
                    let message = format!("nothing answers the field `{name}`");
                    let help = format!("write `graph: {{ {name}: … }}`, or take it out of the schema");
                    self.report.error("unbound-field", (&field.place, ""), message, help);
                }
            }
        }
    }

    /// Parts that nothing uses are checked as well: they are laid out as endpoints would use them.
    pub(super) fn check_parts(&self) {
        let mut used = Vec::new();
        let uses = |composition: &spec::Composition, used: &mut Vec<String>| used_parts(composition, used);
        for part in &self.spec.parts {
            uses(&part.value, &mut used);
            part.value.args.iter().for_each(|arg| self.check_declared_arg(arg));
        }
        for endpoint in &self.spec.endpoints {
            uses(&endpoint.value.composition, &mut used);
            used.extend(endpoint.value.part.iter().map(|part| part.value.clone()));
        }
        for field in &self.spec.graph.fields {
            match &field.value.body {
                FieldBody::Composition(composition) => uses(composition, &mut used),
                FieldBody::Part(part) => used.push(part.part.value.clone()),
            }
        }
        for part in self.spec.parts.iter().filter(|part| !used.contains(&part.name.value)) {
            let at = (&part.name.place, part.path.as_str());
            let tree = Tree::of_composition(self, &part.value, at);
            let unit = Unit::new(self, tree, Root::Part { args: &part.value.args });
            let composition = self.compile(&unit);
            unit.check_reach(&composition.scope, &[]);
            let message = format!("nothing uses the part `{}`", part.name.value);
            let warning = Diagnostic::error("unused", part.name.place.clone(), &part.path, message).warning();
            self.report.add(warning.help("use it, or take it out"));
        }
    }
}

/// The names of the parts that a composition uses.
fn used_parts(composition: &spec::Composition, used: &mut Vec<String>) {
    for step in &composition.steps {
        match &step.value.action {
            spec::Action::Part(part) => used.push(part.part.value.clone()),
            spec::Action::Compose(inner) => used_parts(inner, used),
            _ => {}
        }
    }
}
