//! The types that contracts tell: proto messages, the schema's types, and results of compositions.

use std::sync::Arc;

use crate::base::value::{self, Kinds};
use crate::descriptor::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};
use crate::expr::{Item, ObjectType, Promised, Type};
use crate::plan::OfBackend;
use crate::plan::schema::{Schema, TypeId, TypeKind, TypeRef};

/// The type of a message.
pub(super) fn of_message(message: MessageDescriptor) -> Type {
    of_nested(message, None)
}

/// The type of the message that a backend replies: what its proto promises is noted.
pub(super) fn of_reply(message: MessageDescriptor, promises: &OfBackend) -> Type {
    of_nested(message, Some(promises))
}

fn of_nested(descriptor: MessageDescriptor, promises: Option<&OfBackend>) -> Type {
    Type::Object(Arc::new(Message { descriptor, promises: promises.cloned() }))
}

#[derive(Debug)]
struct Message {
    descriptor: MessageDescriptor,
    /// Who notes what is promised; nobody where it is no reply.
    promises: Option<OfBackend>,
}

impl ObjectType for Message {
    fn name(&self) -> &str {
        self.descriptor.full_name()
    }

    fn member(&self, name: &str) -> Option<Type> {
        self.descriptor.field_named(name).map(|field| of_field(&field, self.promises.as_ref()))
    }

    fn members(&self) -> Vec<String> {
        self.descriptor.fields().map(|field| field.json_name().to_owned()).collect()
    }

    fn written(&self, name: &str) -> Option<String> {
        self.descriptor.field_named(name).map(|field| field.json_name().to_owned())
    }

    fn makes_promises(&self) -> bool {
        self.promises.is_some()
    }

    /// A field is always there and of its kind, for what is not is read as unset. Only an enum may hold what
    /// its proto does not know.
    fn promised(&self, name: &str) -> Option<Promised> {
        let field = self.descriptor.field_named(name)?;
        if field.is_list() || field.is_map() {
            return None;
        }
        promised(&field.kind(), self.promises.as_ref(), || field.full_name())
    }

    fn is_message(&self) -> bool {
        true
    }
}

/// What is promised of a value that people call by the name which `called` gives.
fn promised(kind: &Kind, promises: Option<&OfBackend>, called: impl FnOnce() -> String) -> Option<Promised> {
    let (Kind::Enum(declared), Some(promises)) = (kind, promises) else { return None };
    let id = promises.about(&called(), || declared.full_name().to_owned());
    let kinds = Kinds::TEXTS.and(Kinds::of(&[value::Kind::Null]));
    Some(Promised { id, kinds, texts: None, may_be_absent: true })
}

/// The type of what rules judge: the reply of a status that is success, or the body of an error.
pub(super) fn of_judged(reply: &Type) -> Type {
    match reply.present() {
        Type::Object(object) => Type::Object(Arc::new(Judged(object.clone()))),
        other => other.clone(),
    }
}

/// A message that a gRPC backend replies, or, with a status that is no success, what that status says.
#[derive(Debug)]
struct Judged(Arc<dyn ObjectType>);

/// The members of the body that stands for a gRPC status.
const STATUS: [&str; 3] = ["code", "message", "details"];

impl ObjectType for Judged {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn member(&self, name: &str) -> Option<Type> {
        if STATUS.contains(&name) { Some(Type::Dyn) } else { self.0.member(name) }
    }

    fn members(&self) -> Vec<String> {
        let mut members = self.0.members();
        members.extend(STATUS.into_iter().filter(|name| self.0.member(name).is_none()).map(str::to_owned));
        members
    }

    fn written(&self, name: &str) -> Option<String> {
        self.0.written(name)
    }

    fn is_message(&self) -> bool {
        true
    }
}

/// What a field of a reply holds. An unset message or optional is null, an unset scalar its default.
fn of_field(field: &FieldDescriptor, promises: Option<&OfBackend>) -> Type {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { return Type::Dyn };
        let Some(value) = entry.field(2).map(|value| value.kind()) else { return Type::map(Type::Dyn) };
        let called = || format!("a member of {}", field.full_name());
        return Type::map(Item { ty: of_kind(&value, promises), promised: promised(&value, promises, called) });
    }
    let single = of_kind(&field.kind(), promises);
    match field.cardinality() {
        Cardinality::Repeated => {
            let called = || format!("an item of {}", field.full_name());
            Type::list(Item { ty: single, promised: promised(&field.kind(), promises, called) })
        }
        _ if field.supports_presence() => single.nullable(),
        _ => single,
    }
}

