//! Characters that JSON writes as two escapes, `\ud83d\ude00` (RFC 8259, section 7).
//!
//! The YAML parser takes one escape for one character and gives up at the first of the two. Then such
//! pairs are rewritten as the one escape that YAML has for the character, and positions in the rewritten
//! text are brought back to those of the file.

/// Rewrites of one file: each finds the pairs of the scalar that the parser gave up at, and those of the
/// JSON behind it. Files whose pairs stand far apart in YAML of their own run out of them.
const REWRITE_LIMIT: usize = 64;
/// The bytes of a pair, and of the escape that stands for it.
const PAIR: usize = 12;
const ESCAPE: usize = 10;

/// Text to parse in the place of a file's.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// The text.
    pub(super) text: String,
    /// Where in the file each pair begins that was rewritten, in order.
    pairs: Vec<usize>,
    rewrites: usize,
}

impl Rewritten {
    /// A file as it is.
    pub(super) fn none(text: &str) -> Self {
        Self { text: text.to_owned(), pairs: Vec::new(), rewrites: 0 }
    }

    /// The file's byte for a byte of the text.
    pub(super) fn origin(&self, at: usize) -> usize {
        let shift = PAIR - ESCAPE;
        let before = self.pairs.iter().enumerate();
        let before = before.take_while(|(index, pair)| **pair + ESCAPE <= at + index * shift);
        at + before.count() * shift
    }

    /// The file with the pairs rewritten of the scalar at which the parser gave up, whose quote is the byte
    /// `at` of this text, and of what follows. `None` when there is none.
    pub(super) fn again(&self, file: &str, at: usize) -> Option<Self> {
        let quote = self.origin(at.min(self.text.len()));
        if self.rewrites >= REWRITE_LIMIT || !file.get(quote..)?.starts_with('"') {
            return None;
        }
        let mut pairs = pairs_of_json(file, quote + 1);
        pairs.retain(|pair| !self.pairs.contains(pair));
        if pairs.is_empty() {
            return None;
        }
        pairs.extend(&self.pairs);
        pairs.sort_unstable();
        let mut text = String::with_capacity(file.len());
        let mut read = 0;
        for start in &pairs {
            let Some(character) = pair(file, *start) else { continue };
            text.push_str(&file[read..*start]);
            text.push_str(&format!("\\U{:08x}", u32::from(character)));
            read = start + PAIR;
        }
        text.push_str(&file[read..]);
        Some(Self { text, pairs, rewrites: self.rewrites + 1 })
    }
}

/// The character of two escapes that begin at a byte.
pub(super) fn pair(text: &str, at: usize) -> Option<char> {
    let written = text.get(at..at + PAIR)?;
    let unit = |escape: &str| u16::from_str_radix(escape.strip_prefix("\\u")?, 16).ok();
    let units = [unit(written.get(..6)?)?, unit(written.get(6..)?)?];
    let mut characters = char::decode_utf16(units);
    characters.next()?.ok().filter(|character| *character > '\u{ffff}')
}

/// The pairs from the byte `first` on, which stands in double quotes: to the end of the quotes, and on
/// through what follows as long as that is plainly JSON.
fn pairs_of_json(text: &str, first: usize) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut quoted = true;
    // Whether a quote here would begin text: behind a bracket, a comma or a colon.
    let mut begins = false;
    let mut at = first;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => {
                if pair(text, at).is_some() {
                    found.push(at);
                    at += PAIR;
                } else {
                    at += 2;
                }
                continue;
            }
            b'"' if quoted => quoted = false,
            b'"' if begins => (quoted, begins) = (true, false),
            _ if quoted => {}
            b'{' | b'[' | b',' | b':' => begins = true,
            b'}' | b']' => begins = false,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            // Numbers, `true`, `false` and `null`.
            byte if byte.is_ascii_alphanumeric() || b"+-.".contains(&byte) => begins = false,
            _ => break,
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Rewritten, pair, pairs_of_json};

    #[test]
    fn two_escapes_are_one_character() {
        assert_eq!(pair(r"\ud83d\ude00", 0), Some('😀'));
        assert_eq!(pair(r"\uD83D\uDE00", 0), Some('😀'));
        for none in [r"\ud83d", r"\ud83d\u0041", r"\u00e9\u00e9", r"\ude00\ud83d", r"\ud83d\\ude0"] {
            assert_eq!(pair(none, 0), None, "{none}");
        }
    }

    #[test]
    fn pairs_are_found_in_the_quotes_of_json_only() {
        let json = r#"\ud83d\ude00","b":["\ud83d\ude01",1.5,null],"\\ud83d\ude02":"\ud83d\ude03"}"#;
        assert_eq!(pairs_of_json(json, 0), [0, 20, 61]);
        assert_eq!(pairs_of_json("\\ud83d\\ude00\"\nb: '\"\\ud83d\\ude00\"'", 0), [0]);
        assert_eq!(pairs_of_json("\\ud83d\\ude00\"\nb: he said \"\\ud83d\\ude00\"", 0), [0]);
    }

    #[test]
    fn positions_come_back_to_the_file() {
        let file = r#"{"a":"x\ud83d\ude00y\ud83d\ude00z"}"#;
        let text = Rewritten::none(file).again(file, 5).expect("there are pairs");
        assert_eq!(text.text, "{\"a\":\"x\\U0001f600y\\U0001f600z\"}");
        for (character, at) in [('x', 6), ('y', 19), ('z', 32)] {
            let here = text.text.find(&format!("{character}")).expect("there");
            assert_eq!(text.origin(here), at, "{character}");
        }
        assert!(text.again(file, 5).is_none());
    }
}
