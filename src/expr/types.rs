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
    /// No value at all: what an empty list or map holds. It joins with anything.
    Never,
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
    List(Arc<Item>),
    /// A map from text to one type of value.
    Map(Arc<Item>),
    /// An object whose members are known.
    Object(Arc<dyn ObjectType>),
    /// The type or null.
    Nullable(Arc<Type>),
    /// CEL's `optional`.
    Optional(Arc<Type>),
    /// A type as a value: what `type(x)` gives.
    Type,
}

/// What each element of a list, or each value of a map, is.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its type.
    pub ty: Type,
    /// What a contract promises of it. It need not be there, for who asks for one may ask for too many.
    pub promised: Option<Promised>,
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

    /// Whether no other type has its name. What a composition writes has no name of its own.
    fn is_named(&self) -> bool {
        true
    }

    /// The objects of which a value is one, where it may be one of several.
    fn alternatives(&self) -> &[Arc<dyn ObjectType>] {
        &[]
    }
}

/// Objects inside one another that are compared to tell whether two written ones are the same.
const COMPARED_DEPTH: usize = 8;

impl Type {
    /// A list of `item`.
    pub fn list(item: impl Into<Item>) -> Self {
        Self::List(Arc::new(item.into()))
    }

    /// A map from text to `value`.
    pub fn map(value: impl Into<Item>) -> Self {
        Self::Map(Arc::new(value.into()))
    }

    /// `self` or null. Idempotent. Of `Dyn` nothing is known, and of `dyn or null` that it may be null.
    #[must_use]
    pub fn nullable(self) -> Self {
        match self {
            Self::Null | Self::Nullable(_) => self,
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

    /// Whether the empty map is the only value.
    pub fn is_empty_map(&self) -> bool {
        matches!(self, Self::Map(value) if matches!(value.ty, Self::Never))
    }

    /// Whether nothing is known of the values, but perhaps that one may be null.
    pub fn is_unknown(&self) -> bool {
        matches!(self.present(), Self::Dyn | Self::Never)
    }

    /// Whether operators refuse it where nothing guards it: it is known what it is, and that it may be null.
    pub fn needs_guard(&self) -> bool {
        matches!(self, Self::Nullable(inner) if !matches!(**inner, Self::Dyn))
    }

    /// The name under which a value of this type holds the member `name`.
    pub fn written<'n>(&self, name: &'n str) -> std::borrow::Cow<'n, str> {
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
            Self::Map(value) => value.promised.clone(),
            _ => None,
        }
    }

    /// What a contract promises of every element of a list of this type, or of every value of a map.
    pub(super) fn promised_inside(&self) -> Option<&Promised> {
        match self.present() {
            Self::List(item) | Self::Map(item) => item.promised.as_ref(),
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
            (Self::Never, known) | (known, Self::Never) => known.clone(),
            (Self::Null, Self::Null) => Self::Null,
            (Self::Null, known) | (known, Self::Null) => known.clone().nullable(),
            (Self::Nullable(a), b) | (b, Self::Nullable(a)) => a.join(b.present()).nullable(),
            (Self::List(a), Self::List(b)) => Self::list(Item::join(a, b)),
            (Self::Map(a), Self::Map(b)) => Self::map(Item::join(a, b)),
            (Self::Optional(a), Self::Optional(b)) => a.join(b).optional(),
            (a, b) if a.is(b) => a.clone(),
            (Self::Object(a), Self::Object(b)) => Either::join(a, b),
            (map, Self::Object(object)) | (Self::Object(object), map) if map.is_empty_map() => {
                Either::join(object, &Empty::object())
            }
            _ => Self::Dyn,
        }
    }

    /// What holds all of them: the join. Where they are objects, as far as they are known,
    /// [`ObjectType::alternatives`] are these, one for one; of nothing it is `Never`.
    pub fn one_of(types: &[Self]) -> Self {
        let object = |ty: &Self| -> Option<Arc<dyn ObjectType>> {
            match ty.present() {
                Self::Object(object) => Some(object.clone()),
                Self::Dyn => Some(Arc::new(Unknown)),
                _ => None,
            }
        };
        let is_known = types.iter().any(|ty| matches!(ty.present(), Self::Object(_)));
        match types.iter().map(object).collect::<Option<Vec<_>>>() {
            Some(of) if is_known && of.len() > 1 => {
                let either = Either::of(of);
                if types.iter().any(Self::may_be_null) { either.nullable() } else { either }
            }
            _ => types.iter().cloned().reduce(|one, other| one.join(&other)).unwrap_or(Self::Never),
        }
    }

    /// Whether both are the same type. Objects are the same when they are one and the same
    /// contract, share its name, or are written with the same members.
    pub fn is(&self, other: &Self) -> bool {
        self.is_within(other, COMPARED_DEPTH)
    }

    fn is_within(&self, other: &Self, depth: usize) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) | (Self::Map(a), Self::Map(b)) => a.ty.is_within(&b.ty, depth),
            (Self::Nullable(a), Self::Nullable(b)) | (Self::Optional(a), Self::Optional(b)) => a.is_within(b, depth),
            (Self::Object(a), Self::Object(b)) => Arc::ptr_eq(a, b) || is_same_object((&**a, &**b), depth),
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }
}

