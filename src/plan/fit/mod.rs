//! Whether what an expression gives can stand where a type is declared: the one comparison for
//! results, request bodies and messages, whoever declared the type.
//!
//! ```text
//! what is written ─▶ Value { node, type } ─┐
//!                                          ├─▶ misfits: what is wrong, and where inside
//! what is declared ─▶ Declared ────────────┘
//! ```
//!
//! What no contract tells (`dyn`) fits everywhere: it is checked when it is there.

mod kept;
mod message;
mod passed;
mod schema;
mod written;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use kept::kept;
pub use message::{of_enum, of_message};
pub use passed::{held, passed_on};
pub use schema::of_output;

use crate::base::diagnostic::{did_you_mean, suggestion};
use crate::base::value::Value;
use crate::expr::{Node, ObjectType, Type};

/// Objects inside one another that are compared; deeper ones are left to run time.
const DEPTH_LIMIT: usize = 32;

/// A declared type: which values may stand somewhere.
#[derive(Clone, Debug)]
pub enum Declared {
    /// Any value.
    Anything,
    /// A scalar, or one of several.
    Scalar(Arc<dyn DeclaredScalar>),
    /// A list.
    List(Arc<Declared>),
    /// An object with any members of one type.
    Map(Arc<Declared>),
    /// An object with known members.
    Object(Arc<dyn DeclaredObject>),
    /// The same, or null.
    Nullable(Arc<Declared>),
}

/// A declared scalar.
pub trait DeclaredScalar: fmt::Debug + Send + Sync {
    /// What people call it, such as "Int" or "int32".
    fn name(&self) -> String;

    /// Whether values of `found`, which is neither null nor unknown, may stand for it.
    fn takes(&self, found: &Type) -> bool;

    /// What is wrong with a value that is written out, and what to write instead; `None` when it
    /// may stand. Asked only where [`DeclaredScalar::takes`] says yes.
    fn refuses(&self, _written: &Value<'_>) -> Option<(String, String)> {
        None
    }
}

/// A declared object with known members.
pub trait DeclaredObject: fmt::Debug + Send + Sync {
    /// What people call it.
    fn name(&self) -> String;

    /// A member by its name.
    fn member(&self, name: &str) -> Option<DeclaredMember>;

    /// The names of all members.
    fn members(&self) -> Vec<String>;

    /// What members of other names hold; `None` when there may be none.
    fn others(&self) -> Option<Declared> {
        None
    }

    /// What to say of a member that there is not.
    fn unknown(&self, name: &str) -> String {
        format!("{} has no member `{name}`", self.name())
    }

    /// The first of these members that cannot stand beside one before it, and what is wrong with that.
    fn clash(&self, _members: &[&str]) -> Option<(String, String)> {
        None
    }

    /// What to write where a required member is missing.
    fn missing(&self, name: &str) -> String {
        format!("write `{name}: …`")
    }
}

/// A member of a declared object.
#[derive(Clone, Debug)]
pub struct DeclaredMember {
    /// What it holds.
    pub declared: Declared,
    /// Whether it must be there. One that need not may also be null.
    pub required: bool,
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where inside the value.
    pub at: Vec<At>,
    /// Which rule it breaks.
    pub rule: Rule,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to write instead; may be empty.
    pub help: String,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// A member.
    Member(String),
    /// An item of a list: the one at a position, or any.
    Item(Option<usize>),
}

/// The rule that a [`Misfit`] breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A member that the declared object does not have.
    UnknownMember,
    /// A required member is not there.
    MissingMember,
    /// It cannot stand beside another member that is there.
    Clash,
    /// Another kind of value is declared.
    Kind,
    /// It can be null, and null is not declared.
    Null,
    /// It is null where a proto message is not set, and null is not declared.
    Unset,
}

/// Everything that keeps a value from being what is declared, as far as load time can tell.
/// `node` is the program that makes the value.
pub fn misfits(node: &Node, ty: &Type, declared: &Declared) -> Vec<Misfit> {
    let mut comparison = Comparison::default();
    comparison.value((Some(node), ty), declared);
    comparison.misfits
}

#[derive(Default)]
struct Comparison {
    at: Vec<At>,
    misfits: Vec<Misfit>,
    /// Pairs of object types around the current place: recursive types are compared once.
    open: Vec<(String, String)>,
}

