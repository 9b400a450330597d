//! What names stand for while an expression is checked.

use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::node::{Local, LocalId, Node, Var};
use super::types::Type;

/// Tells the checker what names stand for.
pub trait Scope {
    /// What `name` stands for.
    ///
    /// # Errors
    /// The name is unknown, or known and not allowed here.
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved>;

    /// Every name that resolves, for "did you mean".
    fn names(&self) -> Vec<String>;

    /// A number for the expression that is being checked. It comes back in [`super::Span::source`].
    fn source(&self) -> u32 {
        0
    }
}

/// Why a name does not resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Nothing has this name. The checker says so and suggests a near one.
    Unknown,
    /// The name exists, but may not be used here.
    Refused {
        /// What is wrong, one sentence without a full stop.
        message: String,
        /// What to write instead; may be empty.
        help: String,
    },
}

/// What a name stands for.
#[derive(Clone)]
pub enum Binding {
    /// A value that [`super::Env::var`] reads at run time.
    Var {
        /// Which one.
        var: Var,
        /// Its type.
        ty: Type,
    },
    /// A compiled expression that is put in the place of the name.
    Node {
        /// The expression.
        node: Node,
        /// Its type.
        ty: Type,
    },
    /// Names of their own, such as `args`: only `name.member` may be written, never the bare name.
    Scope {
        /// The names.
        scope: Rc<dyn Scope>,
        /// What one of them is called in messages, such as "argument".
        noun: &'static str,
    },
}

/// A scope with one more name: a local that a [`Node::Each`] binds.
pub struct LocalScope<'s> {
    outer: &'s dyn Scope,
    name: String,
    local: LocalId,
    ty: Type,
}

/// `scope` and a new local called `name`. Expressions checked in it read the local by
/// [`LocalScope::local`], which no other local shares.
pub fn with_local<'s>(scope: &'s dyn Scope, name: &str, ty: Type) -> LocalScope<'s> {
    LocalScope { outer: scope, name: name.to_owned(), local: next_local(), ty }
}

impl LocalScope<'_> {
    /// The local, for [`Node::Each`].
    pub fn local(&self) -> Box<Local> {
        Box::new(Local { id: self.local, name: self.name.as_str().into() })
    }
}

impl Scope for LocalScope<'_> {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        if name != self.name {
            return self.outer.resolve(name);
        }
        Ok(Binding::Node { node: Node::Local { id: self.local, steps: Box::default() }, ty: self.ty.clone() })
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.outer.names();
        names.push(self.name.clone());
        names
    }

    fn source(&self) -> u32 {
        self.outer.source()
    }
}

/// A local that no other binder of this process shares. Compiled expressions are put inside one
/// another, so numbers that are only unique within one expression could capture each other.
pub(super) fn next_local() -> LocalId {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    LocalId(NEXT.fetch_add(1, Ordering::Relaxed))
}
