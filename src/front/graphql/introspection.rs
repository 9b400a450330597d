//! Introspection: answering `__schema` and `__type` from the schema (GraphQL, section 4.2).
//!
//! The types of introspection are types of every schema, so validation and merging treat them as
//! any other; what is left is to write what a selection asks for.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::failure::Cause;
use crate::base::value::{Doc, DocBuilder, JsonWriter, Kind, Sink, View};
use crate::plan::operation::selection::{Field, FieldSource, Selection};
use crate::plan::operation::{Operation, RequestError};
use crate::plan::schema::coerce::InvalidInput;
use crate::plan::schema::{DirectiveDef, EnumValueDef, FieldDef, InputDef, Schema, TypeId, TypeKind, TypeRef};

/// The JSON of every introspection field of an operation that these variables include, by response key.
///
/// # Errors
/// A variable is null where introspection needs a value.
pub(super) fn answer(
    schema: &Schema,
    operation: &Operation,
    variables: View<'_>,
) -> Result<Vec<(Box<str>, Bytes)>, RequestError> {
    let mut answers = Vec::new();
    let asked = operation.selection.fields.iter().filter(|field| field.source == FieldSource::Introspection);
    for field in asked.filter(|field| field.is_included(variables)) {
        let mut writer = Writer { schema, variables, out: JsonWriter::default() };
        let written = match &*field.name {
            "__schema" => writer.object(&Node::Schema, &field.selection),
            _ => writer.type_by_name(field),
        };
        written.map_err(|error| RequestError::new(Cause::GraphqlVariable, error.sentence()))?;
        answers.push((field.response_name.clone(), writer.out.bytes.into()));
    }
    Ok(answers)
}

