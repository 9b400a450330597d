//! Reading the members of one type definition or extension.

use async_graphql_parser::Positioned;
use async_graphql_parser::types as ast;
use async_graphql_value::{ConstValue, Name};

use super::read::{Reader, Slot, Source, WrittenDefault};
use super::{DirectiveDef, EnumValueDef, FieldDef, InputDef, TypeId, TypeKind};
use crate::base::diagnostic::{Diagnostic, did_you_mean};
use crate::base::value::member_key;

impl<'a> Reader<'a> {
    /// Adds the members of a definition to its type.
    pub(super) fn members(&mut self, source: &'a Source, id: TypeId, definition: &'a ast::TypeDefinition) {
        let name = definition.name.node.as_str();
        self.known_directives(source, &definition.directives, name);
        let argument = |directive, argument| text_argument(&definition.directives, directive, argument);
        if let Some(url) = argument("specifiedBy", "url") {
            self.schema.types[id.index()].specified_by = Some(url);
        }
        if definition.directives.iter().any(|directive| directive.node.name.node == "oneOf") {
            self.schema.types[id.index()].one_of = true;
        }
        match &definition.kind {
            ast::TypeKind::Scalar => {}
            ast::TypeKind::Object(object) => {
                self.interfaces(source, id, &object.implements);
                self.fields(source, id, &object.fields);
            }
            ast::TypeKind::Interface(interface) => {
                self.interfaces(source, id, &interface.implements);
                self.fields(source, id, &interface.fields);
            }
            ast::TypeKind::Union(union) => self.union_members(source, id, &union.members),
            ast::TypeKind::Enum(found) => self.enum_values(source, id, &found.values),
            ast::TypeKind::InputObject(input) => {
                let slot = |input| Slot::Input { parent: id, input };
                let known = std::mem::take(&mut self.schema.types[id.index()].inputs);
                let inputs = Inputs { known, written: &input.fields, owner: name.to_owned(), slot: &slot };
                self.schema.types[id.index()].inputs = self.inputs(source, inputs);
            }
        }
    }

    /// Adds the definition of a directive.
    pub(super) fn directive(&mut self, source: &'a Source, definition: &'a ast::DirectiveDefinition) {
        let name = definition.name.node.to_string();
        let place = source.name(&definition.name);
        if let Some(first) = self.schema.directives.iter().find(|directive| directive.name == name) {
            let first = first.place.clone();
            self.report_twice("duplicate-directive", &format!("@{name}"), place, first);
            return;
        }
        let directive = self.schema.directives.len();
        let slot = |argument| Slot::Directive { directive, argument };
        let inputs =
            Inputs { known: Vec::new(), written: &definition.arguments, owner: format!("@{name}"), slot: &slot };
        let args = self.inputs(source, inputs);
        self.schema.directives.push(DirectiveDef {
            name,
            description: text(&definition.description),
            args,
            locations: definition.locations.iter().map(|location| location_name(location.node)).collect(),
            repeatable: source.is_repeatable(definition),
            place,
        });
    }

    fn interfaces(&mut self, source: &Source, id: TypeId, written: &[Positioned<Name>]) {
        for name in written {
            let owner = self.schema[id].name.clone();
            let place = source.name(name);
            let Some(interface) = self.schema.type_named(&name.node) else {
                self.report_unknown(&name.node, place, &owner);
                continue;
            };
            let found = &self.schema[interface];
            if found.kind != TypeKind::Interface {
                let message = format!("`{}` is {}; only interfaces can be implemented", found.name, found.kind.noun());
                self.diagnostics.push(Diagnostic::error("not-an-interface", place, &*owner, message));
            } else if self.schema[id].interfaces.contains(&interface) {
                let message = format!("`{owner}` implements `{}` twice", name.node);
                self.diagnostics.push(Diagnostic::error("duplicate-interface", place, &*owner, message));
            } else {
                self.schema.types[id.index()].interfaces.push(interface);
            }
        }
    }

    fn fields(&mut self, source: &'a Source, id: TypeId, written: &'a [Positioned<ast::FieldDefinition>]) {
        for field in written {
            let field = &field.node;
            let name = field.name.node.to_string();
            let path = format!("{}.{name}", self.schema[id].name);
            let place = source.name(&field.name);
            if let Some(first) = self.schema[id].field(&name) {
                let first = first.place.clone();
                self.report_twice("duplicate-field", &path, place, first);
                continue;
            }
            self.known_directives(source, &field.directives, &path);
            let ty = self.resolve(source, &field.ty, &path);
            let position = self.schema[id].fields.len();
            let slot = |argument| Slot::Argument { parent: id, field: position, argument };
            let inputs = Inputs { known: Vec::new(), written: &field.arguments, owner: path, slot: &slot };
            let args = self.inputs(source, inputs);
            let (description, deprecated) = (text(&field.description), deprecation(&field.directives));
            let found = FieldDef { name, ty, args, description, deprecated, place };
            self.schema.types[id.index()].fields.push(found);
        }
    }

