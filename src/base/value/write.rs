//! Writing JSON in one pass.

use super::{Kind, Mark, Value, View};

/// A number that JSON has no text for: NaN or an infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

/// Something that JSON is written to, value after value; commas are put in by the sink.
///
/// Inside an object call [`Sink::key`] before each value. After [`Sink::rewind`] the sink is as it
/// was at the mark: how a failed part becomes null without a second buffer.
#[allow(missing_docs)]
pub trait Sink {
    fn begin_object(&mut self);
    fn end_object(&mut self);
    fn begin_array(&mut self);
    fn end_array(&mut self);
    /// Writes a key that [`member_key`] prepared: quoted, escaped, with its colon.
    fn key(&mut self, key: &[u8]);
    fn null(&mut self);
    fn bool(&mut self, value: bool);
    fn int(&mut self, value: i64);
    fn uint(&mut self, value: u64);
    /// Fails, having written nothing, for NaN and infinities.
    fn double(&mut self, value: f64) -> Result<(), NotANumber>;
    /// Writes text in quotes; `kind` is `Kind::String` or one of the quoted kinds.
    fn text(&mut self, kind: Kind, text: &str);
    /// Copies a part of a document as it came.
    fn view(&mut self, view: View<'_>);
    fn mark(&self) -> Mark;
    fn rewind(&mut self, mark: Mark);

    /// Writes any value; an empty optional is null here, callers that can drop its entry do so.
    fn value(&mut self, value: &Value<'_>) -> Result<(), NotANumber> {
        match value {
            Value::Null | Value::Optional(None) => self.null(),
            Value::Bool(value) => self.bool(*value),
            Value::Int(value) => self.int(*value),
            Value::Uint(value) => self.uint(*value),
            Value::Double(value) => return self.double(*value),
            Value::Text(text) => self.text(Kind::String, text),
            Value::Bytes(bytes) | Value::Held(super::Held::Bytes(bytes)) => {
                self.text(Kind::Base64, &base64_encode(bytes))
            }
            Value::Timestamp(time) => match time.to_text() {
                Some(text) => self.text(Kind::Timestamp, &text),
                None => self.null(),
            },
            Value::Duration(span) => match span.to_text() {
                Some(text) => self.text(Kind::Duration, &text),
                None => self.null(),
            },
            Value::Type(name) => self.text(Kind::String, name),
            Value::View(view) => self.view(*view),
            Value::Held(super::Held::Doc(doc, node)) => self.view(doc.view(*node)),
            Value::Held(super::Held::Null) => self.null(),
            Value::Optional(Some(value)) => return self.value(value),
            Value::List(_) | Value::Held(super::Held::List(_)) => return self.list(value),
            Value::Map(_) | Value::Held(super::Held::Map(_)) => return self.map(value),
        }
        Ok(())
    }

    /// Writes the elements of a list value.
    fn list(&mut self, value: &Value<'_>) -> Result<(), NotANumber> {
        self.begin_array();
        for item in value.elements().into_iter().flatten() {
            self.value(&item)?;
        }
        self.end_array();
        Ok(())
    }

    /// Writes the entries of a map value; entries that hold an empty optional are left out.
    fn map(&mut self, value: &Value<'_>) -> Result<(), NotANumber> {
        self.begin_object();
        for (key, item) in value.entries().into_iter().flatten() {
            if !matches!(item, Value::Optional(None)) {
                let key = super::key_text(&key).unwrap_or_default();
                self.key(&member_key(&key));
                self.value(&item)?;
            }
        }
        self.end_object();
        Ok(())
    }
}

/// Writes JSON text and keeps no nodes: for answers and bodies.
#[derive(Debug, Default)]
pub struct JsonWriter {
    /// The text written so far.
    pub bytes: Vec<u8>,
}

impl Sink for JsonWriter {
    fn begin_object(&mut self) {
        comma(&mut self.bytes);
        self.bytes.push(b'{');
    }

    fn end_object(&mut self) {
        self.bytes.push(b'}');
    }

    fn begin_array(&mut self) {
        comma(&mut self.bytes);
        self.bytes.push(b'[');
    }

    fn end_array(&mut self) {
        self.bytes.push(b']');
    }

    fn key(&mut self, key: &[u8]) {
        comma(&mut self.bytes);
        self.bytes.extend_from_slice(key);
    }

    fn null(&mut self) {
        comma(&mut self.bytes);
        self.bytes.extend_from_slice(b"null");
    }

    fn bool(&mut self, value: bool) {
        comma(&mut self.bytes);
        self.bytes.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn int(&mut self, value: i64) {
        comma(&mut self.bytes);
        int_into(&mut self.bytes, value);
    }

    fn uint(&mut self, value: u64) {
        comma(&mut self.bytes);
        uint_into(&mut self.bytes, value);
    }

    fn double(&mut self, value: f64) -> Result<(), NotANumber> {
        if !value.is_finite() {
            return Err(NotANumber);
        }
        comma(&mut self.bytes);
        double_into(&mut self.bytes, value);
        Ok(())
    }

    fn text(&mut self, _kind: Kind, text: &str) {
        comma(&mut self.bytes);
        string_into(&mut self.bytes, text);
    }

    fn view(&mut self, view: View<'_>) {
        comma(&mut self.bytes);
        self.bytes.extend_from_slice(view.raw_bytes());
    }

    fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), nodes: 0, open: 0 }
    }

    fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
    }
}

