//! Answers before and after: what is coded, what is said of it, and that it is the same when the coding is taken off.

use std::io::Read as _;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, VARY,
};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::BodyExt as _;

use super::{Accepted, Coder, ToHead};
use crate::front::listen::AnswerBody;

const JSON: (HeaderName, &str) = (CONTENT_TYPE, "application/json");

fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
}

async fn coded(
    body: impl Into<Bytes>,
    fields: &[(HeaderName, &'static str)],
    (accept, to_head): (&'static str, ToHead),
) -> (HeaderMap, Bytes) {
    let body: Bytes = body.into();
    let mut answer = Response::new(AnswerBody::from(body.clone()));
    *answer.headers_mut() = headers(fields);
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let accepted = Accepted::of(&headers(&[(ACCEPT_ENCODING, accept)]));
    let (head, body) = Coder::default().code(answer, accepted, to_head).into_parts();
    (head.headers, body.collect().await.expect("it is whole").to_bytes())
}

fn decoded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let read = match coding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut out),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out),
        _ => zstd::stream::read::Decoder::new(bytes).and_then(|mut decoder| decoder.read_to_end(&mut out)),
    };
    read.expect("it is in its coding");
    out
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

#[tokio::test]
async fn bodies_of_every_size_come_out_as_they_went_in() {
    for size in [1_024, 60_000, 65_536, 65_537, 900_000] {
        let body = b"{\"evening\":\"willow trug\"},".iter().copied().cycle().take(size).collect::<Vec<u8>>();
        for coding in ["gzip", "br", "zstd"] {
            let (headers, coded) = coded(body.clone(), &[JSON], (coding, ToHead::No)).await;
            assert_eq!(text(&headers, CONTENT_ENCODING).as_deref(), Some(coding));
            assert_eq!(text(&headers, VARY).as_deref(), Some("accept-encoding"));
            assert!(coded.len() < size / 2 && decoded(coding, &coded) == body, "{coding} of {size}");
            let length = text(&headers, CONTENT_LENGTH);
            assert_eq!(length, (size <= 65_536).then(|| coded.len().to_string()), "{coding} of {size}");
        }
    }
}

#[tokio::test]
async fn one_worker_codes_answer_after_answer() {
    let coder = Coder::default();
    for number in 0..50_u8 {
        for coding in ["gzip", "br", "zstd"] {
            let body = Bytes::from(vec![number; 2_000]);
            let mut answer = Response::new(AnswerBody::from(body.clone()));
            *answer.headers_mut() = headers(&[JSON]);
            let accepted = Accepted::of(&headers(&[(ACCEPT_ENCODING, coding)]));
            let answer = coder.code(answer, accepted, ToHead::No);
            let bytes = answer.into_body().collect().await.expect("it is whole").to_bytes();
            assert_eq!(decoded(coding, &bytes), body);
        }
    }
}

#[tokio::test]
async fn what_gains_nothing_or_must_not_change_stays_as_it_is() {
    let long = "x".repeat(2_000);
    let no_transform = (CACHE_CONTROL, "public, No-Transform");
    for (body, fields) in [
        ("x".repeat(1_023), vec![JSON]),
        (long.clone(), vec![(CONTENT_TYPE, "image/png")]),
        (long.clone(), vec![]),
        (long.clone(), vec![JSON, (CONTENT_ENCODING, "br")]),
        (long.clone(), vec![JSON, no_transform]),
        (String::new(), vec![JSON]),
    ] {
        let (headers, same) = coded(body.clone(), &fields, ("gzip", ToHead::No)).await;
        assert_eq!(same, body, "{fields:?}");
        assert_eq!(text(&headers, VARY), None, "{fields:?}");
        assert_eq!(text(&headers, CONTENT_LENGTH), Some(body.len().to_string()));
    }
    for media in ["application/problem+json", "Text/HTML; charset=utf-8", "image/svg+xml", "application/javascript"] {
        let media: &'static str = media;
        let (headers, _) = coded(long.clone(), &[(CONTENT_TYPE, media)], ("gzip", ToHead::No)).await;
        assert_eq!(text(&headers, CONTENT_ENCODING).as_deref(), Some("gzip"), "{media}");
    }
}

#[tokio::test]
async fn a_client_that_asks_for_nothing_is_told_that_it_could() {
    let long = "x".repeat(2_000);
    let (headers, same) = coded(long.clone(), &[JSON, (VARY, "origin")], ("", ToHead::No)).await;
    assert_eq!(same, long);
    let vary: Vec<_> = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok()).collect();
    assert_eq!(vary, ["origin", "accept-encoding"]);
    let (headers, _) = coded(long, &[JSON, (VARY, "Accept-Encoding, origin")], ("gzip", ToHead::No)).await;
    assert_eq!(headers.get_all(VARY).iter().count(), 1);
}

#[tokio::test]
async fn a_client_that_takes_nothing_plain_gets_even_a_short_body_coded() {
    let (headers, short) = coded("short", &[(CONTENT_TYPE, "image/png")], ("gzip, identity;q=0", ToHead::No)).await;
    assert_eq!(text(&headers, CONTENT_ENCODING).as_deref(), Some("gzip"));
    assert_eq!(decoded("gzip", &short), b"short");
}

#[tokio::test]
async fn an_answer_to_head_says_what_one_to_get_does() {
    let long = "x".repeat(2_000);
    let (get, _) = coded(long.clone(), &[JSON, (ETAG, "\"a\"")], ("br", ToHead::No)).await;
    let (mut head, empty) = coded(long, &[JSON, (ETAG, "\"a\"")], ("br", ToHead::Yes)).await;
    assert!(empty.is_empty() && !head.contains_key(CONTENT_LENGTH));
    // The length is known only when the body is there.
    head.insert(CONTENT_LENGTH, get[CONTENT_LENGTH].clone());
    assert_eq!(head, get);
    assert_eq!(text(&get, ETAG).as_deref(), Some("W/\"a\""));
}
