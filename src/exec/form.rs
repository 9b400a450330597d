//! `a=1&b=x%20y+z`: how queries and forms are written (application/x-www-form-urlencoded, URL Standard,
//! section 5.1; `+` is a space).

use percent_encoding::percent_decode_str;

/// One name and value, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The value; empty where there is no `=`.
    pub value: String,
    /// Whether both were UTF-8. What was not is replaced with U+FFFD.
    pub is_text: bool,
}

/// The fields in the order in which they came.
pub fn fields(raw: &str) -> Vec<Field> {
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        match percent_decode_str(&spaced).decode_utf8() {
            Ok(text) => (text.into_owned(), true),
            Err(_) => (percent_decode_str(&spaced).decode_utf8_lossy().into_owned(), false),
        }
    };
    let field = |field: &str| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let ((name, name_is_text), (value, value_is_text)) = (decode(name), decode(value));
        Field { name, value, is_text: name_is_text && value_is_text }
    };
    raw.split('&').filter(|field| !field.is_empty()).map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn fields_are_decoded_in_order() {
        let decoded = fields("a=1&b=x%20y+z&&a=%C3%A9&flag&%FF=1");
        let expected =
            [("a", "1", true), ("b", "x y z", true), ("a", "é", true), ("flag", "", true), ("\u{fffd}", "1", false)];
        assert!(decoded.iter().map(|field| (&*field.name, &*field.value, field.is_text)).eq(expected));
    }
}
