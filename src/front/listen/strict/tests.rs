//! Tables of heads and bodies, and properties of all of them.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::limits::Limits;
use super::super::refusal::Refusal;
use super::{PREFACE, Protocol, Strict};

fn limits() -> Arc<Limits> {
    Arc::new(Limits { target: 64, header_block: 256, header_fields: 8, chunk_extensions: 32, ..Limits::default() })
}

/// Feeds `pieces` as a connection would: what did not pass is presented again with what comes next. Returns
/// what passed, and the refusal that ended it if one did.
fn feed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Option<Refusal>) {
    let mut strict = Strict::new(limits());
    let (mut waiting, mut passed) = (Vec::new(), Vec::new());
    for piece in pieces {
        waiting.extend_from_slice(piece);
        while !waiting.is_empty() {
            match strict.accept(&waiting) {
                Ok(0) => break,
                Ok(length) => passed.extend(waiting.drain(..length)),
                Err(refusal) => return (passed, Some(refusal)),
            }
        }
    }
    (passed, None)
}

fn refusal(request: &str) -> Option<u16> {
    feed([request.as_bytes()]).1.map(|refusal| refusal.cause.status())
}

#[test]
fn valid_requests_pass_unchanged() {
    let requests = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /{a}|b?c={d} HTTP/1.0\r\n\r\n",
        "GET http://a.test:80/x HTTP/1.1\r\nhost: A.TEST\r\n\r\n",
        "GET http://a.test HTTP/1.1\r\nhost: a.test:80\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "PROPFIND /x HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Tab:\ta\tb \r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\n\0",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n1 ;c\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n",
    ];
    for request in requests {
        let (passed, refusal) = feed([request.as_bytes()]);
        assert_eq!(refusal, None, "{request:?}");
        assert_eq!(passed, request.as_bytes(), "{request:?}");
        let twice = request.repeat(2);
        assert_eq!(feed([twice.as_bytes()]), (twice.clone().into_bytes(), None), "{twice:?}");
    }
}

#[test]
fn ambiguous_and_malformed_heads_are_refused() {
    let heads = [
        "\x16\x03\x01\x02\x00\x01",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET /\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        "GET / x HTTP/1.1\r\nHost: a\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET / http/1.1\r\nHost: a\r\n\r\n",
        "G[T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
        "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /# HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\u{e4} HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX\t: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ];
    for head in heads {
        assert_eq!(refusal(head), Some(400), "{head:?}");
    }
}

#[test]
fn ambiguous_and_malformed_chunks_are_refused() {
    let bodies = [
        "3\nabc\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabcd\r\n",
        "3\r\nab\r\n\r\n",
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "0x3\r\n",
        " 3\r\n",
        "3 \r\n",
        "3\t3\r\n",
        "3 a\r\n",
        "3;a\rb\r\n",
        "3;a\0\r\n",
        "3;a\n",
        "10000000000000000\r\n",
        "00000000000000003\r\n",
        "3;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
        "1;aaaaaaaaaaaaaaaaaaaa\r\nx\r\n1;aaaaaaaaaaaaaaaaaaaa\r\n",
        "0\r\nX: a\n\r\n",
        "0\r\nContent-Length: 1\r\n\r\n",
        "0\r\nHost: b\r\n\r\n",
        "0\r\nX : a\r\n\r\n",
        "0\r\n a\r\n\r\n",
        "0\r\n\n",
    ];
    for body in bodies {
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        assert_eq!(refusal(&request), Some(400), "{body:?}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_its_end_comes() {
    let long_target = format!("GET /{}", "x".repeat(200));
    assert_eq!(refusal(&long_target), Some(414));
    let line_over = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(64));
    assert_eq!(refusal(&line_over), Some(414));
    let line_at_limit = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(63));
    assert_eq!(refusal(&line_at_limit), None);
    let long_value = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(300));
    assert_eq!(refusal(&long_value), Some(431));
    let fields = |count| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count));
    assert_eq!(refusal(&fields(7)), None);
    assert_eq!(refusal(&fields(8)), Some(431));
    let trailers = |count| {
        let lines = "X: y\r\n".repeat(count);
        format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{lines}\r\n")
    };
    assert_eq!(refusal(&trailers(8)), None);
    assert_eq!(refusal(&trailers(9)), Some(431));
}

#[test]
fn a_refused_head_passes_nothing_and_its_predecessor_passes_whole() {
    let first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let both = format!("{first}GET / HTTP/1.1\r\nX: y\r\n\r\n");
    let (passed, refusal) = feed([both.as_bytes()]);
    assert_eq!(passed, first.as_bytes());
    assert!(refusal.is_some());
}

