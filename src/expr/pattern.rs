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

    /// Compiles a pattern that has to match texts from beginning to end.
    ///
    /// # Errors
    /// What is wrong with it, one sentence without a full stop.
    pub fn compile_whole(pattern: &str) -> Result<Self, String> {
        // Alone first: what is wrong must not be the fault of what is put around it.
        Self::compile(pattern)?;
        Self::compile(&format!(r"\A(?:{pattern})\z"))
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

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_whole_pattern_matches_from_beginning_to_end() {
        let pattern = Pattern::compile_whole("a|ab").expect("a pattern");
        for (text, fits) in [("a", true), ("ab", true), ("abc", false), ("xa", false), ("a\n", false), ("", false)] {
            assert_eq!(pattern.is_in(text), fits, "{text:?}");
        }
        let lines = Pattern::compile_whole("(?m)^a$").expect("a pattern");
        assert!(!lines.is_in("a\na"));
    }

    #[test]
    fn a_pattern_that_is_none_or_too_large_is_refused() {
        for wrong in ["a)(b", "[", "(?P<a>", "\\"] {
            let refused = Pattern::compile_whole(wrong).expect_err(wrong);
            assert!(refused.contains("no regular expression"), "{wrong}: {refused}");
        }
        let refused = Pattern::compile_whole("(a{1000}){1000}").expect_err("too large");
        assert!(refused.contains("1 MiB"), "{refused}");
    }
}
