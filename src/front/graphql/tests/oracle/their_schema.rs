//! Our schema as async-graphql's dynamic one.

use async_graphql::dynamic::{
    self, Enum, EnumItem, Field, FieldFuture, InputObject, InputValue, Interface, InterfaceField, Object, Scalar,
    SchemaBuilder, Subscription, SubscriptionField, SubscriptionFieldFuture, Union,
};
use async_graphql::{Error, Value};
use futures_util::stream;

use crate::plan::schema::{FieldDef, InputDef, Schema, Type, TypeId, TypeKind, TypeRef};

/// The same schema without anything that resolves, ready for `finish`.
pub(super) fn builder(schema: &Schema) -> SchemaBuilder {
    let name = |id: Option<TypeId>| id.map(|id| &*schema[id].name);
    let query = name(schema.query()).expect("a query type");
    let mut builder = dynamic::Schema::build(query, name(schema.mutation()), name(schema.subscription()));
    for (id, found) in schema.types().filter(|(id, found)| !id.is_built_in_scalar() && !found.name.starts_with("__")) {
        builder = match found.kind {
            TypeKind::Scalar => builder.register(scalar(found)),
            TypeKind::Object if schema.subscription() == Some(id) => builder.register(subscription(found)),
            TypeKind::Object => builder.register(object(schema, found)),
            TypeKind::Interface => builder.register(interface(schema, found)),
            TypeKind::Union => builder.register(union(schema, found)),
            TypeKind::Enum => builder.register(enumeration(found)),
            TypeKind::Input => builder.register(input(found)),
        };
    }
    builder
}

/// Gives a definition its description and deprecation, where ours has them.
macro_rules! described {
    ($made:expr, $from:expr) => {{
        let mut made = $made;
        if let Some(text) = &$from.description {
            made = made.description(text);
        }
        made
    }};
    ($made:expr, $from:expr, deprecated) => {{
        let mut made = described!($made, $from);
        if let Some(reason) = &$from.deprecated {
            made = made.deprecation(Some(reason));
        }
        made
    }};
}

fn scalar(found: &Type) -> Scalar {
    let made = described!(Scalar::new(&*found.name), found);
    match &found.specified_by {
        Some(url) => made.specified_by_url(url),
        None => made,
    }
}

fn object(schema: &Schema, found: &Type) -> Object {
    let mut made = described!(Object::new(&*found.name), found);
    for id in &found.interfaces {
        made = made.implement(&*schema[*id].name);
    }
    for field in &found.fields {
        let bare = Field::new(&field.name, type_ref(&field.ty), |_| FieldFuture::from_value(None));
        let mut member = described!(bare, field, deprecated);
        for argument in arguments(field) {
            member = member.argument(argument);
        }
        made = made.field(member);
    }
    made
}

fn subscription(found: &Type) -> Subscription {
    let mut made = described!(Subscription::new(&*found.name), found);
    for field in &found.fields {
        let bare = SubscriptionField::new(&field.name, type_ref(&field.ty), |_| {
            SubscriptionFieldFuture::new(async { Ok(stream::empty::<Result<Value, Error>>()) })
        });
        let mut member = described!(bare, field, deprecated);
        for argument in arguments(field) {
            member = member.argument(argument);
        }
        made = made.field(member);
    }
    made
}

fn interface(schema: &Schema, found: &Type) -> Interface {
    let mut made = described!(Interface::new(&*found.name), found);
    for id in &found.interfaces {
        made = made.implement(&*schema[*id].name);
    }
    for field in &found.fields {
        let mut member = described!(InterfaceField::new(&field.name, type_ref(&field.ty)), field, deprecated);
        for argument in arguments(field) {
            member = member.argument(argument);
        }
        made = made.field(member);
    }
    made
}

fn union(schema: &Schema, found: &Type) -> Union {
    let members = found.possible.iter().map(|id| &*schema[*id].name);
    members.fold(described!(Union::new(&*found.name), found), |made, member| made.possible_type(member))
}

fn enumeration(found: &Type) -> Enum {
    let items = found.values.iter().map(|value| described!(EnumItem::new(&value.name), value, deprecated));
    items.fold(described!(Enum::new(&*found.name), found), |made, item| made.item(item))
}

fn input(found: &Type) -> InputObject {
    let made = described!(InputObject::new(&*found.name), found);
    let made = if found.one_of { made.oneof() } else { made };
    found.inputs.iter().map(input_value).fold(made, InputObject::field)
}

fn arguments(field: &FieldDef) -> impl Iterator<Item = InputValue> {
    field.args.iter().map(input_value)
}

fn input_value(input: &InputDef) -> InputValue {
    let made = described!(InputValue::new(&input.name, type_ref(&input.ty)), input, deprecated);
    match &input.default {
        Some(default) => made.default_value(literal(&default.written)),
        None => made,
    }
}

fn type_ref(ty: &TypeRef) -> dynamic::TypeRef {
    match ty {
        TypeRef::Named { name, .. } => dynamic::TypeRef::named(&**name),
        TypeRef::List(item) => dynamic::TypeRef::List(Box::new(type_ref(item))),
        TypeRef::NonNull(inner) => dynamic::TypeRef::NonNull(Box::new(type_ref(inner))),
    }
}

/// The value that a default is written as.
fn literal(written: &str) -> Value {
    let document = format!("query($v: T = {written}) {{ f }}");
    let parsed = async_graphql_parser::parse_query(document).expect("a literal");
    let operation = parsed.operations.iter().next().expect("an operation").1;
    operation.node.variable_definitions[0].node.default_value.clone().expect("the default").node
}
