//! The compiled program: typed, resolved, and ready to run.
//!
//! The checker makes the nodes of expressions; the planner makes the template nodes around them
//! ([`Node::Object`] to [`Node::Outcome`]), so that a whole result is one program.

use std::fmt;

use super::library::Function;
use super::pattern::Pattern;
use super::promise::Promised;
use super::span::Span;
use crate::base::value::{Value, member_key};

mod inspected;
mod merge;
mod numeral;
mod shape;

pub use inspected::{Demand, Inspected};
pub use merge::{Clash, Merge, Part, Whole};
pub use numeral::Numeral;

/// A value that [`super::Env::var`] reads. Its number means something to the planner only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Var(pub u32);

/// A value bound by a comprehension or by [`Node::Each`]. No two binders share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalId(pub(super) u32);

/// What a binder binds.
#[derive(Clone, Debug)]
pub struct Local {
    /// What the program reads it by.
    pub id: LocalId,
    /// Its name as written, for those who read programs: two locals may have the same.
    pub name: Box<str>,
}

/// One node of a program.
#[derive(Clone, Debug)]
pub enum Node {
    /// A value known at load.
    Const(Value<'static>),
    /// A text known at load that nothing shows.
    Named(Box<Named>),
    /// A plain path. A step that is missing, or that meets null or a scalar, gives null.
    Path {
        /// Where it begins.
        var: Var,
        /// Members and constant indexes.
        steps: Box<[Step]>,
    },
    /// The same, beginning at a local.
    Local {
        /// Where it begins.
        id: LocalId,
        /// Members and constant indexes.
        steps: Box<[Step]>,
    },
    /// The same, beginning at a computed value.
    Select {
        /// Where it begins.
        of: Box<Node>,
        /// Members and constant indexes.
        steps: Box<[Step]>,
    },
    /// `list[i]`, `map[key]` with a computed index.
    Index(Box<Index>),
    /// `a.?b`, `a[?0]`.
    OptionalStep(Box<OptionalStep>),
    /// `has(a.b)`.
    Has(Box<Presence>),
    /// `!a`.
    Not(Box<Node>, Span),
    /// `-a`.
    Negate(Box<Node>, Span),
    /// A chain of `+ -` or of `* / %`, from left to right.
    Arithmetic(Box<Arithmetic>),
    /// A comparison, or `in`.
    Relation(Box<Relation>),
    /// `a && b && …`: false if one is false, even when another fails.
    And(Box<[Node]>, Span),
    /// `a || b || …`: true if one is true, even when another fails.
    Or(Box<[Node]>, Span),
    /// `a ? b : c`.
    Conditional(Box<Conditional>),
    /// `default(a, b)`, `a.orValue(b)`, `a.or(b)`: `b` is computed only when needed.
    Fallback(Box<Fallback>),
    /// `cel.bind`, `optMap`, `optFlatMap`.
    Bind(Box<Bind>),
    /// A function of the library.
    Call(Box<Call>),
    /// `a.matches(pattern)`.
    Matches(Box<Matches>),
    /// `map`, `filter`, `all` and the other macros over lists and maps.
    Comprehension(Box<Comprehension>),
    /// `[a, ?b]`.
    List(Box<[Element]>),
    /// `{k: a, ?l: b}`.
    Map(Box<[Entry]>, Span),

    /// Template: a number that keeps the text that it is written with.
    Numeral(Box<Numeral>),
    /// Template: an object with written names.
    Object(Box<[Member]>),
    /// Template: maps a list; null gives null.
    Each {
        /// The list.
        list: Box<Node>,
        /// What `when` and `body` read the item by; see [`super::with_local`].
        local: Box<Local>,
        /// Items for which this is false are left out.
        when: Option<Box<Node>>,
        /// What becomes of an item; an empty optional leaves it out.
        body: Box<Node>,
    },
    /// Template: a list with written items; an item that is an empty optional is left out.
    Items(Box<[Node]>),
    /// Template: objects merged deeply.
    Merge(Box<Merge>),
    /// Template: text with expressions in it. Null or absent inside is a failure.
    Text(Box<[TextPart]>),
    /// Template: null when the inside fails, and the failure is reported.
    Leaf(Box<Node>),
    /// A value that is looked at where it goes: null that a declared type forbids is a failure, and what is
    /// not as a contract promises is told.
    Inspected(Box<Inspected>),
    /// Template: one of two sides, by a boolean that the environment holds.
    Outcome {
        /// True or false.
        var: Var,
        /// What stands here when it is true.
        done: Box<Node>,
        /// What stands here otherwise.
        otherwise: Box<Node>,
    },
}

/// See [`Node::Named`].
#[derive(Clone)]
pub struct Named {
    /// What it is called instead, such as `env('TOKEN')`.
    pub written: Box<str>,
    /// The text.
    pub value: Value<'static>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// One step of a plain path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object, or the entry of a map under a text key; with what a contract promises of it.
    Member(Box<str>, Option<Promised>),
    /// An element of a list, or the entry of a map under a number; with what a contract promises of it.
    Index(i64, Option<Promised>),
}

impl Step {
    /// A member of which nothing is promised.
    pub fn member(name: impl Into<Box<str>>) -> Self {
        Self::Member(name.into(), None)
    }

