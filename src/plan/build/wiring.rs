//! Where each field of the graph gets its value, and how the graph is served.

use super::fields::{Bound, Entry};
use super::{Planner, REQUEST_TIMEOUT};
use crate::base::id::FieldId;
use crate::plan::{Field, Graph, GraphLimits};
use crate::spec::{GraphNames, Located};

const GRAPH_PATH: &str = "/graphql";
const LIMITS: GraphLimits = GraphLimits { depth: 15, aliases: 30, tokens: 2_000 };

/// Where each field of the graph gets its value.
#[derive(Debug)]
pub(super) struct Wiring {
    /// The entry that answers a field: by type, then by position in the type's fields.
    pub(super) bound: Vec<Vec<Option<FieldId>>>,
    /// The member that a field without an entry reads, by type and position.
    pub(super) members: Vec<Vec<Box<str>>>,
    /// For abstract types: the entry that names the concrete type.
    pub(super) type_names: Vec<Option<FieldId>>,
}

impl Wiring {
    /// What the entries answer, and what is left to members.
    pub(super) fn new(planner: &Planner<'_>, entries: &[Entry<'_>]) -> Self {
        let snake = planner.spec.graph.names.as_ref().is_some_and(|names| names.value == GraphNames::SnakeCase);
        let member = |name: &String| -> Box<str> { if snake { snake_case(name).into() } else { name.as_str().into() } };
        let types = planner.schema.types().map(|(id, _)| id.index() + 1).max().unwrap_or(0);
        let mut wiring =
            Self { bound: vec![Vec::new(); types], members: vec![Vec::new(); types], type_names: vec![None; types] };
        for (id, ty) in planner.schema.types() {
            wiring.bound[id.index()] = vec![None; ty.fields.len()];
            wiring.members[id.index()] = ty.fields.iter().map(|field| member(&field.name)).collect();
        }
        for (index, entry) in entries.iter().enumerate() {
            match entry.at {
                Bound::Field(ty, field) => wiring.bound[ty.index()][field] = Some(FieldId::from(index)),
                Bound::TypeName(ty) => wiring.type_names[ty.index()] = Some(FieldId::from(index)),
            }
        }
        wiring
    }
}

impl Planner<'_> {
    /// The graph with its settings.
    pub(super) fn graph_settings(&self, wiring: Wiring, fields: &[Field]) -> Graph {
        self.check_graph_path();
        let first_promise = self.promise_fields(&wiring, fields);
        let Wiring { bound, members, type_names } = wiring;
        let written = self.spec.gateway.graphql.as_ref();
        let limits = written.and_then(|graphql| graphql.limits.as_ref());
        let limit = |found: Option<&Located<u32>>, default: usize| found.map_or(default, |found| found.value as usize);
        let flag = |found: Option<&Located<bool>>| found.is_none_or(|found| found.value);
        Graph {
            schema: self.schema.clone(),
            bound,
            members,
            type_names,
            first_promise,
            path: written
                .and_then(|graphql| graphql.path.as_ref())
                .map_or(GRAPH_PATH, |path| path.value.as_str())
                .into(),
            playground: flag(written.and_then(|graphql| graphql.playground.as_ref())),
            introspection: flag(written.and_then(|graphql| graphql.introspection.as_ref())),
            limits: GraphLimits {
                depth: limit(limits.and_then(|limits| limits.depth.as_ref()), LIMITS.depth),
                aliases: limit(limits.and_then(|limits| limits.aliases.as_ref()), LIMITS.aliases),
                tokens: limit(limits.and_then(|limits| limits.tokens.as_ref()), LIMITS.tokens),
            },
            timeout: self.spec.gateway.timeout.as_ref().map_or(REQUEST_TIMEOUT, |timeout| timeout.value),
        }
    }

    /// The graph's path must be one, and no endpoint's.
    fn check_graph_path(&self) {
        let written = self.spec.gateway.graphql.as_ref().and_then(|graphql| graphql.path.as_ref());
        let path = written.map_or(GRAPH_PATH, |path| path.value.as_str());
        if let Some(written) =
            written.filter(|path| !path.value.starts_with('/') || path.value.contains(['?', '#', '{']))
        {
            let message = format!("`{path}` is no path");
            let help = "write it as in `/graphql`".to_owned();
            self.report.error("bad-path", (&written.place, "gateway.graphql.path"), message, help);
        }
        for endpoint in self.spec.endpoints.iter().filter(|endpoint| endpoint.value.route.path.value == path) {
            let message = format!("`{path}` is the path of the graph");
            let help = "choose another path here, or for the graph under `gateway.graphql.path`".to_owned();
            let place = &endpoint.value.route.path.place;
            self.report.error("duplicate-route", (place, &endpoint.path), message, help);
        }
    }
}

/// `priceCents` as `price_cents`, `imageURL` as `image_url`.
fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (index, c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| chars[before]);
        let begins_word = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                let next_is_lower = chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
                before.is_ascii_lowercase() || before.is_ascii_digit() || (before.is_ascii_uppercase() && next_is_lower)
            });
        if begins_word {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn names_become_snake_case_word_by_word() {
        for (name, snake) in [
            ("priceCents", "price_cents"),
            ("URL", "url"),
            ("imageURL", "image_url"),
            ("URLPath", "url_path"),
            ("line2Text", "line2_text"),
            ("a_b", "a_b"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }
}