impl Comparison {
    fn value(&mut self, (node, ty): (Option<&Node>, &Type), declared: &Declared) {
        // A part of a result that fails is null and reported, which no type tells: only its own null counts.
        let node = match node {
            Some(Node::Leaf(inner)) => Some(&**inner),
            node => node,
        };
        let (declared, takes_null) = declared.present();
        // What is written out is what it is, whatever stands beside it in its list; of lists and maps their kind
        // says too little.
        let written = node.and_then(Node::known).map(|value| Type::of_kind(value.kind()));
        let written = written.filter(|kind| !kind.is_unknown());
        // Of what is a mistake itself, and stands here as null, nothing more is said.
        let is_known = !matches!(ty, Type::Dyn);
        let ty = written.as_ref().unwrap_or(ty);
        if is_known && ty.may_be_null() && !takes_null {
            self.null((node, ty), declared);
        }
        let ty = match ty.present() {
            Type::Optional(held) => held.present(),
            present => present,
        };
        match (ty, declared) {
            (Type::Dyn | Type::Never | Type::Null, _) | (_, Declared::Anything | Declared::Nullable(_)) => {}
            (ty, Declared::Scalar(scalar)) => self.scalar((node, ty), &**scalar),
            (Type::List(item), Declared::List(declared)) => self.items((node, &item.ty), declared),
            (Type::Map(value), Declared::Map(declared)) => self.within(At::Item(None), (None, &value.ty), declared),
            (Type::Object(object), Declared::Map(declared)) => {
                for name in object.members() {
                    let ty = object.member(&name).unwrap_or(Type::Dyn);
                    let member = written::member(node, &name);
                    // A member that is left out is not null: a map does without it.
                    let ty = if member.is_some_and(|member| member.when.is_some()) { ty.present() } else { &ty };
                    self.within(At::Member(name.clone()), (member.map(|member| &member.value), ty), declared);
                }
            }
            (Type::Object(found), Declared::Object(declared)) => self.object((node, &**found), &**declared),
            (map, Declared::Object(declared)) if map.is_empty_map() => {
                self.missing(&[], &|_| false, &**declared);
            }
            // Which members another map has is known when it is there.
            (Type::Map(_), Declared::Object(_)) => {}
            (ty, declared) => self.kind(ty, &declared.to_string()),
        }
    }

    fn within(&mut self, at: At, found: (Option<&Node>, &Type), declared: &Declared) {
        self.at.push(at);
        self.value(found, declared);
        self.at.pop();
    }

    fn scalar(&mut self, (node, ty): (Option<&Node>, &Type), declared: &dyn DeclaredScalar) {
        if !declared.takes(ty) {
            return self.kind(ty, &declared.name());
        }
        let Some((message, help)) = node.and_then(Node::known).and_then(|value| declared.refuses(value)) else {
            return;
        };
        match node {
            // What a constant of the environment or of a file holds is not shown.
            Some(Node::Named(named)) => {
                let message = format!("what `{}` holds is no value of {}", named.written, declared.name());
                self.report(Rule::Kind, message, String::new());
            }
            _ => self.report(Rule::Kind, message, help),
        }
    }

    fn items(&mut self, (node, item): (Option<&Node>, &Type), declared: &Declared) {
        match node {
            // An item that is left out is an empty optional, never null.
            Some(Node::Items(nodes)) => {
                for (index, node) in nodes.iter().enumerate() {
                    self.within(At::Item(Some(index)), (Some(node), &written::item_type(index, nodes, item)), declared);
                }
            }
            Some(Node::Each { body, .. }) => self.within(At::Item(None), (Some(body), item), declared),
            _ => self.within(At::Item(None), (None, item), declared),
        }
    }

    fn object(&mut self, (node, found): (Option<&Node>, &dyn ObjectType), declared: &dyn DeclaredObject) {
        let members = found.members();
        let pair = (format!("{}: {}", found.name(), members.join(", ")), declared.name());
        if self.open.len() >= DEPTH_LIMIT || self.open.contains(&pair) {
            return;
        }
        self.open.push(pair);
        for name in &members {
            let ty = found.member(name).unwrap_or(Type::Dyn);
            let value = (written::member(node, name).map(|member| &member.value), &ty);
            match (declared.member(name), declared.others()) {
                (Some(DeclaredMember { declared, required: true }), _) => {
                    self.within(At::Member(name.clone()), value, &declared);
                }
                (Some(DeclaredMember { declared, .. }), _) | (None, Some(declared)) => {
                    let declared = Declared::Nullable(Arc::new(declared));
                    self.within(At::Member(name.clone()), value, &declared);
                }
                (None, None) => self.unknown(name, declared),
            }
        }
        self.clash((node, found), declared);
        self.missing(&members, &|name| found.member(name).is_some(), declared);
        self.open.pop();
    }

