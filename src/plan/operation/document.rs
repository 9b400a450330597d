//! A parsed document: its operations and fragments by name, in written order, without circles.

use std::collections::HashMap;

use async_graphql_parser::types::{
    ExecutableDocument, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql_parser::{Error, Pos, Positioned, parse_query};

use super::errors::{Problem, RequestError};
use super::guard::{self, Limits};
use crate::base::diagnostic::suggestion;
use crate::base::failure::Cause;
use crate::plan::schema::expectation;
use crate::plan::syntax::{self, Mistake, Mistaken, Numbers, Prepared};

/// A document that parses.
///
/// **Invariant:** no fragment reaches itself and every spread names a fragment that exists, so
/// following spreads ends.
#[derive(Debug)]
pub struct Document {
    parsed: ExecutableDocument,
    numbers: Numbers,
}

impl Document {
    /// Parses a document that keeps the limits of raw text.
    pub(super) fn parse(text: &str, limits: &Limits) -> Result<Self, RequestError> {
        guard::scan(text, limits)?;
        let Prepared { text, numbers } = syntax::prepare(text).map_err(|mistaken| misspelt(&mistaken))?;
        let document = Self { parsed: parse_query(text).map_err(|error| refused(&error))?, numbers };
        RequestError::unless_empty(Cause::GraphqlValidation, document.spread_problems())?;
        Ok(document)
    }

    /// The numbers of the document, for which the parser has zeros.
    pub(super) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The operations in written order; the only one may have no name.
    pub(super) fn operations(&self) -> Vec<(Option<&str>, &Positioned<OperationDefinition>)> {
        let mut operations: Vec<_> =
            self.parsed.operations.iter().map(|(name, found)| (name.map(|name| name.as_str()), found)).collect();
        operations.sort_by_key(|(_, operation)| operation.pos);
        operations
    }

    /// The fragments in written order.
    pub(super) fn fragments(&self) -> Vec<(&str, &Positioned<FragmentDefinition>)> {
        let mut fragments: Vec<_> = self.parsed.fragments.iter().map(|(name, found)| (name.as_str(), found)).collect();
        fragments.sort_by_key(|(_, fragment)| fragment.pos);
        fragments
    }

    /// The fragment of this name.
    pub(super) fn fragment(&self, name: &str) -> Option<&FragmentDefinition> {
        self.parsed.fragments.get(name).map(|fragment| &fragment.node)
    }

    /// The operation to run (GraphQL, section 6.1, "GetOperation").
    pub(super) fn operation(
        &self,
        wanted: Option<&str>,
    ) -> Result<(Option<&str>, &Positioned<OperationDefinition>), RequestError> {
        let operations = self.operations();
        let unknown = |message: String| RequestError::new(Cause::GraphqlOperation, message);
        match (wanted, operations.as_slice()) {
            (None, [only]) => Ok(*only),
            (None, _) => Err(unknown("The document has several operations; say which by `operationName`.".to_owned())),
            (Some(wanted), _) => {
                let found = operations.iter().find(|(name, _)| *name == Some(wanted)).copied();
                found.ok_or_else(|| {
                    let names = operations.iter().filter_map(|(name, _)| *name);
                    unknown(format!("The document has no operation `{wanted}`{}", hint(wanted, names)))
                })
            }
        }
    }

    /// Spreads of unknown fragments, fragments that reach themselves, and one that no spread can name.
    fn spread_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut spreads = HashMap::new();
        for (name, fragment) in self.fragments() {
            if name == "on" {
                problems.push(Problem::at(fragment.pos, "A fragment cannot be called `on`."));
            }
            spreads.insert(name, spreads_in(&fragment.node.selection_set.node));
        }
        let operations = self.operations();
        let roots = operations.iter().flat_map(|(_, operation)| spreads_in(&operation.node.selection_set.node));
        for (name, place) in roots.chain(spreads.values().flatten().copied()) {
            if self.fragment(name).is_none() {
                let hint = hint(name, spreads.keys().copied());
                problems.push(Problem::at(place, format!("There is no fragment `{name}`{hint}")));
            }
        }
        let mut circles = Circles { spreads: &spreads, done: Vec::new(), path: Vec::new(), problems };
        for (name, fragment) in self.fragments() {
            circles.follow(name, fragment.pos);
        }
        circles.problems
    }
}