/// An object of introspection.
#[derive(Clone, Copy)]
enum Node<'a> {
    Schema,
    Type(TypeId),
    /// A type inside lists and non-null marks.
    Wrapped(&'a TypeRef),
    Field(&'a FieldDef),
    Input(&'a InputDef),
    EnumValue(&'a EnumValueDef),
    Directive(&'a DirectiveDef),
}

impl<'a> Node<'a> {
    fn of(ty: &'a TypeRef) -> Self {
        match ty {
            TypeRef::Named { id, .. } => Self::Type(*id),
            wrapped => Self::Wrapped(wrapped),
        }
    }
}

struct Writer<'a> {
    schema: &'a Schema,
    variables: View<'a>,
    out: JsonWriter,
}

type Written = Result<(), InvalidInput>;

impl<'a> Writer<'a> {
    fn type_by_name(&mut self, field: &Field) -> Written {
        let arguments = self.arguments(field)?;
        let name = arguments.root().member("name").and_then(View::text);
        match name.and_then(|name| self.schema.type_named(&name)) {
            Some(found) => self.object(&Node::Type(found), &field.selection),
            None => self.null(),
        }
    }

    fn object(&mut self, node: &Node<'a>, selection: &Selection) -> Written {
        let variables = self.variables;
        self.out.begin_object();
        for field in selection.fields.iter().filter(|field| field.is_included(variables)) {
            self.out.key(&field.key);
            match node {
                _ if field.source == FieldSource::Typename => self.text(&self.schema[field.parent].name)?,
                Node::Schema => self.schema_member(field)?,
                Node::Type(id) => self.type_member(*id, field)?,
                Node::Wrapped(ty) => self.wrapped_member(ty, field)?,
                Node::Field(definition) => self.field_member(definition, field)?,
                Node::Input(definition) => self.input_member(definition, field)?,
                Node::EnumValue(definition) => self.enum_value_member(definition, field)?,
                Node::Directive(definition) => self.directive_member(definition, field)?,
            }
        }
        self.out.end_object();
        Ok(())
    }

    fn schema_member(&mut self, field: &Field) -> Written {
        match &*field.name {
            "types" => self.list(self.schema.types().map(|(id, _)| Node::Type(id)), field),
            "queryType" => self.optional(self.schema.query().map(Node::Type), field),
            "mutationType" => self.optional(self.schema.mutation().map(Node::Type), field),
            "subscriptionType" => self.optional(self.schema.subscription().map(Node::Type), field),
            "directives" => self.list(self.schema.directives().iter().map(Node::Directive), field),
            _ => self.null(),
        }
    }

    fn type_member(&mut self, id: TypeId, field: &Field) -> Written {
        let found = &self.schema[id];
        let has_fields = matches!(found.kind, TypeKind::Object | TypeKind::Interface);
        let deprecated = self.include_deprecated(field)?;
        let shown = |reason: &Option<String>| deprecated || reason.is_none();
        match (&*field.name, found.kind) {
            ("kind", kind) => self.text(kind_name(kind)),
            ("name", _) => self.text(&found.name),
            ("description", _) => self.description(&found.description),
            ("specifiedByURL", _) => self.description(&found.specified_by),
            ("fields", _) if has_fields => {
                self.list(found.fields.iter().filter(|field| shown(&field.deprecated)).map(Node::Field), field)
            }
            ("interfaces", _) if has_fields => self.list(found.interfaces.iter().copied().map(Node::Type), field),
            ("possibleTypes", TypeKind::Interface | TypeKind::Union) => {
                self.list(found.possible.iter().copied().map(Node::Type), field)
            }
            ("enumValues", TypeKind::Enum) => {
                self.list(found.values.iter().filter(|value| shown(&value.deprecated)).map(Node::EnumValue), field)
            }
            ("inputFields", TypeKind::Input) => {
                self.list(found.inputs.iter().filter(|input| shown(&input.deprecated)).map(Node::Input), field)
            }
            ("isOneOf", TypeKind::Input) => self.boolean(found.one_of),
            _ => self.null(),
        }
    }

    fn wrapped_member(&mut self, ty: &'a TypeRef, field: &Field) -> Written {
        match (&*field.name, ty) {
            ("kind", TypeRef::List(_)) => self.text("LIST"),
            ("kind", _) => self.text("NON_NULL"),
            ("ofType", TypeRef::List(inner) | TypeRef::NonNull(inner)) => {
                self.object(&Node::of(inner), &field.selection)
            }
            _ => self.null(),
        }
    }

    fn field_member(&mut self, definition: &'a FieldDef, field: &Field) -> Written {
        match &*field.name {
            "name" => self.text(&definition.name),
            "description" => self.description(&definition.description),
            "args" => self.inputs(&definition.args, field),
            "type" => self.object(&Node::of(&definition.ty), &field.selection),
            name => self.deprecation(name, &definition.deprecated),
        }
    }

    fn input_member(&mut self, definition: &'a InputDef, field: &Field) -> Written {
        match &*field.name {
            "name" => self.text(&definition.name),
            "description" => self.description(&definition.description),
            "type" => self.object(&Node::of(&definition.ty), &field.selection),
            "defaultValue" => match &definition.default {
                Some(default) => self.text(&default.written),
                None => self.null(),
            },
            name => self.deprecation(name, &definition.deprecated),
        }
    }

    fn enum_value_member(&mut self, definition: &'a EnumValueDef, field: &Field) -> Written {
        match &*field.name {
            "name" => self.text(&definition.name),
            "description" => self.description(&definition.description),
            name => self.deprecation(name, &definition.deprecated),
        }
    }

    fn directive_member(&mut self, definition: &'a DirectiveDef, field: &Field) -> Written {
        match &*field.name {
            "name" => self.text(&definition.name),
            "description" => self.description(&definition.description),
            "isRepeatable" => self.boolean(definition.repeatable),
            "args" => self.inputs(&definition.args, field),
            _ => {
                self.out.begin_array();
                for location in &definition.locations {
                    self.out.text(Kind::String, location);
                }
                self.out.end_array();
                Ok(())
            }
        }
    }

    fn inputs(&mut self, definitions: &'a [InputDef], field: &Field) -> Written {
        let deprecated = self.include_deprecated(field)?;
        let shown = definitions.iter().filter(|definition| deprecated || definition.deprecated.is_none());
        self.list(shown.map(Node::Input), field)
    }

    fn list(&mut self, nodes: impl Iterator<Item = Node<'a>>, field: &Field) -> Written {
        self.out.begin_array();
        for node in nodes {
            self.object(&node, &field.selection)?;
        }
        self.out.end_array();
        Ok(())
    }

    fn optional(&mut self, node: Option<Node<'a>>, field: &Field) -> Written {
        match node {
            Some(node) => self.object(&node, &field.selection),
            None => self.null(),
        }
    }

    /// `isDeprecated` and `deprecationReason`, which several types have.
    fn deprecation(&mut self, name: &str, reason: &Option<String>) -> Written {
        match name {
            "isDeprecated" => self.boolean(reason.is_some()),
            _ => self.description(reason),
        }
    }

    fn description(&mut self, text: &Option<String>) -> Written {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    fn text(&mut self, text: &str) -> Written {
        self.out.text(Kind::String, text);
        Ok(())
    }

    fn boolean(&mut self, value: bool) -> Written {
        self.out.bool(value);
        Ok(())
    }

    fn null(&mut self) -> Written {
        self.out.null();
        Ok(())
    }

    fn include_deprecated(&self, field: &Field) -> Result<bool, InvalidInput> {
        if field.arguments.is_empty() {
            return Ok(false);
        }
        let arguments = self.arguments(field)?;
        Ok(arguments.root().member("includeDeprecated").is_some_and(|value| value.kind() == Kind::True))
    }

    fn arguments(&self, field: &Field) -> Result<Arc<Doc>, InvalidInput> {
        let mut out = DocBuilder::default();
        field.write_arguments(self.variables, &mut out)?;
        Ok(Arc::new(out.finish()))
    }
}

fn kind_name(kind: TypeKind) -> &'static str {
    match kind {
        TypeKind::Scalar => "SCALAR",
        TypeKind::Object => "OBJECT",
        TypeKind::Interface => "INTERFACE",
        TypeKind::Union => "UNION",
        TypeKind::Enum => "ENUM",
        TypeKind::Input => "INPUT_OBJECT",
    }
}
