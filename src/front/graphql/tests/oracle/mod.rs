//! async-graphql as a second opinion: it introspects and validates beside us, and where it says
//! something else the difference is listed in [`known`] with its reason.
//!
//! It stays out of the request path because it panics on some documents, takes many that are wrong,
//! and needs twice as long for every further fragment that is spread twice.

mod corpus;
mod introspection;
mod known;
mod their_schema;
mod verdicts;

use std::sync::{Arc, LazyLock};

use super::STORE;
use crate::base::id::FileId;
use crate::plan::schema::Schema;

/// The schema that both sides judge documents by: that of the other tests, but for a field that is
/// narrower than its interface's, which async-graphql refuses although the specification allows it.
static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| schema(&STORE.replace("owner: Human", "owner: Animal")));

fn schema(text: &str) -> Arc<Schema> {
    let (schema, diagnostics) = Schema::read(&[(FileId(0), text.into())]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    Arc::new(schema)
}

#[test]
fn theirs_still_refuses_a_field_that_is_narrower_than_its_interface_s() {
    let refused = their_schema::builder(&schema(STORE)).finish().expect_err("refused");
    assert_eq!(refused.0, "Field \"Dog.owner\" is not sub-type of \"Animal.owner\"");
}
