//! What the body of a reply is held as: JSON is parsed, text is one text, anything else stays bytes.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::base::failure::{Cause, Failure};
use crate::base::media::{Media, parameter};
use crate::base::value::{Doc, DocBuilder, Held, Kind, Sink as _};
use crate::plan::contract::Operation;

/// The body of a reply as its step holds it; null where there is none. What says of itself nothing is JSON.
///
/// # Errors
/// `bad_reply` for a success that is not what its media type says. What an error reply says may be anything: there,
/// what cannot be read is null.
pub(super) fn held(
    bytes: Bytes,
    (status, media_type): (StatusCode, Option<&HeaderValue>),
    operation: Option<&Operation>,
) -> Result<Held, Failure> {
    if bytes.is_empty() {
        return Ok(Held::Null);
    }
    let media_type = media_type.map(|value| value.to_str().unwrap_or("?"));
    let read = match media_type.map(|media_type| (Media::of(media_type), media_type)) {
        None | Some((Media::Json, _)) => json(bytes).map(|mut doc| {
            if let Some(operation) = operation {
                operation.mark_integers(status.as_u16(), &mut doc);
            }
            Held::whole(doc)
        }),
        Some((Media::Text, media_type)) => text(&bytes, parameter(media_type, "charset")).map(Held::whole),
        Some((Media::Bytes, _)) => return Ok(Held::Bytes(bytes)),
    };
    match read {
        Err(_) if !status.is_success() => Ok(Held::Null),
        read => read.map_err(|why| Failure::new(Cause::BadReply, why)),
    }
}

fn json(bytes: Bytes) -> Result<Doc, String> {
    Doc::parse(bytes).map(Doc::of_reply).map_err(|error| format!("the reply is not JSON: {error}"))
}

/// A document that is one text.
fn text(bytes: &[u8], charset: Option<&str>) -> Result<Doc, String> {
    let text: Cow<'_, str> = match charset.map(str::to_ascii_lowercase).as_deref() {
        // Text without a word about it is UTF-8, which US-ASCII is a part of.
        None | Some("utf-8" | "utf8" | "us-ascii") => {
            let text = std::str::from_utf8(bytes).map_err(|error| format!("the reply is not UTF-8: {error}"))?;
            text.strip_prefix('\u{feff}').unwrap_or(text).into()
        }
        Some("iso-8859-1" | "latin1") => bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
        Some(other) => return Err(format!("the reply is in a charset that is not read: {other}")),
    };
    let mut out = DocBuilder::with_capacity(text.len() + 2);
    out.text(Kind::String, &text);
    Ok(out.finish().of_reply())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, StatusCode};

    use super::held;

    fn read(media_type: &'static str, status: u16, bytes: &'static [u8]) -> Option<String> {
        let media_type = HeaderValue::from_static(media_type);
        let status = StatusCode::from_u16(status).expect("a status");
        held(Bytes::from_static(bytes), (status, Some(&media_type)), None).ok().map(|held| held.to_json())
    }

    #[test]
    fn text_is_one_text_in_the_charsets_that_are_read() {
        let cases: [(&str, &[u8], Option<&str>); 7] = [
            ("text/plain", "a \"b\"\né".as_bytes(), Some(r#""a \"b\"\né""#)),
            ("text/plain; charset=UTF-8", "é".as_bytes(), Some("\"é\"")),
            ("text/csv; charset=iso-8859-1", b"\xe9", Some("\"é\"")),
            ("application/xml", b"\xef\xbb\xbf<a/>", Some("\"<a/>\"")),
            ("text/plain", b"\xe9", None),
            ("text/plain; charset=utf-16", b"a\0", None),
            ("text/plain", b"", Some("null")),
        ];
        for (media_type, bytes, expected) in cases {
            assert_eq!(read(media_type, 200, bytes).as_deref(), expected, "{media_type} {bytes:?}");
        }
    }

    #[test]
    fn an_error_reply_may_say_anything() {
        assert_eq!(read("text/plain; charset=utf-16", 500, b"a\0").as_deref(), Some("null"));
        assert_eq!(read("application/json", 500, b"oops").as_deref(), Some("null"));
        assert_eq!(read("text/html", 500, b"<h1>oops</h1>").as_deref(), Some("\"<h1>oops</h1>\""));
    }

    #[test]
    fn anything_else_stays_bytes() {
        assert_eq!(read("image/png", 200, b"\x89PNG").as_deref(), Some("\"iVBORw==\""));
    }
}
