//! Fields of the graph: which composition answers which, and the parts that nothing uses.

use std::time::Duration;

use super::policies::Door;
use super::tree::Tree;
use super::unit::{Root, Unit};
use super::{Planner, REQUEST_TIMEOUT};
use crate::base::diagnostic::{Diagnostic, Place, did_you_mean};
use crate::base::id::FieldId;
use crate::plan::schema::{InputDef, TypeId};
use crate::plan::{Field, Graph, GraphLimits, Unwritten};
use crate::spec::{self, FieldBody, GraphNames, Located, Named, Stream};

/// Parents served at the same time, and at all, where nothing is written.
const PARALLEL: usize = 8;
const MAX_PARENTS: usize = 100;
const GRAPH_PATH: &str = "/graphql";
const LIMITS: GraphLimits = GraphLimits { depth: 15, aliases: 30, tokens: 2_000 };

/// Bounds of a field, as written or by default.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    parallel: usize,
    max: usize,
    unwritten: Unwritten,
    timeout: Option<Duration>,
}

/// What stands around a field's composition.
#[derive(Clone, Copy)]
struct Setting<'s> {
    door: Door<'s>,
    stream: Option<&'s Stream>,
    path: &'s str,
}

/// A field that something is bound to.
#[derive(Clone, Copy, Debug)]
enum Bound {
    /// A field by its position in its type.
    Field(TypeId, usize),
    /// What names the concrete type of an abstract one.
    TypeName(TypeId),
}

impl<'s> Planner<'s> {
    /// The bound fields and, when the project has a schema, the graph.
    pub(super) fn graph(&self) -> (Vec<Field>, Option<Graph>) {
        let mut fields = Vec::new();
        let types = self.schema.types().map(|(id, _)| id.index() + 1).max().unwrap_or(0);
        let of_type =
            |id: usize| self.schema.types().find(|(found, _)| found.index() == id).map_or(0, |(_, ty)| ty.fields.len());
        let mut bound: Vec<Vec<Option<FieldId>>> = (0..types).map(|id| vec![None; of_type(id)]).collect();
        let mut type_names = vec![None; types];
        let mut written: Vec<(String, Place)> = Vec::new();
        for named in &self.spec.graph.fields {
            let Some(at) =
                self.coordinate(&named.value.coordinate.type_name, &named.value.coordinate.field_name, &named.path)
            else {
                continue;
            };
            written.push((named.name.value.clone(), named.name.place.clone()));
            let id = FieldId::from(fields.len());
            fields.push(self.field(named, at));
            bind(at, id, (&mut bound, &mut type_names));
        }
        for named in &self.spec.endpoints {
            let Some(target) = &named.value.graph else { continue };
            let Some(at) = self.endpoint_field(named, target, &mut written) else { continue };
            let id = FieldId::from(fields.len());
            fields.push(self.field_of_endpoint(named, target, at));
            bind(at, id, (&mut bound, &mut type_names));
        }
        self.check_roots(&bound);
        let graph = self.schema.query().map(|_| self.graph_settings(bound, type_names));
        (fields, graph)
    }

    fn graph_settings(&self, bound: Vec<Vec<Option<FieldId>>>, type_names: Vec<Option<FieldId>>) -> Graph {
        self.check_graph_path();
        let snake = self.spec.graph.names.as_ref().is_some_and(|names| names.value == GraphNames::SnakeCase);
        let member = |name: &String| -> Box<str> { if snake { snake_case(name).into() } else { name.as_str().into() } };
        let mut members = vec![Vec::new(); bound.len()];
        for (id, ty) in self.schema.types() {
            members[id.index()] = ty.fields.iter().map(|field| member(&field.name)).collect();
        }
        let written = self.spec.gateway.graphql.as_ref();
        let limits = written.and_then(|graphql| graphql.limits.as_ref());
        let limit = |found: Option<&Located<u32>>, default: usize| found.map_or(default, |found| found.value as usize);
        let flag = |found: Option<&Located<bool>>| found.is_none_or(|found| found.value);
        Graph {
            schema: self.schema.clone(),
            bound,
            members,
            type_names,
            path: written
                .and_then(|graphql| graphql.path.as_ref())
                .map_or(GRAPH_PATH, |path| path.value.as_str())
                .into(),
            playground: flag(written.and_then(|graphql| graphql.playground.as_ref())),
            introspection: flag(written.and_then(|graphql| graphql.introspection.as_ref())),
            limits: GraphLimits {
                depth: limit(limits.and_then(|limits| limits.depth.as_ref()), LIMITS.depth),
                aliases: limit(limits.and_then(|limits| limits.aliases.as_ref()), LIMITS.aliases),
                tokens: limit(limits.and_then(|limits| limits.tokens.as_ref()), LIMITS.tokens),
            },
            timeout: self.spec.gateway.timeout.as_ref().map_or(REQUEST_TIMEOUT, |timeout| timeout.value),
        }
    }

