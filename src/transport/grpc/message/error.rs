//! Why a message could not be read or written.

use std::fmt;

use crate::base::path::Path;

/// Why wire bytes are not the message that the contract says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// JSON names of the fields around the fault, such as `order.items`; empty at the top.
    pub path: String,
    /// What is wrong, in words that name no content.
    pub reason: &'static str,
    /// Whether the bytes are the message, and only JSON has no text for what it holds.
    pub unprintable: bool,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(self.reason),
            path => write!(f, "{path}: {}", self.reason),
        }
    }
}

impl std::error::Error for WireError {}

/// Why JSON text is not the message that the contract says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The byte of the JSON text at which it goes wrong.
    pub offset: usize,
    /// The value that is wrong, by the names with which the text calls members.
    pub path: Path,
    /// What is wrong and, for a misspelt name, what was probably meant.
    pub reason: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{} at byte {}", self.reason, self.offset)
    }
}

impl std::error::Error for JsonError {}

/// Everything that keeps JSON text from being the message that the contract says, in the order of the text; at least one
/// mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonErrors(pub Vec<JsonError>);

/// For logs: the first mistake, and how many there are.
impl fmt::Display for JsonErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [] => Ok(()),
            [only] => only.fmt(f),
            [first, more @ ..] => write!(f, "{first}, and {} more", more.len()),
        }
    }
}

impl std::error::Error for JsonErrors {}

/// Why reading the wire stops. Small, because it travels with every byte read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A record overrides or continues one that was already written: no error, but reading must
    /// start over with its records put in order.
    Disorder,
    Truncated,
    Varint,
    Tag,
    Group,
    Depth,
    Utf8,
    TooLarge,
    Timestamp,
    Duration,
    NotANumber,
    FieldMask,
}

impl Fault {
    /// Whether the bytes could be read, and JSON has no text for them.
    pub(super) fn is_of_json(self) -> bool {
        matches!(self, Self::Timestamp | Self::Duration | Self::NotANumber | Self::FieldMask)
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Disorder => "records out of order",
            Self::Truncated => "message ends too early",
            Self::Varint => "varint of more than ten bytes",
            Self::Tag => "invalid tag",
            Self::Group => "group without its beginning or end",
            Self::Depth => "nested too deeply",
            Self::Utf8 => "invalid UTF-8",
            Self::TooLarge => "document too large",
            Self::Timestamp => "Timestamp outside the years 1 to 9999",
            Self::Duration => "Duration out of range",
            Self::NotANumber => "Value holds a number that JSON cannot write",
            Self::FieldMask => "FieldMask path without a JSON form",
        }
    }
}
