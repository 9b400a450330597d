//! GraphQL over HTTP: requests, formats and statuses.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};

use super::super::errors::{body, status};
use super::super::request::{Format, GraphqlRequest};
use super::{open, refused};
use crate::base::failure::Cause;
use crate::plan::operation::RequestError;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

fn post(body: &[u8]) -> Result<GraphqlRequest, RequestError> {
    let headers = headers(&[("content-type", "application/json")]);
    GraphqlRequest::read(&Method::POST, None, &headers, &Bytes::copy_from_slice(body))
}

fn get(query: &str) -> Result<GraphqlRequest, RequestError> {
    GraphqlRequest::read(&Method::GET, Some(query), &HeaderMap::new(), &Bytes::new())
}

#[test]
fn a_posted_request_is_read_whole() {
    let body = br#"{"query": "query A {\n  any }", "variables": {"v": [1]}, "operationName": "A", "extensions": {"x": 1}, "more": 1}"#;
    let request = post(body).expect("well-formed");
    assert_eq!((&*request.document, request.operation_name.as_deref()), ("query A {\n  any }", Some("A")));
    assert_eq!(
        (request.variables.to_json(), request.extensions.to_json()),
        (r#"{"v": [1]}"#.to_owned(), r#"{"x": 1}"#.to_owned())
    );
    let nulls = post(br#"{"query": "{ any }", "variables": null, "operationName": null, "extensions": null}"#)
        .expect("well-formed");
    assert!(nulls.variables.is_null() && nulls.extensions.is_null() && nulls.operation_name.is_none());
}

#[test]
fn a_request_of_the_wrong_shape_is_a_clear_400_in_every_format() {
    for (body, expected) in [
        (&b""[..], "The body is not JSON: document ends too early at byte 0."),
        (b"{\xff\xfe}", "The body is not JSON: invalid UTF-8 at byte 1."),
        (b"{\"query\": \"{ any }\"", "The body is not JSON: document ends too early at byte 19."),
        (b"[{\"query\": \"{ any }\"}]", "A list of requests is not taken; send them one by one."),
        (b"\"{ any }\"", "The body must be an object with the member `query`."),
        (b"{}", "The request has no `query`."),
        (b"{\"query\": {}}", "`query` must be text."),
        (b"{\"query\": null}", "`query` must be text."),
        (b"{\"query\": \"\", \"variables\": []}", "`variables` must be an object or null."),
        (b"{\"query\": \"\", \"variables\": \"{}\"}", "`variables` must be an object or null."),
        (b"{\"query\": \"\", \"operationName\": 5}", "`operationName` must be text or null."),
        (b"{\"query\": \"\", \"extensions\": 5}", "`extensions` must be an object or null."),
    ] {
        let error = post(body).expect_err("malformed");
        assert_eq!(error.problems[0].message, expected);
        assert_eq!((status(&error, Format::Json), status(&error, Format::GraphqlResponse)), (400, 400));
    }
}

#[test]
fn only_json_in_utf8_may_be_posted() {
    let read = |media: Option<&'static str>| {
        let headers = media.map(|media| headers(&[("content-type", media)])).unwrap_or_default();
        GraphqlRequest::read(&Method::POST, None, &headers, &Bytes::from_static(br#"{"query":"{ any }"}"#)).map(|_| ())
    };
    for media in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""] {
        assert_eq!(read(Some(media)), Ok(()));
    }
    for media in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/json; charset=utf-16"),
        Some("application/jsonp"),
    ] {
        let error = read(media).expect_err("unsupported");
        assert_eq!((error.cause, status(&error, Format::Json)), (Cause::UnsupportedMediaType, 415), "{media:?}");
    }
}

#[test]
fn a_get_carries_its_request_in_the_query_string() {
    let request = get("query=query+A%7Bany%7D&variables=%7B%22v%22%3A1%7D&operationName=A&utm=x").expect("well-formed");
    assert_eq!((&*request.document, request.operation_name.as_deref()), ("query A{any}", Some("A")));
    assert_eq!(request.variables.to_json(), "{\"v\":1}");
    for wrong in [
        "",
        "query",
        "query=a&query=b",
        "query=%ff",
        "query=a&variables=%7B",
        "query=a&variables=[]",
        "query=a&extensions=1",
    ] {
        let read = get(wrong);
        if wrong == "query" {
            assert_eq!(&*read.expect("an empty document").document, "");
            continue;
        }
        assert_eq!(read.expect_err(wrong).cause, Cause::BadRequest, "{wrong}");
    }
    let put = GraphqlRequest::read(&Method::PUT, None, &HeaderMap::new(), &Bytes::new()).expect_err("no such method");
    assert_eq!(status(&put, Format::Json), 405);
}

#[test]
fn a_get_never_runs_a_mutation_also_when_it_is_cached() {
    let graph = open();
    let document = "mutation { cancel(id: 1) }";
    assert!(graph.prepare(&super::post(document, "{}")).is_ok());
    for _ in 0..2 {
        let request = get("query=mutation+%7B+cancel(id%3A+1)+%7D").expect("well-formed");
        assert_eq!(&*request.document, document);
        let error = graph.prepare(&request).expect_err("refused");
        assert_eq!((error.cause, status(&error, Format::Json)), (Cause::MethodNotAllowed, 405));
    }
}

#[test]
fn the_accept_header_decides_the_format_and_so_the_status() {
    for (accept, expected) in [
        ("", Format::Json),
        ("*/*", Format::Json),
        ("application/json", Format::Json),
        ("application/graphql-response+json", Format::GraphqlResponse),
        ("application/graphql-response+json; charset=utf-8, application/json; q=0.9", Format::GraphqlResponse),
        ("application/json;q=0.5, application/graphql-response+json;q=0.8", Format::GraphqlResponse),
        ("application/json, application/graphql-response+json;q=0.9", Format::Json),
        ("application/graphql-response+json;q=0", Format::Json),
        ("text/html", Format::Json),
    ] {
        assert_eq!(Format::negotiate(&headers(&[("accept", accept)])), expected, "{accept}");
    }
    for (document, variables) in
        [("{", "{}"), ("{ nothing }", "{}"), ("query($n: Int!) { products(first: $n) { id } }", "{}")]
    {
        let error = open().prepare(&super::post(document, variables)).expect_err("refused");
        assert_eq!((status(&error, Format::Json), status(&error, Format::GraphqlResponse)), (200, 400), "{document}");
    }
    assert_eq!(Format::GraphqlResponse.content_type(), "application/graphql-response+json; charset=utf-8");
}

#[test]
fn an_error_answer_has_message_location_and_code_and_no_data() {
    let error = open().prepare(&super::post("{\n  nothing\n}", "{}")).expect_err("refused");
    assert_eq!(
        &body(&error)[..],
        br#"{"errors":[{"message":"`Query` has no field `nothing`.","locations":[{"line":2,"column":3}],"extensions":{"code":"graphql_validation_failed"}}]}"#
    );
    let error = post(b"").expect_err("refused");
    assert_eq!(
        &body(&error)[..],
        br#"{"errors":[{"message":"The body is not JSON: document ends too early at byte 0.","extensions":{"code":"bad_request"}}]}"#
    );
}

#[test]
fn what_does_not_parse_says_what_was_expected_and_where() {
    let (cause, problems) = refused("{ any ", "{}");
    assert_eq!(cause, Cause::GraphqlParse);
    assert!(problems[0].starts_with("1:7 The document does not parse: expected "), "{problems:?}");
    for document in ["", "  # nothing", "{ }", "{ any } }", "query { any", "{ any(value: }", "type A { x: Int }"] {
        assert_eq!(refused(document, "{}").0, Cause::GraphqlParse, "{document}");
    }
}