fn of_kind(kind: &Kind, promises: Option<&OfBackend>) -> Type {
    match kind {
        Kind::Double | Kind::Float => Type::Double,
        Kind::Int32 | Kind::Int64 | Kind::Sint32 | Kind::Sint64 | Kind::Sfixed32 | Kind::Sfixed64 => Type::Int,
        Kind::Uint32 | Kind::Uint64 | Kind::Fixed32 | Kind::Fixed64 => Type::Uint,
        Kind::Bool => Type::Bool,
        Kind::String => Type::Text,
        Kind::Bytes => Type::Bytes,
        // An enum is its name, but a number that the proto does not know stays a number.
        Kind::Enum(_) => Type::Dyn,
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Timestamp" => Type::Timestamp,
            "google.protobuf.Duration" => Type::Duration,
            "google.protobuf.FieldMask" => Type::Text,
            "google.protobuf.Struct" => Type::map(Type::Dyn),
            "google.protobuf.ListValue" => Type::list(Type::Dyn),
            "google.protobuf.Value" | "google.protobuf.Any" => Type::Dyn,
            name if is_wrapper(name) => {
                message.field(1).map_or(Type::Dyn, |value| of_kind(&value.kind(), promises).nullable())
            }
            _ => of_nested(message.clone(), promises),
        },
    }
}

/// What a request's body is that is passed on as it comes: nothing can be read of it.
pub(super) fn of_upload() -> Type {
    Type::Object(Arc::new(Upload))
}

/// Whether a type is that.
pub(super) fn is_upload(ty: &Type) -> bool {
    matches!(ty, Type::Object(object) if object.name() == Upload.name() && !object.is_message())
}

#[derive(Debug)]
struct Upload;

impl ObjectType for Upload {
    fn name(&self) -> &str {
        "Upload"
    }

    fn member(&self, _: &str) -> Option<Type> {
        None
    }

    fn members(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Whether an object is a message that stands for bytes with a media type. Source: google/api/httpbody.proto.
pub(super) fn is_http_body(object: &dyn ObjectType) -> bool {
    object.is_message() && object.name() == HTTP_BODY
}

/// The name of that message.
pub(super) const HTTP_BODY: &str = "google.api.HttpBody";

/// Whether a message stands for a scalar or null. Source: google/protobuf/wrappers.proto.
pub(super) fn is_wrapper(full_name: &str) -> bool {
    full_name.strip_prefix("google.protobuf.").and_then(|name| name.strip_suffix("Value")).is_some_and(|name| {
        matches!(name, "Double" | "Float" | "Int64" | "UInt64" | "Int32" | "UInt32" | "Bool" | "String" | "Bytes")
    })
}

/// What a coerced value of a type of the schema is.
pub(super) fn of_schema(schema: &Arc<Schema>, ty: &TypeRef) -> Type {
    match ty {
        TypeRef::NonNull(inner) => of_schema(schema, inner).present().clone(),
        TypeRef::List(item) => Type::list(of_schema(schema, item)).nullable(),
        TypeRef::Named { id, .. } => named(schema, *id).nullable(),
    }
}

fn named(schema: &Arc<Schema>, id: TypeId) -> Type {
    match id {
        TypeId::INT => Type::Int,
        TypeId::FLOAT => Type::Double,
        TypeId::STRING | TypeId::ID => Type::Text,
        TypeId::BOOLEAN => Type::Bool,
        _ => match schema[id].kind {
            TypeKind::Enum => Type::Text,
            TypeKind::Input => Type::Object(Arc::new(Input { schema: schema.clone(), id })),
            _ => Type::Dyn,
        },
    }
}

/// An input type of the schema.
struct Input {
    schema: Arc<Schema>,
    id: TypeId,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Input").field(&self.schema[self.id].name).finish()
    }
}

impl ObjectType for Input {
    fn name(&self) -> &str {
        &self.schema[self.id].name
    }

    fn member(&self, name: &str) -> Option<Type> {
        let input = self.schema[self.id].input(name)?;
        let ty = of_schema(&self.schema, &input.ty);
        Some(ty)
    }

    fn members(&self) -> Vec<String> {
        self.schema[self.id].inputs.iter().map(|input| input.name.clone()).collect()
    }
}

/// An object whose members a composition writes.
#[derive(Debug)]
pub(super) struct Members {
    name: String,
    members: Vec<(String, Type)>,
}

impl Members {
    /// An object type of these members.
    pub(super) fn of(name: &str, members: Vec<(String, Type)>) -> Type {
        Type::Object(Arc::new(Self { name: name.to_owned(), members }))
    }
}

impl ObjectType for Members {
    fn name(&self) -> &str {
        &self.name
    }

    fn member(&self, name: &str) -> Option<Type> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, ty)| ty.clone())
    }

    fn members(&self) -> Vec<String> {
        self.members.iter().map(|(name, _)| name.clone()).collect()
    }

    fn is_named(&self) -> bool {
        false
    }
}
