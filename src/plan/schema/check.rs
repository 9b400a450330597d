//! The rules that types must keep among one another (GraphQL, section 3, "Type Validation").

use super::{BUILT_IN, FieldDef, InputDef, Schema, Type, TypeId, TypeKind, TypeRef};
use crate::base::diagnostic::{Diagnostic, Place};

/// Reports every rule that the schema breaks.
pub(super) fn check(schema: &Schema, diagnostics: &mut Vec<Diagnostic>) {
    let mut checker = Checker { schema, diagnostics };
    checker.roots();
    for (id, found) in schema.types() {
        if found.place.file != BUILT_IN {
            checker.type_(id, found);
        }
    }
    for directive in schema.directives() {
        for argument in &directive.args {
            checker.takes_input(argument, &format!("@{}({}:)", directive.name, argument.name));
        }
    }
    checker.input_circles();
}

struct Checker<'a> {
    schema: &'a Schema,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    fn report(&mut self, code: &'static str, place: &Place, path: &str, message: String) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic::error(code, place.clone(), path, message));
        // The one that was just pushed, so that the caller can add help.
        let last = self.diagnostics.len() - 1;
        &mut self.diagnostics[last]
    }

    /// The roots must be different object types.
    fn roots(&mut self) {
        let schema = self.schema;
        let roots =
            [("query", schema.query()), ("mutation", schema.mutation()), ("subscription", schema.subscription())];
        for (at, (operation, root)) in roots.iter().enumerate() {
            let Some(root) = root else { continue };
            let found = &schema[*root];
            if found.kind != TypeKind::Object {
                let message =
                    format!("the {operation} type must be an object type; `{}` is {}", found.name, found.kind.noun());
                self.report("root-not-an-object", &found.place, &found.name, message);
            }
            if let Some((other, _)) = roots[..at].iter().find(|(_, before)| before == &Some(*root)) {
                let message = format!("`{}` cannot be both the {other} and the {operation} type", found.name);
                self.report("roots-not-distinct", &found.place, &found.name, message);
            }
        }
    }

    fn type_(&mut self, id: TypeId, found: &Type) {
        self.plain_name(&found.name, &found.place, &found.name);
        let (empty, what) = match found.kind {
            TypeKind::Scalar => (false, ""),
            TypeKind::Object | TypeKind::Interface => (found.fields.is_empty(), "field"),
            TypeKind::Union => (found.possible.is_empty(), "member"),
            TypeKind::Enum => (found.values.is_empty(), "value"),
            TypeKind::Input => (found.inputs.is_empty(), "field"),
        };
        if empty {
            let message = format!("`{}` is {} without any {what}", found.name, found.kind.noun());
            self.report("empty-type", &found.place, &found.name, message);
        }
        for field in &found.fields {
            self.field(found, field);
        }
        for input in &found.inputs {
            let path = format!("{}.{}", found.name, input.name);
            self.plain_name(&input.name, &input.place, &path);
            self.takes_input(input, &path);
            if found.one_of && (input.ty.is_non_null() || input.default.is_some()) {
                let message = format!("`{path}` belongs to a @oneOf input, so it can have neither `!` nor a default");
                self.report("one-of-field", &input.place, &path, message);
            }
        }
        for interface in &found.interfaces {
            self.implementation(id, *interface);
        }
    }

    fn field(&mut self, owner: &Type, field: &FieldDef) {
        let path = format!("{}.{}", owner.name, field.name);
        self.plain_name(&field.name, &field.place, &path);
        let held = &self.schema[field.ty.named()];
        if !held.kind.is_output() {
            let message = format!("`{path}` cannot answer a value of `{}`, which is {}", held.name, held.kind.noun());
            self.report("not-an-output-type", &field.place, &path, message);
        }
        for argument in &field.args {
            let path = format!("{path}({}:)", argument.name);
            self.plain_name(&argument.name, &argument.place, &path);
            self.takes_input(argument, &path);
        }
    }

    /// An argument or input field must be of an input type, and may not be both required and deprecated.
    fn takes_input(&mut self, input: &InputDef, path: &str) {
        let taken = &self.schema[input.ty.named()];
        if !taken.kind.is_input() {
            let message = format!("`{path}` cannot take a value of `{}`, which is {}", taken.name, taken.kind.noun());
            self.report("not-an-input-type", &input.place, path, message).help =
                "write an input type, an enum or a scalar".to_owned();
        }
        if input.is_required() && input.deprecated.is_some() {
            let message = format!("`{path}` is required, so it cannot be deprecated");
            self.report("deprecated-required", &input.place, path, message);
        }
    }

    /// Names that begin with two underscores belong to introspection.
    fn plain_name(&mut self, name: &str, place: &Place, path: &str) {
        if name.starts_with("__") {
            let message = format!("`{name}` begins with `__`, which GraphQL keeps for itself");
            self.report("reserved-name", place, path, message);
        }
    }

    /// Whether a type does what an interface asks (GraphQL, "IsValidImplementation").
    fn implementation(&mut self, id: TypeId, interface: TypeId) {
        let (found, wanted) = (&self.schema[id], &self.schema[interface]);
        let promise = |what: String| format!("`{}` implements `{}`, {what}", found.name, wanted.name);
        if id == interface {
            self.report("broken-interface", &found.place, &found.name, promise("which is itself".to_owned()));
            return;
        }
        for inherited in wanted.interfaces.iter().filter(|inherited| !found.interfaces.contains(inherited)) {
            let inherited = &self.schema[*inherited].name;
            let message = promise(format!("so it must say that it implements `{inherited}` too"));
            self.report("broken-interface", &found.place, &found.name, message);
        }
        for asked in &wanted.fields {
            let Some(field) = found.field(&asked.name) else {
                let message = promise(format!("so it needs a field `{}: {}`", asked.name, asked.ty));
                self.report("broken-interface", &found.place, &found.name, message).related =
                    Some((asked.place.clone(), "asked for here".to_owned()));
                continue;
            };
            for what in mismatches(self.schema, field, asked) {
                let path = format!("{}.{}", found.name, field.name);
                self.report("broken-interface", &field.place, &path, promise(format!("so `{path}` {what}"))).related =
                    Some((asked.place.clone(), "asked for here".to_owned()));
            }
        }
    }

    /// An input that needs itself through fields that cannot be null could never be given.
    fn input_circles(&mut self) {
        let needs = |id: TypeId| {
            let input = &self.schema[id];
            input.inputs.iter().filter_map(|input| match &input.ty {
                TypeRef::NonNull(inner) if inner.item().is_none() => Some(inner.named()),
                _ => None,
            })
        };
        let mut circles = Vec::new();
        for (id, found) in self.schema.types().filter(|(_, found)| found.kind == TypeKind::Input) {
            let mut seen = vec![id];
            let mut open: Vec<TypeId> = needs(id).collect();
            while let Some(next) = open.pop() {
                if next == id {
                    circles.push(found);
                    break;
                }
                if !seen.contains(&next) {
                    seen.push(next);
                    open.extend(needs(next));
                }
            }
        }
        for found in circles {
            let message = format!("`{}` needs a value of itself, so none could ever be written", found.name);
            self.report("endless-input", &found.place, &found.name, message).help =
                "take the `!` off one of the fields that lead back to it".to_owned();
        }
    }
}

/// What a field does not do that its interface asks, each as the end of "so `Type.field` …".
fn mismatches(schema: &Schema, field: &FieldDef, asked: &FieldDef) -> Vec<String> {
    let mut found = Vec::new();
    if !schema.is_subtype(&field.ty, &asked.ty) {
        found.push(format!("must be `{}` or a type that is always one, not `{}`", asked.ty, field.ty));
    }
    for argument in &asked.args {
        match field.args.iter().find(|own| own.name == argument.name) {
            None => found.push(format!("must take the argument `{}: {}`", argument.name, argument.ty)),
            Some(own) if own.ty != argument.ty => {
                found.push(format!("must take `{}: {}`, not `{}`", argument.name, argument.ty, own.ty));
            }
            Some(_) => {}
        }
    }
    let added = field.args.iter().filter(|own| !asked.args.iter().any(|argument| argument.name == own.name));
    for own in added.filter(|own| own.is_required()) {
        found.push(format!("cannot require the argument `{}`, which the interface does not have", own.name));
    }
    found
}
