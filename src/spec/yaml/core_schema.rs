//! What an unquoted scalar is: the core schema of YAML 1.2.2, section 10.3.2.

use super::Literal;

/// The value of a plain scalar. Numbers are rewritten as JSON writes them where YAML's form differs
/// (`0x1F`, `+5`, `.5`, `007`); infinities and not-a-number stay text, because no reply can hold them.
pub(in crate::spec) fn literal(text: &str) -> Literal {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Literal::Null,
        "true" | "True" | "TRUE" => Literal::Bool(true),
        "false" | "False" | "FALSE" => Literal::Bool(false),
        _ => number(text).map_or_else(|| Literal::Text(text.to_owned()), Literal::Number),
    }
}

/// The JSON form of a number of the core schema.
fn number(text: &str) -> Option<String> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
            return u64::from_str_radix(digits, radix).ok().filter(|_| plain).map(|value| value.to_string());
        }
    }
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) || (whole.is_empty() && fraction.is_none_or(str::is_empty)) {
        return None;
    }
    let exponent = exponent.map(|exponent| (exponent, exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    if exponent.is_some_and(|(_, plain)| plain.is_empty() || !digits(plain)) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let mut number = format!("{sign}{}", if whole.is_empty() { "0" } else { whole });
    if let Some(fraction) = fraction {
        number.push('.');
        number.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some((exponent, _)) = exponent {
        number.push('e');
        number.push_str(exponent);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::{Literal, literal};

    #[test]
    fn only_what_the_core_schema_lists_is_not_text() {
        for text in [
            "on",
            "off",
            "yes",
            "no",
            "y",
            "n",
            "1_000",
            "1:30",
            "0b1",
            "2024-01-01",
            "-",
            "+",
            ".",
            "e5",
            "1e",
            "-.inf",
            ".nan",
            "0x",
            "0x+1",
            "0o8",
            "1.2.3",
            "nil",
            "tRue",
        ] {
            assert_eq!(literal(text), Literal::Text(text.to_owned()), "{text}");
        }
        for (text, number) in [
            ("0", "0"),
            ("-1", "-1"),
            ("+5", "5"),
            ("007", "7"),
            (".5", "0.5"),
            ("1.", "1.0"),
            ("1e3", "1e3"),
            ("-1.50E+3", "-1.50e+3"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("-0", "-0"),
            ("00.10", "0.10"),
        ] {
            assert_eq!(literal(text), Literal::Number(number.to_owned()), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(number).is_ok(), "{number}");
        }
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(literal(text), Literal::Null, "{text}");
        }
        assert_eq!((literal("true"), literal("FALSE")), (Literal::Bool(true), Literal::Bool(false)));
    }
}