    /// The graph's path must be one, and no endpoint's.
    fn check_graph_path(&self) {
        let written = self.spec.gateway.graphql.as_ref().and_then(|graphql| graphql.path.as_ref());
        let path = written.map_or(GRAPH_PATH, |path| path.value.as_str());
        if let Some(written) =
            written.filter(|path| !path.value.starts_with('/') || path.value.contains(['?', '#', '{']))
        {
            let message = format!("`{path}` is no path");
            let help = "write it as in `/graphql`".to_owned();
            self.report.error("bad-path", (&written.place, "gateway.graphql.path"), message, help);
        }
        for endpoint in self.spec.endpoints.iter().filter(|endpoint| endpoint.value.route.path.value == path) {
            let message = format!("`{path}` is the path of the graph");
            let help = "choose another path here, or for the graph under `gateway.graphql.path`".to_owned();
            let place = &endpoint.value.route.path.place;
            self.report.error("duplicate-route", (place, &endpoint.path), message, help);
        }
    }

    /// Finds a field of the schema by its written name.
    fn coordinate(&self, type_name: &Located<String>, field_name: &Located<String>, path: &str) -> Option<Bound> {
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

    fn field(&self, named: &Named<spec::Field>, at: Bound) -> Field {
        let place = (&named.name.place, named.path.as_str());
        let tree = match &named.value.body {
            FieldBody::Composition(composition) => Tree::of_composition(self, composition, place),
            FieldBody::Part(part) => Tree::of_part(self, (&part.part.value, &part.args), (&part.part.place, place.1)),
        };
        let limit =
            |found: &Option<Located<u32>>, default: usize| found.as_ref().map_or(default, |found| found.value as usize);
        let parallel = limit(&named.value.parallel, PARALLEL);
        let max = limit(&named.value.max, MAX_PARENTS);
        let timeout = named.value.timeout.as_ref().map(|timeout| timeout.value);
        let unwritten = Unwritten { parallel: named.value.parallel.is_none(), max: named.value.max.is_none() };
        let setting =
            Setting { door: Door::of_field(&named.value), stream: named.value.stream.as_ref(), path: place.1 };
        let unit = self.field_unit(tree, at, setting);
        let field = self.compiled_field((&named.name.value, &unit), Bounds { parallel, max, unwritten, timeout });
        unit.check_reach(&field.composition.scope, &[]);
        field
    }

    fn field_unit(&self, tree: Tree<'s>, at: Bound, setting: Setting<'_>) -> Unit<'_, 's> {
        let (parent, args): (TypeId, &[InputDef]) = match at {
            Bound::Field(ty, index) => (ty, &self.schema[ty].fields[index].args),
            Bound::TypeName(ty) => (ty, &[]),
        };
        let is_root = Some(parent) == self.schema.query() || Some(parent) == self.schema.mutation();
        let read_only = Some(parent) != self.schema.mutation();
        let root = Root::Field { args, parent: !is_root, read_only };
        let unit = Unit::new(self, tree, root).behind(setting.door.auth, setting.stream);
        unit.check_door(setting.door, setting.path);
        unit.check_stream(setting.stream, setting.path);
        unit
    }

    fn compiled_field(&self, (name, unit): (&str, &Unit<'_, '_>), bounds: Bounds) -> Field {
        let batched = unit
            .tree
            .levels
            .iter()
            .flat_map(|level| &level.steps)
            .any(|step| step.spec.is_some_and(|spec| spec.batch.is_some()));
        let composition = self.compile(unit);
        let pure = composition.scope.steps.is_empty();
        // Members of a batch wait for each other: all of them run.
        let parallel = if batched { usize::MAX } else { bounds.parallel };
        let max = if batched || pure { usize::MAX } else { bounds.max };
        let Bounds { unwritten, timeout, .. } = bounds;
        Field { name: name.into(), composition, parallel, max, unwritten, timeout, pure }
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

    fn field_of_endpoint(&self, named: &Named<spec::Endpoint>, target: &Located<String>, at: Bound) -> Field {
        let place = (&named.name.place, named.path.as_str());
        let tree = match &named.value.part {
            Some(part) => Tree::of_part(self, (&part.value, &[]), (&part.place, place.1)),
            None => Tree::of_composition(self, &named.value.composition, place),
        };
        let timeout = named.value.timeout.as_ref().map(|timeout| timeout.value);
        let (door, stream) = (Door::of_endpoint(&named.value), named.value.stream.as_ref());
        let unit = self.field_unit(tree, at, Setting { door, stream, path: place.1 });
        let unwritten = Unwritten { parallel: true, max: true };
        let bounds = Bounds { parallel: PARALLEL, max: MAX_PARENTS, unwritten, timeout };
        self.compiled_field((&target.value, &unit), bounds)
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

fn bind(at: Bound, id: FieldId, (fields, type_names): (&mut [Vec<Option<FieldId>>], &mut [Option<FieldId>])) {
    match at {
        Bound::Field(ty, index) => fields[ty.index()][index] = Some(id),
        Bound::TypeName(ty) => type_names[ty.index()] = Some(id),
    }
}

/// `priceCents` as `price_cents`, `imageURL` as `image_url`.
fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (index, c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| chars[before]);
        let begins_word = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                let next_is_lower = chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
                before.is_ascii_lowercase() || before.is_ascii_digit() || (before.is_ascii_uppercase() && next_is_lower)
            });
        if begins_word {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn names_become_snake_case_word_by_word() {
        for (name, snake) in [
            ("priceCents", "price_cents"),
            ("URL", "url"),
            ("imageURL", "image_url"),
            ("URLPath", "url_path"),
            ("line2Text", "line2_text"),
            ("a_b", "a_b"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }
}
