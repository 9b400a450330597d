//! Names of the language, and the key paths that diagnostics print.

/// The names that expressions always know, and the words of CEL (its language definition, "Syntax").
pub(super) const RESERVED: [&str; 36] = [
    "args",
    "steps",
    "request",
    "identity",
    "parent",
    "keys",
    "reply",
    "meta",
    "item",
    "index",
    "event",
    "last",
    "replies",
    "env",
    "file",
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Whether text is a name of the language: a letter or `_`, then letters, digits, `_` (ASCII).
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a name means something in every expression, so that nothing else can take it.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// The way from the top of a project to a value, such as `endpoints."GET /".steps.a.after[0]`.
#[derive(Debug, Default)]
pub(super) struct KeyPath {
    text: String,
}

/// Where a path was before it was extended.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathMark(usize);

impl KeyPath {
    /// The path as diagnostics print it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Goes on to the value under a key: names as they are, all else in quotes.
    pub(super) fn enter(&mut self, key: &str) -> PathMark {
        let mark = PathMark(self.text.len());
        if !self.text.is_empty() {
            self.text.push('.');
        }
        let bare = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'));
        if bare && !key.is_empty() {
            self.text.push_str(key);
        } else {
            self.text.push_str(&format!("{key:?}"));
        }
        mark
    }

    /// Goes on to an item of a list, counted from 0.
    pub(super) fn enter_item(&mut self, index: usize) -> PathMark {
        let mark = PathMark(self.text.len());
        self.text.push_str(&format!("[{index}]"));
        mark
    }

    /// Goes back.
    pub(super) fn leave(&mut self, mark: PathMark) {
        self.text.truncate(mark.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyPath, is_name};

    #[test]
    fn keys_that_are_no_names_are_quoted_in_paths() {
        let mut path = KeyPath::default();
        path.enter("endpoints");
        path.enter("GET /a/{id}");
        let mark = path.enter("accept-language");
        path.enter_item(2);
        assert_eq!(path.as_str(), "endpoints.\"GET /a/{id}\".accept-language[2]");
        path.leave(mark);
        assert_eq!(path.as_str(), "endpoints.\"GET /a/{id}\"");
    }

    #[test]
    fn names_are_ascii_and_do_not_begin_with_a_digit() {
        assert!(is_name("_a9") && is_name("A"));
        assert!(["", "9a", "a-b", "é", "a b", "a.b"].iter().all(|text| !is_name(text)));
    }
}
