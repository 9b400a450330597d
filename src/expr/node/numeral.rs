//! Numbers that are written out and keep their text where they only pass through.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::value::{Doc, JsonWriter, Kind, Sink as _, Value, View};

/// See [`super::Node::Numeral`].
#[derive(Clone, Debug)]
pub struct Numeral {
    /// The number.
    pub value: Value<'static>,
    /// Its text.
    doc: Arc<Doc>,
}

impl Numeral {
    /// A number with the text that it was written with; `None` where its value is written with the same text, or
    /// the text is no number of JSON.
    pub fn of(value: Value<'static>, text: &str) -> Option<Self> {
        let mut canonical = JsonWriter::default();
        let is_same = canonical.value(&value).is_ok() && canonical.bytes == text.as_bytes();
        let doc = Arc::new(Doc::parse(Bytes::copy_from_slice(text.as_bytes())).ok()?);
        let is_number = doc.root().kind() == Kind::Number && doc.root().raw() == text;
        (is_number && !is_same).then_some(Self { value, doc })
    }

    /// The number as it is written.
    pub fn view(&self) -> View<'_> {
        self.doc.root()
    }
}

#[cfg(test)]
mod tests {
    use super::Numeral;
    use crate::base::value::Value;

    #[test]
    fn only_a_text_that_would_be_lost_is_kept() {
        let kept = |text: &str| Numeral::of(Value::Double(text.parse().expect("a number")), text);
        for text in ["1.50", "100000000000000000000000", "1e3", "-0.0", "0.10"] {
            assert_eq!(kept(text).as_ref().map(|kept| kept.view().raw()), Some(text));
        }
        for text in ["1.5", "0.1", "1e+30", ".5", "+1.50", "01.50"] {
            assert!(kept(text).is_none(), "{text}");
        }
    }
}