    /// What a contract promises of what the step finds.
    pub(super) fn promised(&self) -> Option<&Promised> {
        let (Self::Member(_, promised) | Self::Index(_, promised)) = self;
        promised.as_ref()
    }
}

/// What a computed index gives where there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// An error: CEL's rule.
    Fails,
    /// Null: inside `default(…)`.
    Null,
    /// An empty optional: `a[?i]`.
    Empty,
}

/// See [`Node::Index`].
#[derive(Clone, Debug)]
pub struct Index {
    /// The list or map.
    pub of: Node,
    /// The index or key.
    pub index: Node,
    /// What an index without an element gives.
    pub missing: Missing,
    /// What a contract promises of every element.
    pub promised: Option<Promised>,
    /// The whole expression.
    pub span: Span,
}

/// See [`Node::OptionalStep`].
#[derive(Clone, Debug)]
pub struct OptionalStep {
    /// What the step goes from; itself may be an optional.
    pub of: Node,
    /// The step.
    pub step: Step,
}

/// See [`Node::Has`].
#[derive(Clone, Debug)]
pub struct Presence {
    /// The object.
    pub of: Node,
    /// The member.
    pub name: Box<str>,
}

/// The operators of [`Node::Arithmetic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Infix {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// See [`Node::Arithmetic`].
#[derive(Clone, Debug)]
pub struct Arithmetic {
    /// The leftmost operand.
    pub first: Node,
    /// The others with the operator before each.
    pub rest: Box<[(Infix, Node)]>,
    /// The whole chain.
    pub span: Span,
}

/// The operators of [`Node::Relation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Relational {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

/// See [`Node::Relation`].
#[derive(Clone, Debug)]
pub struct Relation {
    /// The operator.
    pub operator: Relational,
    /// Its left side.
    pub left: Node,
    /// Its right side.
    pub right: Node,
    /// The whole expression.
    pub span: Span,
}

/// See [`Node::Conditional`].
#[derive(Clone, Debug)]
pub struct Conditional {
    /// What decides.
    pub when: Node,
    /// The value if it is true.
    pub then: Node,
    /// The value if it is false.
    pub otherwise: Node,
    /// The condition, where it was written.
    pub span: Option<Span>,
}

/// When the second part of a [`Fallback`] is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// `default(a, b)`: `a` is null or an empty optional; a full one yields what it holds.
    Default,
    /// `a.orValue(b)`: `a` is an empty optional; a full one yields what it holds.
    OrValue,
    /// `a.or(b)`: `a` is an empty optional; a full one stays one.
    Or,
}

/// See [`Node::Fallback`].
#[derive(Clone, Debug)]
pub struct Fallback {
    /// When `otherwise` is taken.
    pub alternative: Alternative,
    /// What is tried first.
    pub value: Node,
    /// What is taken instead.
    pub otherwise: Node,
    /// The whole expression.
    pub span: Span,
}