    /// The arguments or input fields known so far with the written ones added.
    fn inputs(&mut self, source: &'a Source, inputs: Inputs<'a, '_>) -> Vec<InputDef> {
        let Inputs { mut known, written, owner, slot } = inputs;
        for input in written {
            let input = &input.node;
            let name = input.name.node.to_string();
            let path = match slot(0) {
                Slot::Input { .. } => format!("{owner}.{name}"),
                _ => format!("{owner}({name}:)"),
            };
            let place = source.name(&input.name);
            if let Some(first) = known.iter().find(|known| known.name == name) {
                let first = first.place.clone();
                self.report_twice("duplicate-field", &path, place, first);
                continue;
            }
            self.known_directives(source, &input.directives, &path);
            let ty = self.resolve(source, &input.ty, &path);
            if let Some(default) = &input.default_value {
                let literal = source.numbers.constant(default);
                let place = source.place(default.pos, literal.to_string().len());
                self.defaults.push(WrittenDefault { slot: slot(known.len()), literal, place, path });
            }
            known.push(InputDef {
                key: member_key(&name),
                name,
                ty,
                default: None,
                description: text(&input.description),
                deprecated: deprecation(&input.directives),
                place,
            });
        }
        known
    }

    fn union_members(&mut self, source: &Source, id: TypeId, written: &[Positioned<Name>]) {
        for name in written {
            let owner = self.schema[id].name.clone();
            let place = source.name(name);
            let Some(member) = self.schema.type_named(&name.node) else {
                self.report_unknown(&name.node, place, &owner);
                continue;
            };
            let found = &self.schema[member];
            if found.kind != TypeKind::Object {
                let message = format!("`{}` is {}; a union is made of object types", found.name, found.kind.noun());
                self.diagnostics.push(Diagnostic::error("not-an-object", place, &*owner, message));
            } else if self.schema[id].possible.contains(&member) {
                let message = format!("`{}` is a member of `{owner}` twice", name.node);
                self.diagnostics.push(Diagnostic::error("duplicate-member", place, &*owner, message));
            } else {
                self.schema.types[id.index()].possible.push(member);
            }
        }
    }

    fn enum_values(&mut self, source: &Source, id: TypeId, written: &[Positioned<ast::EnumValueDefinition>]) {
        for value in written {
            let value = &value.node;
            let path = format!("{}.{}", self.schema[id].name, value.value.node);
            self.known_directives(source, &value.directives, &path);
            let name = value.value.node.to_string();
            if self.schema[id].values.iter().any(|known| known.name == name) {
                let message = format!("`{path}` is defined twice");
                let place = source.name(&value.value);
                self.diagnostics.push(Diagnostic::error("duplicate-value", place, path, message));
                continue;
            }
            let (description, deprecated) = (text(&value.description), deprecation(&value.directives));
            self.schema.types[id.index()].values.push(EnumValueDef { name, description, deprecated });
        }
    }

    /// Reports directives that the schema does not define.
    fn known_directives(&mut self, source: &Source, written: &[Positioned<ast::ConstDirective>], path: &str) {
        for directive in written {
            let name = &directive.node.name;
            // The definition may stand in a later file, so all names are looked at, not those read.
            if !self.directive_names.contains(name.node.as_str()) {
                let message = format!("no directive is called `@{}`", name.node);
                let help = did_you_mean(&name.node, self.directive_names.iter().map(String::as_str));
                let place = source.name(name);
                self.diagnostics.push(Diagnostic::error("unknown-directive", place, path, message).help(help));
            }
        }
    }
}

/// Arguments or input fields to read.
struct Inputs<'a, 's> {
    known: Vec<InputDef>,
    written: &'a [Positioned<ast::InputValueDefinition>],
    /// The path of what they belong to.
    owner: String,
    /// Where the one at a position stands.
    slot: &'s dyn Fn(usize) -> Slot,
}

fn text(description: &Option<Positioned<String>>) -> Option<String> {
    description.as_ref().map(|description| description.node.clone())
}

/// The reason of `@deprecated`, if it stands there.
fn deprecation(directives: &[Positioned<ast::ConstDirective>]) -> Option<String> {
    directives.iter().find(|directive| directive.node.name.node == "deprecated")?;
    Some(text_argument(directives, "deprecated", "reason").unwrap_or_else(|| "No longer supported".to_owned()))
}

fn text_argument(directives: &[Positioned<ast::ConstDirective>], directive: &str, argument: &str) -> Option<String> {
    let found = directives.iter().find(|found| found.node.name.node == directive)?;
    match &found.node.get_argument(argument)?.node {
        ConstValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn location_name(location: ast::DirectiveLocation) -> &'static str {
    use ast::DirectiveLocation as At;
    match location {
        At::Query => "QUERY",
        At::Mutation => "MUTATION",
        At::Subscription => "SUBSCRIPTION",
        At::Field => "FIELD",
        At::FragmentDefinition => "FRAGMENT_DEFINITION",
        At::FragmentSpread => "FRAGMENT_SPREAD",
        At::InlineFragment => "INLINE_FRAGMENT",
        At::Schema => "SCHEMA",
        At::Scalar => "SCALAR",
        At::Object => "OBJECT",
        At::FieldDefinition => "FIELD_DEFINITION",
        At::ArgumentDefinition => "ARGUMENT_DEFINITION",
        At::Interface => "INTERFACE",
        At::Union => "UNION",
        At::Enum => "ENUM",
        At::EnumValue => "ENUM_VALUE",
        At::InputObject => "INPUT_OBJECT",
        At::InputFieldDefinition => "INPUT_FIELD_DEFINITION",
        At::VariableDefinition => "VARIABLE_DEFINITION",
    }
}
