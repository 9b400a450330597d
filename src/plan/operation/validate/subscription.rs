//! The rule about the one field of a subscription (GraphQL, section 5.2.4.1).

use async_graphql_parser::types::{OperationDefinition, Selection, SelectionSet};
use async_graphql_parser::{Pos, Positioned};

use super::super::document::Document;
use super::super::errors::Problem;

/// What is wrong with the root of a subscription: fields of more than one response key, or any under
/// a condition.
pub(super) fn problems(document: &Document, operation: &Positioned<OperationDefinition>) -> Vec<Problem> {
    let mut root = Root { document, fragments: Vec::new(), keys: Vec::new(), conditions: Vec::new() };
    root.collect(&operation.node.selection_set.node);
    let mut problems: Vec<Problem> = Vec::new();
    if root.keys.len() > 1 {
        let keys = root.keys.join("`, `");
        problems.push(Problem::at(operation.pos, format!("A subscription asks for one field, not for `{keys}`.")));
    }
    let decided = root.conditions.iter();
    problems.extend(decided.map(|place| Problem::at(*place, "The field of a subscription cannot be skipped.")));
    problems
}

/// The selections at the root, fragments put in their places.
struct Root<'a> {
    document: &'a Document,
    /// Fragments that are in it already.
    fragments: Vec<&'a str>,
    /// The response keys.
    keys: Vec<&'a str>,
    /// Where `@skip` and `@include` stand.
    conditions: Vec<Pos>,
}

impl<'a> Root<'a> {
    fn collect(&mut self, set: &'a SelectionSet) {
        for selection in &set.items {
            let conditions = selection.node.directives().iter();
            let conditions = conditions.filter(|found| matches!(found.node.name.node.as_str(), "skip" | "include"));
            self.conditions.extend(conditions.map(|found| found.pos));
            match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    if !self.keys.contains(&key) {
                        self.keys.push(key);
                    }
                }
                Selection::InlineFragment(fragment) => self.collect(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if !self.fragments.contains(&name) {
                        self.fragments.push(name);
                        let fragment = self.document.fragment(name);
                        fragment.into_iter().for_each(|fragment| self.collect(&fragment.selection_set.node));
                    }
                }
            }
        }
    }
}
