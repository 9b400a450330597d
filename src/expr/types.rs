//! The types that the checker knows.

use std::fmt;
use std::sync::Arc;

use super::promise::Promised;
use crate::base::value::ValueKind;

/// What is known of a value at load.
#[derive(Clone, Debug)]
pub enum Type {
    /// Anything: nothing is checked before run time. A REST reply without a contract.
    Dyn,
    /// Only `null`.
    Null,
    /// A boolean.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// An unsigned 64-bit integer.
    Uint,
    /// An IEEE 754 double.
    Double,
    /// CEL's `string`.
    Text,
    /// Bytes.
    Bytes,
    /// A point in time.
    Timestamp,
    /// A span of time.
    Duration,
    /// A list of one type of element.
    List(Arc<Type>),
    /// A map from text to one type of value.
    Map(Arc<Type>),
    /// An object whose members are known.
    Object(Arc<dyn ObjectType>),
    /// The type or null.
    Nullable(Arc<Type>),
    /// CEL's `optional`.
    Optional(Arc<Type>),
    /// A type as a value: what `type(x)` gives.
    Type,
}

/// An object whose members a contract tells: a proto message, an OpenAPI or GraphQL type, a result.
pub trait ObjectType: fmt::Debug + Send + Sync {
    /// What people call the type.
    fn name(&self) -> &str;

    /// The type of a member; `None` when there is no such member.
    fn member(&self, name: &str) -> Option<Type>;

    /// The names of all members, for "did you mean".
    fn members(&self) -> Vec<String>;

    /// The name under which values hold a member, if that is another than the one written: a member
    /// of a proto message answers to two names.
    fn written(&self, _name: &str) -> Option<String> {
        None
    }

    /// What a contract promises of the member of a reply, if there is a contract that does.
    fn promised(&self, _name: &str) -> Option<Promised> {
        None
    }

    /// Whether a contract promises something of some members.
    fn makes_promises(&self) -> bool {
        false
    }

    /// Whether it is a proto message.
    fn is_message(&self) -> bool {
        false
    }
}

impl Type {
    /// A list of `item`.
    pub fn list(item: Self) -> Self {
        Self::List(Arc::new(item))
    }

    /// A map from text to `value`.
    pub fn map(value: Self) -> Self {
        Self::Map(Arc::new(value))
    }

    /// `self` or null. Idempotent; `Dyn` and `Null` hold null already.
    #[must_use]
    pub fn nullable(self) -> Self {
        match self {
            Self::Dyn | Self::Null | Self::Nullable(_) => self,
            other => Self::Nullable(Arc::new(other)),
        }
    }

    /// `optional(self)`.
    #[must_use]
    pub fn optional(self) -> Self {
        Self::Optional(Arc::new(self))
    }

    /// The type that describes values of a kind; `Dyn` where the kind does not tell.
    pub fn of_kind(kind: ValueKind) -> Self {
        match kind {
            ValueKind::Null => Self::Null,
            ValueKind::Bool => Self::Bool,
            ValueKind::Int => Self::Int,
            ValueKind::Uint => Self::Uint,
            ValueKind::Double => Self::Double,
            ValueKind::Text => Self::Text,
            ValueKind::Bytes => Self::Bytes,
            ValueKind::Timestamp => Self::Timestamp,
            ValueKind::Duration => Self::Duration,
            ValueKind::Type => Self::Type,
            ValueKind::Number | ValueKind::List | ValueKind::Map | ValueKind::Optional => Self::Dyn,
        }
    }

    /// The type without null; `Null` itself stays.
    pub fn present(&self) -> &Self {
        match self {
            Self::Nullable(inner) => inner,
            other => other,
        }
    }

    /// Whether a contract says that null can stand here.
    pub fn may_be_null(&self) -> bool {
        matches!(self, Self::Null | Self::Nullable(_))
    }

    /// The name under which a value of this type holds the member `name`.
    pub(super) fn written<'n>(&self, name: &'n str) -> std::borrow::Cow<'n, str> {
        let renamed = match self.present() {
            Self::Object(object) => object.written(name),
            _ => None,
        };
        renamed.map_or(name.into(), Into::into)
    }

    /// What a contract promises of the member `name` of a value of this type.
    pub(super) fn promised(&self, name: &str) -> Option<Promised> {
        match self.present() {
            Self::Object(object) => object.promised(name),
            _ => None,
        }
    }

    /// Whether this is one of the three number types.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// The type that holds both: what a conditional or a list of both yields.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Null, Self::Null) => Self::Null,
            (Self::Null, known) | (known, Self::Null) => known.clone().nullable(),
            (Self::Nullable(a), b) | (b, Self::Nullable(a)) => a.join(b.present()).nullable(),
            (Self::List(a), Self::List(b)) => Self::list(a.join(b)),
            (Self::Map(a), Self::Map(b)) => Self::map(a.join(b)),
            (Self::Optional(a), Self::Optional(b)) => a.join(b).optional(),
            (a, b) if a.is(b) => a.clone(),
            (Self::Object(a), Self::Object(b)) => Self::Object(Arc::new(Either {
                name: format!("{} or {}", a.name(), b.name()),
                one: a.clone(),
                other: b.clone(),
            })),
            _ => Self::Dyn,
        }
    }

    /// Whether both are the same type. Objects are the same when they are one and the same
    /// contract, or share its name.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b))
            | (Self::Map(a), Self::Map(b))
            | (Self::Nullable(a), Self::Nullable(b))
            | (Self::Optional(a), Self::Optional(b)) => a.is(b),
            (Self::Object(a), Self::Object(b)) => Arc::ptr_eq(a, b) || a.name() == b.name(),
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }
}

/// One of two objects: it may have the members of both. One that only one of them has may be null.
#[derive(Debug)]
struct Either {
    name: String,
    one: Arc<dyn ObjectType>,
    other: Arc<dyn ObjectType>,
}

impl ObjectType for Either {
    fn name(&self) -> &str {
        &self.name
    }

    fn member(&self, name: &str) -> Option<Type> {
        match (self.one.member(name), self.other.member(name)) {
            (Some(one), Some(other)) => Some(one.join(&other)),
            (found, None) | (None, found) => found.map(Type::nullable),
        }
    }

    fn members(&self) -> Vec<String> {
        let mut members = self.one.members();
        members.extend(self.other.members().into_iter().filter(|member| self.one.member(member).is_none()));
        members
    }

    fn written(&self, name: &str) -> Option<String> {
        self.one.written(name).or_else(|| self.other.written(name))
    }

    /// Beside an object that a composition writes, such as a default, the contract's promise stays: what
    /// was written is no reply.
    fn promised(&self, name: &str) -> Option<Promised> {
        match (self.one.makes_promises(), self.other.makes_promises()) {
            (true, true) => None,
            _ => self.one.promised(name).or_else(|| self.other.promised(name)),
        }
    }

    fn makes_promises(&self) -> bool {
        self.one.makes_promises() || self.other.makes_promises()
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dyn => "dyn",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Type => "type",
            Self::List(item) => return write!(f, "list({item})"),
            Self::Map(value) => return write!(f, "map(string, {value})"),
            Self::Object(object) => return f.write_str(object.name()),
            Self::Nullable(inner) => return write!(f, "{inner} or null"),
            Self::Optional(inner) => return write!(f, "optional({inner})"),
        })
    }
}
