//! Sorts of media types: what a body is held as.

/// What a body is held as, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// JSON, also by its suffix: it is parsed.
    Json,
    /// Text, XML among it: it is one text.
    Text,
    /// Anything else: bytes that are passed on as they came.
    Bytes,
}

impl Media {
    /// The sort of a media type; its parameters do not count. Source of suffixes: RFC 6839, RFC 7303.
    pub fn of(media_type: &str) -> Self {
        let essence = essence(media_type);
        match essence.split_once('/') {
            Some((_, subtype)) if subtype == "json" || subtype.ends_with("+json") => Self::Json,
            Some(("text", _) | ("application", "xml")) => Self::Text,
            Some((_, subtype)) if subtype.ends_with("+xml") => Self::Text,
            _ => Self::Bytes,
        }
    }
}

/// A media type without its parameters, in lower case.
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The value of a parameter such as `charset`, without its quotes.
pub fn parameter<'m>(media_type: &'m str, name: &str) -> Option<&'m str> {
    let mut parameters = media_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(known, _)| known.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::{Media, parameter};

    #[test]
    fn a_media_type_says_what_a_body_is_held_as() {
        for (media, sort) in [
            ("application/json", Media::Json),
            ("Application/JSON; charset=utf-8", Media::Json),
            ("application/problem+json", Media::Json),
            ("text/json", Media::Json),
            ("text/plain;charset=utf-8", Media::Text),
            ("text/html", Media::Text),
            ("application/xml", Media::Text),
            ("application/soap+xml; charset=utf-8", Media::Text),
            ("image/svg+xml", Media::Text),
            ("image/png", Media::Bytes),
            ("application/pdf", Media::Bytes),
            ("application/jsonlines", Media::Bytes),
            ("json", Media::Bytes),
            ("", Media::Bytes),
        ] {
            assert_eq!(Media::of(media), sort, "{media}");
        }
    }

    #[test]
    fn parameters_are_found_by_name() {
        assert_eq!(parameter("text/plain; format=flowed; Charset=\"UTF-8\"", "charset"), Some("UTF-8"));
        assert_eq!(parameter("text/plain", "charset"), None);
    }
}
