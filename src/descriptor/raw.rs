//! The parts of `google/protobuf/descriptor.proto` that mean something here, as they stand on the wire.
//!
//! Everything else in a descriptor is skipped. Enumerations are plain numbers, for what comes from outside may hold
//! any. Source: google/protobuf/descriptor.proto and google/api/http.proto.

use prost::Message as Prost;

#[derive(Clone, PartialEq, Prost)]
pub(super) struct FileSet {
    #[prost(message, repeated, tag = "1")]
    pub(super) file: Vec<File>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct File {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) package: String,
    #[prost(string, repeated, tag = "3")]
    pub(super) dependency: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    pub(super) message: Vec<Message>,
    #[prost(message, repeated, tag = "5")]
    pub(super) enumeration: Vec<Enum>,
    #[prost(message, repeated, tag = "6")]
    pub(super) service: Vec<Service>,
    #[prost(message, repeated, tag = "7")]
    pub(super) extension: Vec<Field>,
    #[prost(message, optional, tag = "8")]
    pub(super) options: Option<FileOptions>,
    /// Positions in `dependency` of what is imported for whoever imports this file.
    #[prost(int32, repeated, packed = "false", tag = "10")]
    pub(super) public_dependency: Vec<i32>,
    #[prost(string, tag = "12")]
    pub(super) syntax: String,
    #[prost(int32, tag = "14")]
    pub(super) edition: i32,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct FileOptions {
    #[prost(message, optional, tag = "50")]
    pub(super) features: Option<Features>,
    #[prost(message, repeated, tag = "999")]
    pub(super) uninterpreted: Vec<Uninterpreted>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct Message {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) field: Vec<Field>,
    #[prost(message, repeated, tag = "3")]
    pub(super) nested: Vec<Message>,
    #[prost(message, repeated, tag = "4")]
    pub(super) enumeration: Vec<Enum>,
    #[prost(message, repeated, tag = "6")]
    pub(super) extension: Vec<Field>,
    #[prost(message, optional, tag = "7")]
    pub(super) options: Option<MessageOptions>,
    #[prost(message, repeated, tag = "8")]
    pub(super) oneof: Vec<Oneof>,
    #[prost(message, repeated, tag = "9")]
    pub(super) reserved_range: Vec<Range>,
    #[prost(string, repeated, tag = "10")]
    pub(super) reserved_name: Vec<String>,
}

/// Numbers from `start` to before `end`.
#[derive(Clone, Copy, PartialEq, Prost)]
pub(super) struct Range {
    #[prost(int32, tag = "1")]
    pub(super) start: i32,
    #[prost(int32, tag = "2")]
    pub(super) end: i32,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct MessageOptions {
    #[prost(bool, tag = "1")]
    pub(super) message_set_wire_format: bool,
    #[prost(bool, tag = "7")]
    pub(super) map_entry: bool,
    #[prost(bool, tag = "11")]
    pub(super) legacy_json_conflicts: bool,
    #[prost(message, optional, tag = "12")]
    pub(super) features: Option<Features>,
    #[prost(message, repeated, tag = "999")]
    pub(super) uninterpreted: Vec<Uninterpreted>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct Field {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) extendee: String,
    #[prost(int32, tag = "3")]
    pub(super) number: i32,
    /// 1 optional, 2 required, 3 repeated; 0 where nothing is written, which is optional.
    #[prost(int32, tag = "4")]
    pub(super) label: i32,
    /// The type; 0 where only `type_name` tells.
    #[prost(int32, tag = "5")]
    pub(super) kind: i32,
    #[prost(string, tag = "6")]
    pub(super) type_name: String,
    #[prost(message, optional, tag = "8")]
    pub(super) options: Option<FieldOptions>,
    #[prost(int32, optional, tag = "9")]
    pub(super) oneof_index: Option<i32>,
    #[prost(string, optional, tag = "10")]
    pub(super) json_name: Option<String>,
    #[prost(bool, tag = "17")]
    pub(super) proto3_optional: bool,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct FieldOptions {
    #[prost(bool, optional, tag = "2")]
    pub(super) packed: Option<bool>,
    #[prost(message, optional, tag = "21")]
    pub(super) features: Option<Features>,
    #[prost(message, repeated, tag = "999")]
    pub(super) uninterpreted: Vec<Uninterpreted>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct Oneof {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) options: Option<OneofOptions>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct OneofOptions {
    #[prost(message, optional, tag = "1")]
    pub(super) features: Option<Features>,
    #[prost(message, repeated, tag = "999")]
    pub(super) uninterpreted: Vec<Uninterpreted>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct Enum {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) value: Vec<EnumValue>,
    #[prost(message, optional, tag = "3")]
    pub(super) options: Option<EnumOptions>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct EnumOptions {
    #[prost(bool, tag = "2")]
    pub(super) allow_alias: bool,
    #[prost(message, optional, tag = "7")]
    pub(super) features: Option<Features>,
    #[prost(message, repeated, tag = "999")]
    pub(super) uninterpreted: Vec<Uninterpreted>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct EnumValue {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int32, tag = "2")]
    pub(super) number: i32,
    #[prost(message, optional, tag = "3")]
    pub(super) options: Option<OtherOptions>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct Service {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) method: Vec<Method>,
    #[prost(message, optional, tag = "3")]
    pub(super) options: Option<OtherOptions>,
}

/// Options of which only the unread ones are looked at.
#[derive(Clone, PartialEq, Prost)]
pub(super) struct OtherOptions {
    #[prost(message, repeated, tag = "999")]
    pub(super) uninterpreted: Vec<Uninterpreted>,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct Method {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) input: String,
    #[prost(string, tag = "3")]
    pub(super) output: String,
    #[prost(message, optional, tag = "4")]
    pub(super) options: Option<MethodOptions>,
    #[prost(bool, tag = "5")]
    pub(super) client_streaming: bool,
    #[prost(bool, tag = "6")]
    pub(super) server_streaming: bool,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct MethodOptions {
    /// 1 `NO_SIDE_EFFECTS`, 2 `IDEMPOTENT`.
    #[prost(int32, tag = "34")]
    pub(super) idempotency_level: i32,
    #[prost(message, repeated, tag = "999")]
    pub(super) uninterpreted: Vec<Uninterpreted>,
    /// The extension `google.api.http`.
    #[prost(message, optional, tag = "72295728")]
    pub(super) http: Option<HttpRule>,
}

/// `google.api.HttpRule`. The members of its oneof `pattern` are plain fields here, because an annotation in text sets
/// them one by one.
#[derive(Clone, PartialEq, Prost)]
pub(super) struct HttpRule {
    #[prost(string, tag = "2")]
    pub(super) get: String,
    #[prost(string, tag = "3")]
    pub(super) put: String,
    #[prost(string, tag = "4")]
    pub(super) post: String,
    #[prost(string, tag = "5")]
    pub(super) delete: String,
    #[prost(string, tag = "6")]
    pub(super) patch: String,
    #[prost(string, tag = "7")]
    pub(super) body: String,
    #[prost(message, optional, tag = "8")]
    pub(super) custom: Option<CustomHttpPattern>,
    #[prost(message, repeated, tag = "11")]
    pub(super) additional_bindings: Vec<HttpRule>,
    #[prost(string, tag = "12")]
    pub(super) response_body: String,
}

#[derive(Clone, PartialEq, Prost)]
pub(super) struct CustomHttpPattern {
    #[prost(string, tag = "1")]
    pub(super) kind: String,
    #[prost(string, tag = "2")]
    pub(super) path: String,
}

/// `google.protobuf.FeatureSet`; 0 where nothing is said.
#[derive(Clone, Copy, PartialEq, Prost)]
pub(super) struct Features {
    #[prost(int32, tag = "1")]
    pub(super) field_presence: i32,
    #[prost(int32, tag = "2")]
    pub(super) enum_type: i32,
    #[prost(int32, tag = "3")]
    pub(super) repeated_field_encoding: i32,
    #[prost(int32, tag = "5")]
    pub(super) message_encoding: i32,
    #[prost(int32, tag = "6")]
    pub(super) json_format: i32,
}

/// An option as a parser of text leaves it.
#[derive(Clone, PartialEq, Prost)]
pub(super) struct Uninterpreted {
    #[prost(message, repeated, tag = "2")]
    pub(super) name: Vec<NamePart>,
    #[prost(string, optional, tag = "3")]
    pub(super) identifier: Option<String>,
    #[prost(bytes = "vec", optional, tag = "7")]
    pub(super) string: Option<Vec<u8>>,
    /// What stands between the braces, in the text format.
    #[prost(string, optional, tag = "8")]
    pub(super) aggregate: Option<String>,
}

/// One part of an option's name: `packed`, or with parentheses the name of an extension.
#[derive(Clone, PartialEq, Prost)]
pub(super) struct NamePart {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(bool, tag = "2")]
    pub(super) is_extension: bool,
}
