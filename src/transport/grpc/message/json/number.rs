//! Numbers as JSON writes them.

/// How many bytes at the front of `text` are a JSON number; 0 when it begins with none.
/// Source: RFC 8259 section 6.
pub(super) fn length(text: &[u8]) -> usize {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(text.first() == Some(&b'-'));
    let whole = digits(sign);
    if whole == 0 || (whole > 1 && text[sign] == b'0') {
        return 0;
    }
    let mut at = sign + whole;
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return 0;
        }
        at += 1 + fraction;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return 0;
        }
        at += 1 + sign + exponent;
    }
    at
}

/// Whether all of `text` is a JSON number.
pub(in super::super) fn is_number(text: &str) -> bool {
    !text.is_empty() && length(text.as_bytes()) == text.len()
}

/// What a number is as an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Whole {
    /// Exactly this.
    Is(i128),
    /// More than any 64-bit integer, either way.
    TooLarge,
    /// It has a fraction.
    Fraction,
    /// It is no number.
    NoNumber,
}

/// The exact integer that `text` writes: `10`, `1.0`, `1e5`.
pub(in super::super) fn whole(text: &str) -> Whole {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Up to 18 digits and nothing else is the common case, and fits without a check.
    let plain = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if plain && (digits[0] != b'0' || digits.len() == 1) {
        let magnitude = digits.iter().fold(0i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        return Whole::Is(i128::from(if negative { -magnitude } else { magnitude }));
    }
    if !is_number(text) {
        return Whole::NoNumber;
    }
    shifted(negative, digits)
}

/// The integer of a number that passed [`length`], by moving its point as its exponent says.
fn shifted(negative: bool, text: &[u8]) -> Whole {
    let exponent_at = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = text.split_at(exponent_at.unwrap_or(text.len()));
    let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
    let digits: Vec<u8> = mantissa.iter().filter(|byte| byte.is_ascii_digit()).copied().collect();
    let Some(last) = digits.iter().rposition(|digit| *digit != b'0') else { return Whole::Is(0) };
    let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(0);
    // Where the point stands after the exponent has moved it, counted in digits.
    let point = (point as i64).saturating_add(exponent_value(exponent));
    if point <= last as i64 {
        return Whole::Fraction;
    }
    // 2^64 has 20 digits.
    if point - first as i64 > 20 {
        return Whole::TooLarge;
    }
    let significant = digits[first..=last].iter().fold(0i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    let magnitude = significant * 10i128.pow((point - 1 - last as i64) as u32);
    Whole::Is(if negative { -magnitude } else { magnitude })
}

/// The value of `e+5`; far outside any use it stops growing.
fn exponent_value(text: &[u8]) -> i64 {
    let magnitude = text
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .fold(0i64, |sum, digit| if sum > i64::from(u32::MAX) { sum } else { sum * 10 + i64::from(digit - b'0') });
    if text.contains(&b'-') { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::{Whole, length, whole};

    #[test]
    fn an_integer_may_be_written_with_point_and_exponent() {
        let same: &[(&str, i128)] = &[
            ("0", 0),
            ("-0", 0),
            ("-0.0e9", 0),
            ("7", 7),
            ("-42", -42),
            ("1.0", 1),
            ("1e5", 100_000),
            ("1E+2", 100),
            ("10e-1", 1),
            ("120.00e-1", 12),
            ("0.00012e5", 12),
            ("1.5e1", 15),
            ("9223372036854775808", 1 << 63),
            ("1e19", 10_000_000_000_000_000_000),
            ("0e999999999999999999999", 0),
        ];
        for (text, value) in same {
            assert_eq!(whole(text), Whole::Is(*value), "{text}");
        }
    }

    #[test]
    fn what_is_no_integer_says_why() {
        for text in ["1.5", "1e-1", "0.1", "15e-1", "1e-99999999999999999999"] {
            assert_eq!(whole(text), Whole::Fraction, "{text}");
        }
        for text in ["1e20", "-1e21", "999999999999999999999999", "1e99999999999999999999"] {
            assert_eq!(whole(text), Whole::TooLarge, "{text}");
        }
        for text in ["", "-", "01", "-01", "+1", " 1", "1 ", "1.", ".5", "1e", "1e+", "0x1", "NaN", "1_0", "١"] {
            assert_eq!(whole(text), Whole::NoNumber, "{text}");
        }
    }

    #[test]
    fn a_number_ends_where_its_grammar_does() {
        for (text, expected) in [("12,", 2), ("-1.5e3]", 6), ("01", 0), ("-", 0), ("1.e", 0), ("1e", 0), ("0}", 1)] {
            assert_eq!(length(text.as_bytes()), expected, "{text}");
        }
    }
}
