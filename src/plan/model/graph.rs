//! The GraphQL face: which compositions answer which fields.

use std::sync::Arc;
use std::time::Duration;

use super::{Bounds, Composition, Unwritten};
use crate::base::id::FieldId;
use crate::plan::operation::{Introspection, Limits, Settings};
use crate::plan::schema::{Schema, TypeId};
use crate::policy::overload::Class;

/// A field of the graph that a composition answers.
#[derive(Debug)]
pub struct Field {
    /// `Query.product`.
    pub name: Box<str>,
    /// What arguments must be like beyond their types, by name: of an endpoint that is a field too.
    pub bounds: Box<[(Box<str>, Bounds)]>,
    /// What runs once per parent, or once per list with `batch`.
    pub composition: Composition,
    /// Parents that run at the same time.
    pub parallel: usize,
    /// Parents that one answer may have.
    pub max: usize,
    /// Which of these bounds nobody wrote.
    pub unwritten: Unwritten,
    /// The time that it may take.
    pub timeout: Option<Duration>,
    /// How important operations are that ask for it at their root.
    pub class: Class,
    /// Whether nothing is called: the result is a plain expression over parent and arguments.
    pub pure: bool,
}

/// The GraphQL face.
#[derive(Debug)]
pub struct Graph {
    /// The types that clients see: the plan's.
    pub schema: Arc<Schema>,
    /// Which composition answers a field: by type, then by position in the type's fields.
    pub bound: Vec<Vec<Option<FieldId>>>,
    /// The member that an unbound field reads, by type and position.
    pub members: Vec<Vec<Box<str>>>,
    /// For abstract types: what gives the name of the concrete type.
    pub type_names: Vec<Option<FieldId>>,
    /// Where the promises about a type's fields begin in the plan's list, by type.
    pub first_promise: Vec<usize>,
    /// The path that takes GraphQL requests.
    pub path: Box<str>,
    /// Whether a browser that visits the path is shown a page to try queries on.
    pub playground: bool,
    /// Whether introspection is answered.
    pub introspection: bool,
    /// Bounds of documents.
    pub limits: GraphLimits,
    /// The time that a whole answer may take.
    pub timeout: Duration,
}

impl Graph {
    /// The promise of the field at a position of a type.
    pub fn promise(&self, of: TypeId, field: usize) -> usize {
        self.first_promise[of.index()] + field
    }

    /// How documents of clients are judged.
    pub fn settings(&self) -> Settings {
        let GraphLimits { depth, aliases, tokens } = self.limits;
        let limits = Limits { depth, aliases, tokens, ..Limits::default() };
        Settings { limits, introspection: if self.introspection { Introspection::On } else { Introspection::Off } }
    }
}

/// Bounds of GraphQL documents.
#[derive(Clone, Copy, Debug)]
pub struct GraphLimits {
    /// Nested selections.
    pub depth: usize,
    /// Fields with an alias.
    pub aliases: usize,
    /// Lexical tokens.
    pub tokens: usize,
}
