//! CEL, the expression language of compositions: text in, checked and compiled programs out.
//!
//! ```text
//! text ──split──▶ pieces ──parse──▶ Ast ──check (Scope, Type)──▶ Typed { Node } ──eval │ write (Env)──▶ Value │ JSON
//! ```
//!
//! A leaf: it knows values, but no gateway. What a name stands for is told by a [`Scope`] at load
//! and by an [`Env`] at run time. Source of every rule: the CEL language definition (cel-spec,
//! `doc/langdef.md`), with the extensions that `docs/LANGUAGE.md` lists.

mod ast;
mod budget;
mod check;
mod error;
mod eval;
mod lexer;
mod library;
mod mistake;
mod node;
mod parse;
mod pattern;
mod promise;
mod scope;
mod span;
mod spelling;
mod template;
mod types;

pub use ast::{Ast, FindText};
pub use budget::Budget;
pub use check::{Typed, check};
pub use error::{ErrorKind, EvalError, Failures};
pub use eval::{Env, Written, eval, text_of, whole, write};
pub use lexer::is_word;
pub use library::Function;
pub use mistake::Mistake;
pub use node::{
    Alternative, Arithmetic, Bind, Binder, Call, Clash, Comprehension, Conditional, Demand, Element, Entry, Fallback,
    Fold, Index, Infix, Inspected, Local, LocalId, Matches, Member, Merge, Missing, Named, Node, Numeral, OptionalStep,
    Part, Presence, Relation, Relational, Step, TextPart, Var, Wanted, Whole,
};
pub use parse::{COMPREHENSION_LIMIT, DEPTH_LIMIT, SOURCE_LIMIT, parse};
pub use pattern::Pattern;
pub use promise::{Instead, PromiseId, Promised};
pub use scope::{Binding, LocalScope, Scope, Unresolved, with_local};
pub use span::Span;
pub use template::{Piece, split};
pub use types::{Item, ObjectType, Type};

#[cfg(test)]
mod tests;
