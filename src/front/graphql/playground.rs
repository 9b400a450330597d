//! A page to try the graph from a browser: editor, variables, answer and the types of the schema.
//!
//! The page is ours and whole: it loads nothing from anywhere and talks only to the path that it
//! was served from.

use http::header::{ACCEPT, HeaderMap};

/// The page.
pub const PAGE: &str = include_str!("playground/index.html");

/// What the page may do: run its own script and style, and ask its own origin.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether a GET without a document comes from a person with a browser: HTML is accepted by name.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|range| range.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("text/html")))
}
