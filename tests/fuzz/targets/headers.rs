//! What stands in header fields, queries and quantities: times, weights, media types, cookies, forms.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use percent_encoding::utf8_percent_encode;
use selvedge::base::call::{COMPONENT, Reply};
use selvedge::base::media::{Media, essence, parameter};
use selvedge::base::unit::{parse_duration, parse_size};
use selvedge::base::value::Held;
use selvedge::exec::ClientRequest;
use selvedge::exec::form::{self, Field};
use selvedge::front::coding::{Accepted, Coder, ToHead};
use selvedge::front::graphql::request::Format;
use selvedge::front::listen::AnswerBody;
use tokio::time::Instant;

use super::Target;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "headers",
    promise: "what is read of a field is what it says, never more, and reads back as it is written",
    run,
    words: &[
        "x-request-timeout-ms: ",
        "grpc-timeout: ",
        "retry-after: ",
        "grpc-retry-pushback-ms: ",
        "accept-encoding: ",
        "accept: ",
        "content-type: ",
        "cookie: ",
        "quantity: ",
        "query: ",
        "\n",
        "99999999",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "+5",
        "1.5",
        ".",
        "0.001",
        "H",
        "M",
        "S",
        "m",
        "u",
        "n",
        "ms",
        "s",
        "h",
        "d",
        "KiB",
        "GB",
        "gzip",
        "br",
        "zstd",
        "identity",
        "*",
        ";q=0",
        ";q=0.5",
        ";Q=1.000",
        ", ",
        "x-gzip",
        "application/json",
        "text/",
        "+json",
        "+xml",
        "; charset=utf-8",
        "\"",
        "=",
        "; ",
        "&",
        "%20",
        "%",
        "%FF",
        "+",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "application/graphql-response+json",
    ],
    pace: 30,
};

/// Lines of a name, a colon and a value. `quantity` and `query` are no fields of HTTP, but are read alike.
pub fn run(input: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        match name {
            b"quantity" => String::from_utf8(value.to_vec()).iter().for_each(|text| quantity(text)),
            b"query" => String::from_utf8(value.to_vec()).iter().for_each(|text| query(text)),
            _ => {
                if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
                    headers.append(name, value);
                }
            }
        }
    }
    media(&headers);
    patience(&headers);
    pause(&headers);
    codings(&headers);
    cookies(&headers);
    let _ = Format::negotiate(&headers).content_type();
}

/// Digits, perhaps with a point, and a unit.
fn quantity(text: &str) {
    if let Ok(duration) = parse_duration(text) {
        assert!(Instant::now().checked_add(duration).is_some(), "{text} from now is no time");
        let millis = duration.as_millis();
        let again = parse_duration(&format!("{millis}ms")).map(|duration| duration.as_millis());
        assert!(again.is_ok_and(|again| again.abs_diff(millis) <= 1), "{text}");
        let digits: f64 =
            text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().expect("a number and a unit");
        assert!(duration.as_secs_f64() <= digits * 86_400.0 * (1.0 + 1e-12) + 1e-9, "{text} is {duration:?}");
    }
    if let Ok(size) = parse_size(text) {
        let again = parse_size(&format!("{size}B"));
        assert!(again.is_ok_and(|again| again.abs_diff(size) <= size >> 50), "{text}");
    }
}

fn query(text: &str) {
    let fields = form::fields(text);
    assert!(fields.len() <= text.matches('&').count() + 1);
    assert!(fields.iter().map(|field| field.name.len() + field.value.len()).sum::<usize>() <= 3 * text.len());
    let encoded = |text: &str| utf8_percent_encode(text, COMPONENT).to_string();
    let written: Vec<String> =
        fields.iter().map(|field| format!("{}={}", encoded(&field.name), encoded(&field.value))).collect();
    let known = fields.into_iter().map(|field| Field { is_text: true, ..field });
    assert!(form::fields(&written.join("&")).into_iter().eq(known), "{text}");
}

fn media(headers: &HeaderMap) {
    for text in headers.get_all(CONTENT_TYPE).iter().filter_map(|value| value.to_str().ok()) {
        let essence = essence(text);
        assert!(!essence.contains(';') && essence.len() <= text.len());
        assert_eq!(Media::of(text), Media::of(&essence), "{text}");
        if let Some(charset) = parameter(text, "charset") {
            assert!(text.contains(charset) && !charset.contains(';'), "{text}");
        }
    }
}

/// The longest time that an endpoint of the target takes.
const WITHIN: Duration = Duration::from_secs(3_600);

fn patience(headers: &HeaderMap) {
    let mut request = client(headers);
    let deadline = request.deadline(WITHIN);
    assert!(deadline <= Instant::now() + WITHIN, "a client is waited for longer than the endpoint says");
    let said = headers.get("x-request-timeout-ms").map(|value| (value, 1_000_000));
    let grpc = headers.get("grpc-timeout").and_then(|value| {
        let nanos = match value.as_bytes().last()? {
            b'H' => 3_600_000_000_000,
            b'M' => 60_000_000_000,
            b'S' => 1_000_000_000,
            b'm' => 1_000_000,
            b'u' => 1_000,
            b'n' => 1,
            _ => return None,
        };
        Some((value, nanos))
    });
    let digits = |value: &HeaderValue| {
        let digits: String = value.to_str().ok()?.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<u128>().ok()
    };
    let longest = said.or(grpc).and_then(|(value, nanos)| digits(value)?.checked_mul(nanos));
    if let Some(patience) = request.patience {
        assert!(longest.is_some_and(|longest| patience.as_nanos() == longest), "{patience:?} is not what it says");
    }
}

fn client(headers: &HeaderMap) -> ClientRequest {
    let mut request = Request::new(());
    *request.headers_mut() = headers.clone();
    let (head, ()) = request.into_parts();
    ClientRequest::new(head, HeaderValue::from_static("1"), IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn pause(headers: &HeaderMap) {
    for status in [200, 429, 503] {
        let fields = Arc::new(headers.clone().into());
        let reply = Reply { status, headers: fields, body: Held::Null, is_cut: false, code: None };
        let asks = headers.contains_key("retry-after") && status != 200;
        assert!(reply.pause().is_none() || asks || headers.contains_key("grpc-retry-pushback-ms"));
    }
}

/// A coding that an answer gets is one that its client names, or allows with `*`, and does not refuse.
fn codings(headers: &HeaderMap) {
    let mut answer = Response::new(AnswerBody::from(Bytes::from_static(&[b'a'; 2_000])));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    let coded = Coder::default().code(answer, Accepted::of(headers), ToHead::No);
    let Some(coding) = coded.headers().get(CONTENT_ENCODING) else { return };
    let length = coded.body().whole().map(HeaderValue::from);
    assert_eq!(coded.headers().get(CONTENT_LENGTH), length.as_ref(), "the length is that of the coded body");
    let written: String =
        headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    let written = written.to_ascii_lowercase();
    let coding = coding.to_str().expect("the names of codings are text");
    assert!(written.contains(coding) || written.contains('*'), "{coding} is not in {written}");
}

fn cookies(headers: &HeaderMap) {
    let request = client(headers);
    for text in headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()) {
        for pair in text.split(';') {
            let Some((name, _)) = pair.trim().split_once('=') else { continue };
            let value = request.cookie(name).expect("a cookie that is sent is there");
            assert!(!value.contains(';') && !value.starts_with('"') && !value.ends_with('"'), "{text}");
        }
    }
}