#[test]
fn the_layer_steps_aside_at_the_preface_of_http2() {
    let mut bytes = PREFACE.to_vec();
    bytes.extend_from_slice(b"\0\0\0\x04\0\0\0\0\0 anything \n at all");
    for cut in 0..bytes.len() {
        let pieces = [&bytes[..cut], &bytes[cut..]];
        assert_eq!(feed(pieces), (bytes.clone(), None), "{cut}");
    }
    let mut strict = Strict::new(limits());
    assert_eq!(strict.recognise(b"PRI * HTTP/2.0\r\n"), None);
    assert_eq!(strict.recognise(PREFACE), Some(Protocol::Http2));
    assert_eq!(Strict::new(limits()).recognise(b"PO"), Some(Protocol::Http1));
    assert_eq!(refusal("PRI * HTTP/1.1\r\nHost: a\r\n\r\n"), Some(400));
}

/// A request by the grammar: method, target, header lines and body all vary.
fn valid_request() -> impl Strategy<Value = Vec<u8>> {
    let method = prop_oneof![Just("GET".to_owned()), Just("POST".to_owned()), "[A-Z!#$%&'*+.^_`|~-]{1,12}"];
    let method = method.prop_filter("tunnels are not opened", |method| method != "CONNECT");
    let target = "/[a-zA-Z0-9._~!$&'()*+,;=:@%/-]{0,24}(\\?[a-zA-Z0-9._~!$&'()*+,;=:@%/?{}|-]{0,24})?";
    let field = ("X-[A-Za-z0-9!#$%&'*+.^_`|~-]{0,8}", "[ \t]{0,2}([!-~][ -~]{0,8}[!-~])?[ \t]{0,2}");
    let chunk = (proptest::collection::vec(any::<u8>(), 1..20), "( ?;[a-z]=[a-z0-9]{0,4})?");
    let body = prop_oneof![
        Just(Body::None),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Body::Sized),
        proptest::collection::vec(chunk, 0..3).prop_map(Body::Chunked),
    ];
    (method, target, proptest::collection::vec(field, 0..4), body).prop_map(|(method, target, fields, body)| {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: example.test:8080\r\n").into_bytes();
        for (name, value) in fields {
            request.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        }
        body.append_to(&mut request);
        request
    })
}

#[derive(Clone, Debug)]
enum Body {
    None,
    Sized(Vec<u8>),
    Chunked(Vec<(Vec<u8>, String)>),
}

impl Body {
    fn append_to(&self, request: &mut Vec<u8>) {
        match self {
            Self::None => request.extend_from_slice(b"\r\n"),
            Self::Sized(bytes) => {
                request.extend_from_slice(format!("Content-Length: {}\r\n\r\n", bytes.len()).as_bytes());
                request.extend_from_slice(bytes);
            }
            Self::Chunked(chunks) => {
                request.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for (bytes, extension) in chunks {
                    request.extend_from_slice(format!("{:x}{extension}\r\n", bytes.len()).as_bytes());
                    request.extend_from_slice(bytes);
                    request.extend_from_slice(b"\r\n");
                }
                request.extend_from_slice(b"0\r\n\r\n");
            }
        }
    }
}

/// Bytes that are near to requests: valid ones with a few bytes replaced, removed or added.
fn near_requests() -> impl Strategy<Value = Vec<u8>> {
    let hostile = prop::sample::select(b"\r\n \t:;\0\x7f#0a,".to_vec());
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), hostile, 0..3_u8), 0..4);
    (proptest::collection::vec(valid_request(), 1..3), edits).prop_map(|(requests, edits)| {
        let mut bytes = requests.concat();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn valid_requests_are_never_refused(requests in proptest::collection::vec(valid_request(), 1..4)) {
        let bytes = requests.concat();
        let (passed, refusal) = feed([bytes.as_slice()]);
        prop_assert_eq!(refusal, None);
        prop_assert_eq!(passed, bytes);
    }

    #[test]
    fn the_verdict_does_not_depend_on_the_cuts(
        bytes in near_requests(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = feed([bytes.as_slice()]);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let pieces = cuts.iter().scan(0, |start, end| {
            let piece = &bytes[*start..*end];
            *start = *end;
            Some(piece)
        });
        let cut = feed(pieces);
        prop_assert_eq!(&cut.1, &whole.1);
        let single = feed(bytes.chunks(1));
        prop_assert_eq!(&single.1, &whole.1);
        if whole.1.is_none() {
            prop_assert_eq!(single.0, cut.0);
        }
    }

    #[test]
    fn an_accepted_target_is_a_uri_for_the_parser(target in "(/|http://a.test|https://[a-z:0-9]{1,4})[!-~]{0,20}") {
        let request = format!("GET {target} HTTP/1.0\r\n\r\n");
        if refusal(&request).is_none() {
            prop_assert!(http::Uri::try_from(target.as_str()).is_ok());
        }
    }
}