/// `"name":` with the name escaped, prepared once at load for [`Sink::key`].
pub fn member_key(name: &str) -> Box<[u8]> {
    let mut out = Vec::with_capacity(name.len() + 3);
    string_into(&mut out, name);
    out.push(b':');
    out.into()
}

/// Appends text in quotes, escaped as RFC 8259 demands and no further. Says whether it escaped.
pub(super) fn string_into(out: &mut Vec<u8>, text: &str) -> bool {
    out.push(b'"');
    let escaped = escape_into(out, text);
    out.push(b'"');
    escaped
}

/// Appends text escaped for the inside of a JSON string. Says whether it escaped anything.
pub fn escape_into(out: &mut Vec<u8>, text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while let Some(run) = super::parse::plain_run(&bytes[at..]) {
        at += run;
        out.extend_from_slice(&bytes[copied..at]);
        let short = match bytes[at] {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            8 => b'b',
            12 => b'f',
            control => {
                let hex = |nibble: u8| b"0123456789abcdef"[nibble as usize];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(control >> 4), hex(control & 15)]);
                0
            }
        };
        if short != 0 {
            out.extend_from_slice(&[b'\\', short]);
        }
        at += 1;
        copied = at;
    }
    out.extend_from_slice(&bytes[copied..]);
    copied != 0
}

/// Appends a comma unless the next value is the first of its list or object, or follows a key.
pub(super) fn comma(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'{' | b'[' | b':')) {
        out.push(b',');
    }
}

/// Appends a signed integer in digits.
pub fn int_into(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    uint_into(out, value.unsigned_abs());
}

/// Appends an unsigned integer in digits.
pub fn uint_into(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    // Two digits at a time halve the divisions, which are what takes time.
    while value >= 10 {
        let pair = (value % 100) as u8;
        value /= 100;
        at -= 2;
        digits[at] = b'0' + pair / 10;
        digits[at + 1] = b'0' + pair % 10;
    }
    if value > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends the shortest text that reads back as the same finite double, in ECMAScript's form
/// (ECMA-262, Number::toString): `1`, `0.1`, `1e+21`.
pub fn double_into(out: &mut Vec<u8>, value: f64) {
    use std::io::Write as _;
    if short_decimal_into(out, value) {
        return;
    }
    let magnitude = value.abs();
    let written = if value == 0.0 {
        out.write_all(if value.is_sign_negative() { b"-0" } else { b"0" })
    } else if (1e-6..1e21).contains(&magnitude) {
        write!(out, "{value}")
    } else {
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => write!(out, "{digits}e+{exponent}"),
            _ => write!(out, "{text}"),
        }
    };
    debug_assert!(written.is_ok(), "writing to a Vec cannot fail");
}

/// Appends a double that is a decimal of at most 15 digits, four of them after the point, as
/// amounts and ratings are; says whether it was one. A decimal of 15 digits has a double of its
/// own, and dividing two exact doubles rounds correctly, so the fewest places that give the value
/// back are the shortest text.
fn short_decimal_into(out: &mut Vec<u8>, value: f64) -> bool {
    const LARGEST: f64 = 1e15;
    let magnitude = value.abs();
    for (places, scale) in [1.0, 10.0, 100.0, 1_000.0, 10_000.0].into_iter().enumerate() {
        let scaled = (magnitude * scale).round();
        if scaled >= LARGEST {
            return false;
        }
        if scaled != 0.0 && scaled / scale == magnitude {
            if value < 0.0 {
                out.push(b'-');
            }
            let (whole, scale) = (scaled as u64, scale as u64);
            uint_into(out, whole / scale);
            if places > 0 {
                // The one in front keeps the leading zeros of the fraction; the point replaces it.
                let point = out.len();
                uint_into(out, scale + whole % scale);
                out[point] = b'.';
            }
            return true;
        }
    }
    false
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding (RFC 4648 section 4).
pub(super) fn base64_encode(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    base64_into(&mut out, bytes);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends standard base64 with padding (RFC 4648 section 4).
pub fn base64_into(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |word: u32, shift: u32| BASE64[(word >> shift & 63) as usize];
    let (whole, rest) = bytes.as_chunks::<3>();
    for [a, b, c] in whole {
        let word = u32::from_be_bytes([0, *a, *b, *c]);
        out.extend_from_slice(&[digit(word, 18), digit(word, 12), digit(word, 6), digit(word, 0)]);
    }
    match rest {
        [a] => {
            let word = u32::from_be_bytes([0, *a, 0, 0]);
            out.extend_from_slice(&[digit(word, 18), digit(word, 12), b'=', b'=']);
        }
        [a, b] => {
            let word = u32::from_be_bytes([0, *a, *b, 0]);
            out.extend_from_slice(&[digit(word, 18), digit(word, 12), digit(word, 6), b'=']);
        }
        _ => {}
    }
}

/// Base64 of either alphabet, padded or not. `None` when it is not base64.
pub(super) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    base64_decode_into(&mut out, text.as_bytes()).then_some(out)
}

/// Appends what base64 of either alphabet, padded or not, stands for. Says whether it was base64;
/// if not, what was appended is of no use.
pub fn base64_decode_into(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let text = match text {
        [unpadded @ .., b'=', b'='] | [unpadded @ .., b'='] if text.len().is_multiple_of(4) => unpadded,
        unpadded => unpadded,
    };
    let (mut word, mut bits) = (0u32, 0);
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        word = word << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    bits < 6
}
