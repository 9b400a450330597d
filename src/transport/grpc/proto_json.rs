//! Request bodies that are proto messages: ProtoJSON read by the same tables as messages of calls.

use super::message::{self, JsonError, JsonErrors, MessageId, Tables};
use crate::base::path::Path;
use crate::base::value::Doc;
use crate::descriptor::MessageDescriptor;

/// A message that clients send as ProtoJSON.
#[derive(Debug)]
pub struct ProtoJson {
    tables: Tables,
    message: MessageId,
}

impl ProtoJson {
    /// The tables of a message; `None` only if they lack it.
    pub fn of(message: &MessageDescriptor) -> Option<Self> {
        let tables = Tables::build([message.clone()]);
        let message = tables.message(message.full_name())?;
        Some(Self { tables, message })
    }

    /// The message as expressions see it: what was not sent is there with its default.
    ///
    /// # Errors
    /// Everything that keeps the text from being this message's ProtoJSON.
    pub fn read(&self, json: &[u8]) -> Result<Doc, JsonErrors> {
        let mut wire = Vec::with_capacity(json.len());
        message::encode(&self.tables, self.message, json, &mut wire)?;
        message::decode(&self.tables, self.message, &wire).map_err(|error| {
            JsonErrors(vec![JsonError { offset: 0, path: Path::default(), reason: error.to_string() }])
        })
    }
}
