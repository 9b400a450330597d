//! Features: what editions let a file say and older syntaxes imply.
//! Source: protobuf.dev/editions/features, google/protobuf/descriptor.proto (`FeatureSet`).

use super::raw;

const PROTO2: i32 = 998;
const PROTO3: i32 = 999;
const EDITION_2023: i32 = 1000;
const EDITION_2024: i32 = 1001;
const EDITION_2026: i32 = 1002;

/// The features in force somewhere in a file. Validation of UTF-8 is none of them: a string that is not UTF-8 cannot
/// become JSON, whatever its file allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Features {
    pub(super) presence: Presence,
    /// Whether an enumeration holds no other numbers than those of its values.
    pub(super) closed_enums: bool,
    /// Whether lists of numbers are written as one record.
    pub(super) packed: bool,
    /// Whether messages stand between tags instead of behind their length.
    pub(super) delimited: bool,
    /// Whether the JSON names of a message must differ.
    pub(super) json_names_differ: bool,
}

/// Whether a field that was set to its default differs from one that was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Explicit,
    Implicit,
    Required,
}

impl Features {
    /// Those of proto2.
    pub(super) const PROTO2: Self = Self {
        presence: Presence::Explicit,
        closed_enums: true,
        packed: false,
        delimited: false,
        json_names_differ: false,
    };

    /// Those of edition 2023, which 2024 has too, as far as they count here.
    const EDITION_2023: Self = Self {
        presence: Presence::Explicit,
        closed_enums: false,
        packed: true,
        delimited: false,
        json_names_differ: true,
    };

    /// What a file's syntax says, and then the file itself. `Err` names a syntax that is not known.
    pub(super) fn of_file(file: &raw::File) -> Result<Self, String> {
        let edition = match (&*file.syntax, file.edition) {
            ("editions", edition) | ("", edition @ EDITION_2023..) => edition,
            ("proto3", _) => PROTO3,
            ("" | "proto2", _) => PROTO2,
            (other, _) => return Err(format!("the syntax `{other}` is not known")),
        };
        let features = match edition {
            PROTO2 => Self::PROTO2,
            PROTO3 => Self { presence: Presence::Implicit, ..Self::EDITION_2023 },
            EDITION_2023 | EDITION_2024 => Self::EDITION_2023,
            other => return Err(format!("the edition {} is not known: 2023 and 2024 are", edition_name(other))),
        };
        Ok(features.with(file.options.as_ref().and_then(|options| options.features)))
    }

    /// These, where nothing else is said.
    pub(super) fn with(self, said: Option<raw::Features>) -> Self {
        let Some(said) = said else { return self };
        let choose = |said: i32, (one, other): (i32, i32), inherited: bool| match said {
            said if said == one => true,
            said if said == other => false,
            _ => inherited,
        };
        Self {
            presence: match said.field_presence {
                1 => Presence::Explicit,
                2 => Presence::Implicit,
                3 => Presence::Required,
                _ => self.presence,
            },
            closed_enums: choose(said.enum_type, (2, 1), self.closed_enums),
            packed: choose(said.repeated_field_encoding, (1, 2), self.packed),
            delimited: choose(said.message_encoding, (2, 1), self.delimited),
            json_names_differ: choose(said.json_format, (1, 2), self.json_names_differ),
        }
    }
}

/// An edition that is not read, as people call it.
fn edition_name(number: i32) -> String {
    match number {
        EDITION_2026 => "2026".to_owned(),
        other => format!("with the number {other}"),
    }
}
