//! The GraphQL schema: a type, a query and an input for each resource.

use super::{Resource, Size};

/// The schema of a project.
pub(crate) fn text(size: Size) -> String {
    let all = (0..size.domains).flat_map(|domain| (0..size.resources).map(move |number| Resource { domain, number }));
    let (mut query, mut types) = (String::new(), String::new());
    for resource in all {
        let (name, path) = (resource.message(), resource.path());
        query.push_str(&format!("  \"One {path}, by its id.\"\n  {path}(id: ID!, lines: Boolean! = true): {name}\n"));
        types.push_str(&TEMPLATE.replace("NAME", &name).replace("OWNER", &owner(&resource)));
    }
    format!("\"Everything that can be asked.\"\ntype Query {{\n{query}}}\n{SHARED}{types}")
}

fn owner(resource: &Resource) -> String {
    match resource.has_owner_field() {
        true => format!("  \"What it belongs to.\"\n  owner: {}\n", resource.owner().message()),
        false => String::new(),
    }
}

const SHARED: &str = r#"
"An amount of money."
type Money {
  cents: Int!
  currency: String!
}
"#;

const TEMPLATE: &str = r#"
"One NAME as clients see it."
type NAME {
  id: ID!
  title: String!
  state: NAMEState!
  total: Money
  lines: [NAMELine!]!
  note: String
OWNER}

enum NAMEState { NAME_STATE_UNSPECIFIED NAME_STATE_OPEN NAME_STATE_HELD NAME_STATE_CLOSED }

type NAMELine {
  sku: ID!
  quantity: Int!
  price: Money
}

input NAMELineInput {
  sku: ID!
  quantity: Int! = 1
}

input NAMEInput {
  owner: ID!
  title: String!
  lines: [NAMELineInput!]!
  note: String
}
"#;
