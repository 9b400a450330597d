//! Regular expressions, compiled at load.

use regex::{Regex, RegexBuilder};

/// Bytes that one compiled pattern may take.
const SIZE_LIMIT: usize = 1024 * 1024;

/// A compiled regular expression in the syntax of the crate `regex`, which is close to RE2's.
/// Searching takes time linear in the text.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, one sentence without a full stop.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        let compiled = RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).build();
        compiled.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "this pattern takes more than 1 MiB when compiled".to_owned(),
            // Of the drawing that the crate makes only the last line says what is wrong.
            other => {
                let text = other.to_string();
                let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
                format!("this is no regular expression: {reason}")
            }
        })
    }

    /// Whether the pattern is found anywhere in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
