//! The text format of messages, as it stands between the braces of an option.
//! Source: protobuf.dev/reference/protobuf/textformat-spec.

/// A field of a message in text: its name and its value.
pub(super) type Entry = (String, Value);

/// A value in text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A quoted string; parts that stand side by side are one.
    Text(Vec<u8>),
    /// A number or a word, as written.
    Word(String),
    /// A message, or each of a list of them in turn.
    Message(Vec<Entry>),
    List(Vec<Value>),
}

/// How deeply messages may nest.
const DEPTH: usize = 32;

/// The fields of a message without its braces; `None` when it is no text format.
pub(super) fn read(text: &str) -> Option<Vec<Entry>> {
    let mut reader = Reader { rest: text };
    let entries = reader.entries(None, DEPTH)?;
    reader.skip_space();
    reader.rest.is_empty().then_some(entries)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn entries(&mut self, end: Option<char>, depth: usize) -> Option<Vec<Entry>> {
        let mut entries = Vec::new();
        loop {
            self.skip_space();
            if self.rest.is_empty() || end.is_some_and(|end| self.rest.starts_with(end)) {
                return Some(entries);
            }
            let name = self.name()?;
            let colon = self.take(':');
            let value = self.value(depth)?;
            if !colon && matches!(value, Value::Text(_) | Value::Word(_)) {
                return None;
            }
            entries.push((name, value));
            let _ = self.take(',') || self.take(';');
        }
    }

    /// A field's name; in brackets that of an extension.
    fn name(&mut self) -> Option<String> {
        if self.take('[') {
            let (inside, rest) = self.rest.split_once(']')?;
            self.rest = rest;
            return Some(format!("[{}]", inside.trim()));
        }
        self.word()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        self.skip_space();
        match self.rest.chars().next()? {
            '{' | '<' => {
                let end = if self.take('{') { '}' } else { '>' };
                if end == '>' {
                    self.take('<');
                }
                let entries = self.entries(Some(end), depth)?;
                self.take(end).then_some(Value::Message(entries))
            }
            '[' => {
                self.take('[');
                let mut items = Vec::new();
                while !self.take(']') {
                    items.push(self.value(depth)?);
                    let _ = self.take(',');
                }
                Some(Value::List(items))
            }
            '"' | '\'' => self.text().map(Value::Text),
            _ => self.word().map(Value::Word),
        }
    }

    fn word(&mut self) -> Option<String> {
        self.skip_space();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            self.skip_space();
            let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { return Some(out) };
            self.rest = &self.rest[1..];
            loop {
                let next = self.rest.chars().next()?;
                self.rest = &self.rest[next.len_utf8()..];
                match next {
                    next if next == quote => break,
                    '\\' => out.push(self.escaped()?),
                    next => out.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
        }
    }

    fn escaped(&mut self) -> Option<u8> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        let number = |reader: &mut Self, digits: usize, base: u32| {
            let is_digit = |c: &char| c.is_digit(base);
            let count = reader.rest.chars().take(digits).take_while(is_digit).count();
            let (number, rest) = reader.rest.split_at(count);
            reader.rest = rest;
            number.to_owned()
        };
        Some(match next {
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'v' => 11,
            'x' | 'X' => u8::from_str_radix(&number(self, 2, 16), 16).ok()?,
            '0'..='7' => u8::from_str_radix(&format!("{next}{}", number(self, 2, 8)), 8).ok()?,
            '\\' | '\'' | '"' | '?' => next as u8,
            _ => return None,
        })
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Skips space and comments.
    fn skip_space(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let Some(comment) = self.rest.strip_prefix('#') else { return };
            self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, read};

    fn text(text: &str) -> Value {
        Value::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn a_message_is_read_with_all_its_ways_of_writing() {
        let entries =
            read("get: \"/v1/\" 'a\\x2fb' # a comment\n n: -5; additional_bindings { put: \"/p\" }, l: [A, <b: 1>]");
        let entries = entries.expect("it is well formed");
        assert_eq!(entries[0], ("get".to_owned(), text("/v1/a/b")));
        assert_eq!(entries[1], ("n".to_owned(), Value::Word("-5".to_owned())));
        let inner = Value::Message(vec![("put".to_owned(), text("/p"))]);
        assert_eq!(entries[2], ("additional_bindings".to_owned(), inner));
        let one = Value::Message(vec![("b".to_owned(), Value::Word("1".to_owned()))]);
        assert_eq!(entries[3], ("l".to_owned(), Value::List(vec![Value::Word("A".to_owned()), one])));
    }

    #[test]
    fn what_is_no_text_format_is_refused() {
        for wrong in ["a", "a: ", "a \"b\"", "a: \"b", "a {", "a: \"\\q\"", "}", &"a {".repeat(1_000)] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
