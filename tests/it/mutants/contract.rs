//! Which names of a project may hold what no contract describes: replies of REST backends, and what is made of them.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::roots;
use crate::written::{Kind, Node};

/// Names that hold what a client or a backend sends, whatever that is.
const OPEN: [&str; 2] = ["parent", "keys"];
/// Names that hold a reply, or what a reply is made of.
const REPLIES: [&str; 5] = ["reply", "item", "last", "replies", "event"];
/// Members of `request`, `meta` and `steps.NAME` whose own members nobody declares.
const FREE: [&str; 4] = ["headers", "cookies", "query", "body"];
const VERBS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];

/// The open names of compositions. Scopes are not told apart: a name that is open anywhere is open everywhere.
#[derive(Debug, Default)]
pub(super) struct Contracts {
    open: BTreeSet<String>,
    /// What each name is made of.
    made_of: BTreeMap<String, BTreeSet<String>>,
}

impl Contracts {
    /// Those of a project's compositions.
    pub(super) fn of(files: &[Node]) -> Self {
        let mut contracts = Self::default();
        contracts.open.extend(OPEN.map(str::to_owned));
        files.iter().for_each(|file| contracts.note(file, None));
        loop {
            let more: Vec<String> = contracts
                .made_of
                .iter()
                .filter(|(name, of)| {
                    !contracts.open.contains(*name) && of.iter().any(|name| contracts.open.contains(name))
                })
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                return contracts;
            }
            contracts.open.extend(more);
        }
    }

    /// Whether a member may be one that no contract describes: its value is made of names that are open, or holds
    /// what clients send as they please.
    pub(super) fn is_open(&self, of: &[String], through: &[String]) -> bool {
        of.iter().any(|name| self.open.contains(name)) || through.iter().any(|member| FREE.contains(&member.as_str()))
    }

    fn note(&mut self, node: &Node, under: Option<&str>) {
        match &node.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter().for_each(|item| self.note(item, under)),
            Kind::Map(pairs) => {
                if under == Some("backends") && pairs.iter().any(|(_, backend)| backend.member("rest").is_some()) {
                    self.open.extend(REPLIES.map(str::to_owned));
                }
                for (name, value) in pairs {
                    match under {
                        Some("steps" | "parts") => self.define(name.text(), value),
                        Some("for_each" | "$each") => self.make(name.text(), value),
                        _ => {}
                    }
                    if matches!(name.text(), "for_each" | "$each") && matches!(value.kind, Kind::Scalar(_)) {
                        self.make("item", value);
                    }
                    self.note(value, Some(name.text()));
                }
            }
        }
    }

    /// Notes what a step or part holds.
    fn define(&mut self, name: &str, definition: &Node) {
        if VERBS.iter().any(|verb| definition.member(verb).is_some()) {
            self.open.insert(name.to_owned());
        }
        if let Some(part) = definition.member("part") {
            self.made_of.entry(name.to_owned()).or_default().insert(part.text().to_owned());
        }
        self.make(name, definition);
    }

    /// Notes that a name is made of everything that a value mentions.
    fn make(&mut self, name: &str, value: &Node) {
        let made_of = self.made_of.entry(name.to_owned()).or_default();
        let mut left = vec![value];
        while let Some(node) = left.pop() {
            match &node.kind {
                Kind::Scalar(text) => made_of.extend(roots(text)),
                Kind::List(items) => left.extend(items),
                Kind::Map(pairs) => left.extend(pairs.iter().map(|(_, value)| value)),
            }
        }
    }
}
