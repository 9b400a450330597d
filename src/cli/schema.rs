//! `selvedge schema`: the JSON Schema of composition files, for editors.

use super::{End, say};
use crate::spec::json_schema;

pub(super) fn run() -> End {
    say(&json_schema());
    End::Fine
}
