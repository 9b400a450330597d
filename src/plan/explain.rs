//! Plans as text for people.
use super::{Endpoint, Field, Plan};

/// x
pub fn explain_endpoint(_plan: &Plan, _endpoint: &Endpoint) -> String {
    String::new()
}

/// x
pub fn explain_field(_plan: &Plan, _field: &Field) -> String {
    String::new()
}