    /// Required members that are not there, of an object with these.
    fn missing(&mut self, members: &[String], has: &dyn Fn(&str) -> bool, declared: &dyn DeclaredObject) {
        let known = declared.members();
        let is_strict = declared.others().is_none();
        let unread = || members.iter().filter(|name| declared.member(name).is_none()).map(String::as_str);
        let misspelt: Vec<&str> = match is_strict {
            true => unread().filter_map(|name| suggestion(name, known.iter().map(String::as_str))).collect(),
            false => Vec::new(),
        };
        for name in &known {
            let required = declared.member(name).is_some_and(|member| member.required);
            // What is misspelt was reported as unknown.
            if required && !has(name) && !misspelt.contains(&name.as_str()) {
                let message = format!("the member `{name}` of {} is missing", declared.name());
                let near = suggestion(name, unread()).filter(|_| !is_strict);
                let help = near.map_or_else(|| declared.missing(name), |near| format!("did you mean `{near}`?"));
                self.report(Rule::MissingMember, message, help);
            }
        }
    }

    /// Members that are surely there and are not null.
    fn clash(&mut self, (node, found): (Option<&Node>, &dyn ObjectType), declared: &dyn DeclaredObject) {
        let is_there = |name: &&String| {
            let ty = found.member(name).unwrap_or(Type::Dyn);
            let written = written::member(node, name);
            !ty.is_unknown() && !ty.may_be_null() && written.is_some_and(|member| member.when.is_none())
        };
        let members = found.members();
        let there: Vec<&str> = members.iter().filter(is_there).map(String::as_str).collect();
        if let Some((name, message)) = declared.clash(&there) {
            self.at.push(At::Member(name));
            self.report(Rule::Clash, message, "leave one of them out, or decide with `$when`".to_owned());
            self.at.pop();
        }
    }

    fn unknown(&mut self, name: &str, declared: &dyn DeclaredObject) {
        let known = declared.members();
        self.at.push(At::Member(name.to_owned()));
        self.report(Rule::UnknownMember, declared.unknown(name), did_you_mean(name, known.iter().map(String::as_str)));
        self.at.pop();
    }

    fn null(&mut self, (node, ty): (Option<&Node>, &Type), declared: &Declared) {
        let (rule, message) = match ty {
            Type::Null => (Rule::Null, format!("this is null, and {declared} is never null")),
            ty if is_message_field(node, ty) => {
                (Rule::Unset, format!("this is null where the message is not set, and {declared} is never null"))
            }
            _ => (Rule::Null, format!("this can be null, and {declared} is never null")),
        };
        self.report(rule, message, "write `default(…, …)` for what null means here".to_owned());
    }

    fn kind(&mut self, ty: &Type, declared: &str) {
        self.report(Rule::Kind, format!("{declared} is declared here, and this is {ty}"), String::new());
    }

    fn report(&mut self, rule: Rule, message: String, help: String) {
        self.misfits.push(Misfit { at: self.at.clone(), rule, message, help });
    }
}

/// Whether what may be null is a field of a proto message that holds a message: a proto has no way
/// to say that such a field is always set.
fn is_message_field(node: Option<&Node>, ty: &Type) -> bool {
    let is_message = match ty.present() {
        Type::Timestamp | Type::Duration => true,
        Type::Object(object) => object.is_message(),
        _ => false,
    };
    let is_member = match node {
        None => true,
        Some(Node::Path { steps, .. } | Node::Local { steps, .. }) => !steps.is_empty(),
        Some(_) => false,
    };
    is_message && is_member
}

impl Declared {
    /// What is declared of values that are not null, and whether null may stand there.
    fn present(&self) -> (&Self, bool) {
        match self {
            Self::Nullable(inner) => (inner.present().0, true),
            Self::Anything => (self, true),
            other => (other, false),
        }
    }
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anything => f.write_str("any value"),
            Self::Scalar(scalar) => f.write_str(&scalar.name()),
            Self::List(item) => write!(f, "a list of {item}"),
            Self::Map(value) => write!(f, "a map of {value}"),
            Self::Object(object) => f.write_str(&object.name()),
            Self::Nullable(inner) => write!(f, "{inner} or null"),
        }
    }
}
