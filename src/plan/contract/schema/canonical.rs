//! Values as text that is equal for equal values: members sorted, `1.0` as `1`.
//! Source of equality: JSON Schema core 2020-12, section 4.2.2.

use crate::base::value::{DocBuilder, Held, JsonWriter, Kind, Number, Sink as _, Value, member_key};
use crate::spec::Literal;
use crate::spec::yaml::{self, Node};

/// The text by which equal values are equal.
pub(super) fn canonical(value: &Value<'_>) -> String {
    let mut out = JsonWriter::default();
    write(value, &mut out);
    String::from_utf8_lossy(&out.bytes).into_owned()
}

fn write(value: &Value<'_>, out: &mut JsonWriter) {
    if let Some(items) = value.elements() {
        out.begin_array();
        items.for_each(|item| write(&item, out));
        out.end_array();
    } else if let Some(entries) = value.entries() {
        let mut entries: Vec<(String, Value<'_>)> =
            entries.map(|(key, value)| (key.as_text().unwrap_or_default().to_owned(), value)).collect();
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        out.begin_object();
        for (key, value) in &entries {
            out.key(&member_key(key));
            write(value, out);
        }
        out.end_object();
    } else if let Some(number) = value.number() {
        match (digits(value), number.to_int()) {
            (Some(digits), _) => out.text(Kind::String, &format!("#{digits}")),
            (None, Some(whole)) => out.text(Kind::String, &format!("#{whole}")),
            (None, None) => out.text(Kind::String, &format!("#{}", number.to_double())),
        }
    } else if let Some(text) = value.as_text() {
        // Text begins with another sign than numbers, which stand as text for their digits.
        out.text(Kind::String, &format!("'{text}"));
    } else if out.value(value).is_err() {
        out.null();
    }
}

/// The digits of a whole number as it came: it may be longer than any number type.
fn digits<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    let Value::View(view) = value else { return None };
    let raw = view.raw();
    let plain = raw.strip_prefix('-').unwrap_or(raw);
    (plain.bytes().all(|byte| byte.is_ascii_digit()) && raw != "-0").then_some(raw)
}

/// A node as a JSON document.
pub(super) fn document(node: &Node) -> Held {
    let mut out = DocBuilder::default();
    build(node, &mut out);
    Held::whole(out.finish())
}

fn build(node: &Node, out: &mut DocBuilder) {
    match &node.kind {
        yaml::Kind::Sequence(items) => {
            out.begin_array();
            items.iter().for_each(|item| build(item, out));
            out.end_array();
        }
        yaml::Kind::Mapping(pairs) => {
            out.begin_object();
            for (key, value) in pairs {
                out.key(&member_key(&key.value));
                build(value, out);
            }
            out.end_object();
        }
        yaml::Kind::Scalar(scalar) => match &scalar.value {
            Literal::Text(text) => out.text(Kind::String, text),
            Literal::Bool(value) => out.bool(*value),
            Literal::Number(text) => out.scalar(Kind::Number, |bytes| bytes.extend_from_slice(text.as_bytes())),
            Literal::Null => out.null(),
        },
    }
}

/// Whether `number` is a multiple of `of`, both as JSON writes them: exact where both fit into 128 bits
/// of decimal digits.
pub(super) fn is_multiple(number: &str, of: &str) -> bool {
    let (Some((a, a_exponent)), Some((b, b_exponent))) = (decimal(number), decimal(of)) else {
        return Number::Double(quotient(number, of)).to_int().is_some();
    };
    let least = a_exponent.min(b_exponent);
    let scaled = |digits: i128, exponent: i32| {
        10i128.checked_pow(exponent.abs_diff(least)).and_then(|factor| digits.checked_mul(factor))
    };
    match (scaled(a, a_exponent), scaled(b, b_exponent)) {
        (Some(a), Some(b)) => b != 0 && a % b == 0,
        _ => Number::Double(quotient(number, of)).to_int().is_some(),
    }
}

fn quotient(number: &str, of: &str) -> f64 {
    number.parse::<f64>().unwrap_or(f64::NAN) / of.parse::<f64>().unwrap_or(f64::NAN)
}

/// Digits and the power of ten behind them; `None` if they do not fit.
fn decimal(number: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = match number.find(['e', 'E']) {
        Some(at) => (&number[..at], number[at + 1..].parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = i32::try_from(fraction.len()).ok()?;
    Some((digits, exponent.checked_sub(shift)?))
}
