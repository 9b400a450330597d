//! Explanations of GraphQL operations as data.

use super::{Explanation, Head};
use crate::plan::operation::OperationKind;

/// What a GraphQL operation does.
#[derive(Debug)]
pub struct Operation {
    /// What it is: a document or an endpoint, with its variables or arguments.
    pub head: Head,
    /// Whether it reads or writes.
    pub kind: OperationKind,
    /// The fields that call; a field comes after those that it waits for.
    pub fields: Vec<OperationField>,
    /// The fields that need no call of their own.
    pub taken: Vec<Taken>,
    /// The lists on the way, with the size that each was taken to have.
    pub lists: Vec<ListSize>,
    /// Calls that wait for each other, one after another.
    pub depth: u64,
    /// The fields that make these.
    pub chain: Vec<usize>,
}

/// A field of an operation that calls.
#[derive(Debug)]
pub struct OperationField {
    /// The response keys on the way to it: `products.items.seller`.
    pub path: String,
    /// The field that gives the objects that it hangs on.
    pub after: Option<usize>,
    /// In a mutation: the field of the root that comes to its end first.
    pub before: Option<usize>,
    /// It is called only if all of these hold.
    pub only_if: Vec<String>,
    /// The objects that it hangs on, at most.
    pub objects: u64,
    /// What it does, as far as the operation selects something of it.
    pub explanation: Explanation,
    /// The calls to each backend at most.
    pub calls: Vec<(String, u64)>,
}

/// Fields of an object that need no call of their own.
#[derive(Debug)]
pub struct Taken {
    /// The way to the object; empty for the root.
    pub path: String,
    /// Response keys, and what computes a field that is not just a member of the object.
    pub fields: Vec<(String, Option<String>)>,
}

/// How many items a list was taken to have.
#[derive(Debug)]
pub struct ListSize {
    /// The way to it.
    pub path: String,
    /// The items.
    pub size: u64,
    /// What says so: an argument, or `assumed`.
    pub because: String,
}