/// A search for fragments that reach themselves.
struct Circles<'a> {
    /// The spreads inside each fragment.
    spreads: &'a HashMap<&'a str, Vec<(&'a str, Pos)>>,
    /// Fragments from which everything was followed.
    done: Vec<&'a str>,
    /// The fragments on the way to here.
    path: Vec<&'a str>,
    problems: Vec<Problem>,
}

impl<'a> Circles<'a> {
    /// Follows all spreads of a fragment. As deep as the document has fragments at most, and the
    /// limit of tokens keeps those to hundreds.
    fn follow(&mut self, name: &'a str, place: Pos) {
        if let Some(start) = self.path.iter().position(|before| *before == name) {
            let way = self.path[start..].join(", ");
            self.problems.push(Problem::at(place, format!("Fragment `{name}` is spread inside itself: {way}.")));
            return;
        }
        if self.done.contains(&name) {
            return;
        }
        self.path.push(name);
        for (next, place) in self.spreads.get(name).into_iter().flatten() {
            self.follow(next, *place);
        }
        self.path.pop();
        self.done.push(name);
    }
}

/// The fragments that a selection set spreads, at any depth of its own fields.
fn spreads_in(set: &SelectionSet) -> Vec<(&str, Pos)> {
    let mut found = Vec::new();
    let mut open = vec![set];
    while let Some(set) = open.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => open.push(&field.node.selection_set.node),
                Selection::InlineFragment(fragment) => open.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => found.push((spread.node.fragment_name.node.as_str(), spread.pos)),
            }
        }
    }
    found
}

/// `; did you mean …?` when a name is near enough to another, else the full stop.
pub(super) fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    suggestion(name, candidates).map_or_else(|| ".".to_owned(), |best| format!("; did you mean `{best}`?"))
}

/// What the client reads about a mistake that the parser would not see.
fn misspelt(mistaken: &Mistaken<'_>) -> RequestError {
    let (cause, message) = match mistaken.mistake {
        Mistake::Twice(name) => (Cause::GraphqlValidation, format!("An object has the field `{name}` twice.")),
        other => (Cause::GraphqlParse, format!("The document does not parse: {other}.")),
    };
    RequestError::at(cause, mistaken.place, message)
}

/// What the client reads when the parser refuses.
fn refused(error: &Error) -> RequestError {
    let (cause, message) = match error {
        Error::Syntax { message, .. } => {
            (Cause::GraphqlParse, format!("The document does not parse: {}.", expectation(message)))
        }
        Error::RecursionLimitExceeded => (Cause::GraphqlLimit, "The document is nested too deeply.".to_owned()),
        Error::MissingOperation => (Cause::GraphqlOperation, "The document has no operation.".to_owned()),
        Error::MultipleOperations { .. } => {
            (Cause::GraphqlValidation, "An operation without a name must be the only one of its document.".to_owned())
        }
        Error::OperationDuplicated { operation, .. } => {
            (Cause::GraphqlValidation, format!("Operation `{operation}` is defined twice."))
        }
        Error::FragmentDuplicated { fragment, .. } => {
            (Cause::GraphqlValidation, format!("Fragment `{fragment}` is defined twice."))
        }
        other => (Cause::GraphqlParse, format!("The document does not parse: {other}.")),
    };
    let locations = match error {
        // Of several others the parser names one by chance.
        Error::MultipleOperations { anonymous, .. } => vec![(*anonymous).into()],
        other => other.positions().map(Into::into).collect(),
    };
    RequestError { cause, problems: vec![Problem { message, locations }] }
}