impl Item {
    /// What one is that was found: of an empty list, which has none, anything.
    pub fn found(&self) -> Type {
        match &self.ty {
            Type::Never => Type::Dyn,
            known => known.clone(),
        }
    }

    /// Beside what a composition writes the contract's promise stays, as for members of objects.
    fn join(one: &Self, other: &Self) -> Self {
        let promised = match (&one.promised, &other.promised) {
            (Some(one), Some(other)) => (one.id == other.id).then_some(one),
            (one, other) => one.as_ref().or(other.as_ref()),
        };
        Self { ty: one.ty.join(&other.ty), promised: promised.cloned() }
    }
}

impl From<Type> for Item {
    fn from(ty: Type) -> Self {
        Self { ty, promised: None }
    }
}

/// Names tell contracts apart, and members what is written. What is nested too deeply to be compared counts
/// as different.
fn is_same_object((one, other): (&dyn ObjectType, &dyn ObjectType), depth: usize) -> bool {
    if one.is_named() || other.is_named() {
        return one.is_named() && other.is_named() && one.name() == other.name();
    }
    let Some(depth) = depth.checked_sub(1) else { return false };
    let names = one.members();
    let same = |name: &String| match (one.member(name), other.member(name)) {
        (Some(one), Some(other)) => one.is_within(&other, depth),
        _ => false,
    };
    names == other.members() && names.iter().all(same)
}

/// One of several objects: it may have the members of all. One that some of them lack may be null.
#[derive(Debug)]
struct Either {
    name: String,
    of: Vec<Arc<dyn ObjectType>>,
}

impl Either {
    fn join(one: &Arc<dyn ObjectType>, other: &Arc<dyn ObjectType>) -> Type {
        let mut of: Vec<Arc<dyn ObjectType>> = Vec::new();
        for object in [one, other].into_iter().flat_map(alternatives) {
            if !of.iter().any(|known| is_same_object((&**known, &*object), COMPARED_DEPTH)) {
                of.push(object);
            }
        }
        Self::of(of)
    }

    fn of(of: Vec<Arc<dyn ObjectType>>) -> Type {
        let mut names: Vec<&str> = of.iter().map(|object| object.name()).collect();
        names.dedup();
        Type::Object(Arc::new(Self { name: names.join(" or "), of }))
    }
}

impl ObjectType for Either {
    fn name(&self) -> &str {
        &self.name
    }

    fn member(&self, name: &str) -> Option<Type> {
        // Where one of them calls the member by two names, the others have the one that values have.
        let written = self.written(name);
        let name = written.as_deref().unwrap_or(name);
        let found: Vec<Type> = self.of.iter().filter_map(|object| object.member(name)).collect();
        let is_everywhere = found.len() == self.of.len();
        let joined = found.into_iter().reduce(|one, other| one.join(&other))?;
        Some(if is_everywhere { joined } else { joined.nullable() })
    }

    fn members(&self) -> Vec<String> {
        let mut members: Vec<String> = Vec::new();
        for member in self.of.iter().flat_map(|object| object.members()) {
            if !members.contains(&member) {
                members.push(member);
            }
        }
        members
    }

    fn written(&self, name: &str) -> Option<String> {
        self.of.iter().find_map(|object| object.written(name))
    }

    fn is_named(&self) -> bool {
        false
    }

    fn alternatives(&self) -> &[Arc<dyn ObjectType>] {
        &self.of
    }

    /// Beside objects that a composition writes, such as a default, the contract's promise stays: what
    /// was written is no reply.
    fn promised(&self, name: &str) -> Option<Promised> {
        let mut promising = self.of.iter().filter(|object| object.makes_promises());
        promising.next().filter(|_| promising.next().is_none())?.promised(name)
    }

    fn makes_promises(&self) -> bool {
        self.of.iter().any(|object| object.makes_promises())
    }
}

/// What an empty map is beside objects: one that has none of their members.
#[derive(Debug)]
struct Empty;

impl Empty {
    fn object() -> Arc<dyn ObjectType> {
        Arc::new(Self)
    }
}

impl ObjectType for Empty {
    fn name(&self) -> &str {
        "an empty map"
    }

    fn member(&self, _name: &str) -> Option<Type> {
        None
    }

    fn members(&self) -> Vec<String> {
        Vec::new()
    }

    fn is_named(&self) -> bool {
        false
    }
}

/// An object of which nothing is known: it may have any member.
#[derive(Debug)]
struct Unknown;

impl ObjectType for Unknown {
    fn name(&self) -> &str {
        "dyn"
    }

    fn member(&self, _name: &str) -> Option<Type> {
        Some(Type::Dyn)
    }

    fn members(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The objects of which a value is one; one that is no alternative is its own.
fn alternatives(object: &Arc<dyn ObjectType>) -> Vec<Arc<dyn ObjectType>> {
    match object.alternatives() {
        [] => vec![object.clone()],
        several => several.to_vec(),
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dyn => "dyn",
            Self::Never => "nothing",
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
            Self::List(item) => return write!(f, "list({})", item.ty),
            Self::Map(value) => return write!(f, "map(string, {})", value.ty),
            Self::Object(object) => return f.write_str(object.name()),
            Self::Nullable(inner) => return write!(f, "{inner} or null"),
            Self::Optional(inner) => return write!(f, "optional({inner})"),
        })
    }
}
