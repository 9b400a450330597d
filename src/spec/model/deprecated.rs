//! `deprecated`: that an endpoint will go away, since when, until when, and what comes after it.

use crate::base::value::Timestamp;
use crate::spec::keys::{Entries, FromScalar, Reader, Shape, keys};
use crate::spec::yaml::Scalar;

use super::Located;

keys! {
    /// That an endpoint will go away. Every answer of it says so in header fields.
    pub struct Deprecated: "a deprecation", as in "{ since: 2026-01-31, sunset: 2026-12-31, successor: \"/v2/products/{id}\" }" {
        /// Since when; a date, or a date and time.
        since: Option<Located<Timestamp>>,
        /// When it will stop to answer; nothing happens then by itself.
        sunset: Option<Located<Timestamp>>,
        /// What to call instead: a path, in which the endpoint's own parameters may stand, or an URL.
        successor: Option<Located<String>>,
    }
    then Deprecated::check
}

impl Deprecated {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        if !entries.has_any(&["since", "sunset", "successor"]) {
            let diagnostic = reader
                .error("empty", entries.place(), "this deprecation says nothing")
                .help("write at least one of `since`, `sunset` and `successor`");
            reader.report(diagnostic);
        }
        let (Some(since), Some(sunset)) = (&self.since, &self.sunset) else { return };
        if sunset.value < since.value {
            let diagnostic = reader
                .error("empty-range", &sunset.place, "it would stop to answer before it is deprecated")
                .related(since.place.clone(), "`since` stands here");
            reader.report(diagnostic);
        }
    }
}

/// A date (midnight in UTC), or a date and time as RFC 3339 writes it.
impl FromScalar for Timestamp {
    fn shape() -> Shape {
        Shape::Text
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::from_scalar(scalar, reader)?;
        let parsed = Self::parse(&text).or_else(|| Self::parse(&format!("{text}T00:00:00Z")));
        if parsed.is_none() {
            let diagnostic = reader
                .error("bad-date", &scalar.place, format!("`{text}` is no date"))
                .help("write it as in `2026-12-31` or `2026-12-31T18:00:00Z`");
            reader.report(diagnostic);
        }
        parsed
    }
}