/// See [`Node::Bind`].
#[derive(Clone, Debug)]
pub struct Bind {
    /// The name.
    pub local: Local,
    /// What it stands for.
    pub value: Node,
    /// Where it may be used.
    pub body: Node,
    /// What happens around the body.
    pub binder: Binder,
    /// The whole expression.
    pub span: Span,
}

/// The forms of [`Node::Bind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binder {
    /// `cel.bind(x, value, body)`.
    Plain,
    /// `value.optMap(x, body)`: only for a full optional; the result becomes one again.
    OptionalMap,
    /// `value.optFlatMap(x, body)`: only for a full optional; the body gives one.
    OptionalFlatMap,
}

/// See [`Node::Call`].
#[derive(Clone, Debug)]
pub struct Call {
    /// The function.
    pub function: &'static Function,
    /// Its arguments, the receiver first.
    pub arguments: Box<[Node]>,
    /// The whole expression.
    pub span: Span,
}

/// See [`Node::Matches`].
#[derive(Clone, Debug)]
pub struct Matches {
    /// What is searched.
    pub text: Node,
    /// What is searched for.
    pub pattern: Pattern,
    /// The whole expression.
    pub span: Span,
}

/// What a comprehension makes of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// `all`: whether the body is true for each.
    All,
    /// `exists`: whether the body is true for one.
    Exists,
    /// `exists_one`: whether the body is true for exactly one.
    ExistsOne,
    /// `filter`: the elements for which the body is true.
    Filter,
    /// `map`, `transformList`: a list of what the body gives.
    List,
    /// `transformMap`: a map of the same keys to what the body gives.
    Map,
    /// `transformMapEntry`: a map of the entries that the body gives as one-entry maps.
    MapEntry,
    /// `sortBy`: the elements in the order of what the body gives.
    SortBy,
}

/// See [`Node::Comprehension`].
#[derive(Clone, Debug)]
pub struct Comprehension {
    /// What is made.
    pub fold: Fold,
    /// The list or map.
    pub range: Node,
    /// With two variables: the index or key.
    pub key: Option<Local>,
    /// With one variable the element or key, with two the element or value.
    pub item: Local,
    /// Elements for which this is false are passed over.
    pub when: Option<Node>,
    /// What is computed for each element.
    pub body: Node,
    /// Budget that one element costs.
    pub weight: u32,
    /// The whole expression.
    pub span: Span,
}

/// One element of [`Node::List`].
#[derive(Clone, Debug)]
pub struct Element {
    /// The value.
    pub value: Node,
    /// `[?value]`: the value is an optional, left out when empty.
    pub optional: bool,
}

/// One entry of [`Node::Map`].
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Node,
    /// A key that is text known at load as it is written, by [`member_key`]. The checker has seen
    /// that no two such keys of a map are the same.
    pub written: Option<Box<[u8]>>,
    /// The value.
    pub value: Node,
    /// `{?key: value}`: the value is an optional, left out when empty.
    pub optional: bool,
}

/// One member of [`Node::Object`].
#[derive(Clone, Debug)]
pub struct Member {
    /// The name.
    pub name: Box<str>,
    /// The name as it is written, by [`member_key`].
    pub key: Box<[u8]>,
    /// The member is left out when this is false.
    pub when: Option<Node>,
    /// The value; the member is left out when it is an empty optional.
    pub value: Node,
}

impl Member {
    /// A member without a condition.
    pub fn new(name: impl Into<Box<str>>, value: Node) -> Self {
        let name = name.into();
        Self { key: member_key(&name), name, when: None, value }
    }
}

/// One part of [`Node::Text`].
#[derive(Clone, Debug)]
pub enum TextPart {
    /// Text as written.
    Literal(Box<str>),
    /// A value put into the text.
    Value(Node),
}

/// Which parts of a value are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The whole.
    All,
    /// Of every object only these members, in any order.
    Members(Vec<(Box<str>, Wanted)>),
}

impl Wanted {
    /// What is wanted of a member; `None` when nothing is.
    pub fn of(&self, name: &str) -> Option<&Self> {
        match self {
            Self::All => Some(&Self::All),
            Self::Members(members) => members.iter().find(|(member, _)| **member == *name).map(|(_, wanted)| wanted),
        }
    }
}
