//! `selvedge schema`: the JSON Schema of composition files, for editors.

use clap::Args;

use super::{End, say};
use crate::spec::{json_schema, partial_json_schema};

#[derive(Args, Debug)]
pub(super) struct Schema {
    /// For the files of profiles, which may leave out what is said already
    #[arg(long)]
    partial: bool,
}

impl Schema {
    pub(super) fn run(&self) -> End {
        say(&if self.partial { partial_json_schema() } else { json_schema() });
        End::Fine
    }
}
