//! The page and its assets as a browser is given them.

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap};
use http::{HeaderValue, Method, Response};
use http_body_util::BodyExt as _;

use super::{ASSETS, POLICY, Playground, Stored, VERSION, is_wanted};
use crate::front::listen::AnswerBody;

const README: &str = include_str!("README.md");

fn headers(name: http::HeaderName, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
}

fn field(response: &Response<AnswerBody>, name: &str) -> String {
    response.headers().get(name).map_or_else(String::new, |value| value.to_str().expect("text").to_owned())
}

async fn text(response: Response<AnswerBody>) -> String {
    let body = response.into_body().collect().await.expect("whole").to_bytes();
    String::from_utf8(body.to_vec()).expect("UTF-8")
}

/// The addresses that a page loads.
fn loaded(page: &str) -> Vec<&str> {
    page.split(['"', '\'']).filter(|part| part.ends_with(".js") || part.ends_with(".css")).collect()
}

#[tokio::test]
async fn everything_that_the_page_loads_is_an_asset_of_the_same_graph() {
    for (path, start) in [("/graphql", "/graphql/graphiql-"), ("/", "/graphiql-"), ("/a/b/", "/a/b/graphiql-")] {
        let playground = Playground::new(path);
        let page = text(playground.page()).await;
        let loaded = loaded(&page);
        assert_eq!(loaded.len(), 6, "{page}");
        for address in loaded {
            assert!(address.starts_with(start), "{address}");
            let asset = playground.asset(address).unwrap_or_else(|| unreachable!("{address} is missing"));
            let answer = asset.answer(&Method::GET, &headers(ACCEPT_ENCODING, "gzip, br")).expect("acceptable");
            assert_eq!(answer.status(), 200);
            let media = if address.ends_with(".js") { "text/javascript" } else { "text/css" };
            assert!(field(&answer, "content-type").starts_with(media), "{address}");
            assert!(field(&answer, "cache-control").contains("immutable"), "{address}");
            assert_eq!(field(&answer, "x-content-type-options"), "nosniff");
        }
    }
    assert!(Playground::new("/graphql").asset("/graphql").is_none());
    assert!(Playground::new("/graphql").asset("/graphql/graphiql.js").is_none());
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline() {
    let answer = Playground::new("/graphql").page();
    assert_eq!(field(&answer, "content-security-policy"), POLICY);
    assert!(!["http", "unsafe", "*"].iter().any(|lax| POLICY.contains(lax)), "{POLICY}");
    assert_eq!((field(&answer, "cache-control"), field(&answer, "vary")), ("no-cache".into(), "accept".into()));
    let page = text(answer).await;
    assert!(!page.contains("//") && !page.contains("<style") && !page.contains("onload"), "{page}");
    assert!(page.matches("<script").count() == page.matches("</script>").count());
    assert_eq!(page.matches("<script defer src=").count(), page.matches("<script").count());
}

#[tokio::test]
async fn a_path_cannot_break_out_of_the_page() {
    let page = text(Playground::new("/\"><b>&").page()).await;
    assert!(page.contains("/&quot;>&lt;b>&amp;/graphiql-") && !page.contains("<b>"), "{page}");
}

#[test]
fn only_who_takes_gzip_is_sent_gzip() {
    let packed: Vec<_> = ASSETS.iter().filter(|asset| matches!(asset.stored, Stored::Gzip(_))).collect();
    assert_eq!(packed.len(), 4);
    for (accepted, expected) in [
        ("gzip", true),
        ("deflate, GZip;q=0.5", true),
        ("x-gzip", true),
        ("*", true),
        ("br, *;q=0.1", true),
        ("", false),
        ("identity", false),
        ("gzip;q=0", false),
        ("gzip;q=0, *", false),
        ("*;q=0, br", false),
    ] {
        for asset in &packed {
            match asset.answer(&Method::GET, &headers(ACCEPT_ENCODING, accepted)) {
                Ok(answer) => {
                    assert!(expected, "{accepted}");
                    assert_eq!((field(&answer, "content-encoding"), answer.status().as_u16()), ("gzip".into(), 200));
                    assert_eq!(field(&answer, "vary"), "accept-encoding");
                }
                Err(failure) => assert_eq!((expected, failure.status()), (false, 406), "{accepted}"),
            }
        }
    }
    assert!(packed[0].answer(&Method::HEAD, &HeaderMap::new()).is_ok(), "one that says nothing takes anything");
    let plain = ASSETS.iter().find(|asset| asset.name == "page.js").expect("there");
    assert!(plain.answer(&Method::GET, &headers(ACCEPT_ENCODING, "identity")).is_ok());
}

#[test]
fn assets_are_only_read() {
    for asset in &ASSETS {
        let answer = asset.answer(&Method::POST, &HeaderMap::new()).expect("an answer");
        assert_eq!((answer.status().as_u16(), field(&answer, "allow")), (405, "GET, HEAD".into()));
    }
}

#[test]
fn the_page_is_for_those_who_accept_html_by_name() {
    for (accept, expected) in [
        ("text/html,application/xhtml+xml,*/*;q=0.8", true),
        ("application/json, text/HTML;q=0.1", true),
        ("text/html;q=0", false),
        ("*/*", false),
        ("application/json", false),
    ] {
        assert_eq!(is_wanted(&headers(ACCEPT, accept)), expected, "{accept}");
    }
    assert!(!is_wanted(&HeaderMap::new()));
}

#[test]
fn the_packed_files_are_small_and_of_the_version_that_the_readme_names() {
    assert!(README.contains(&format!("| `graphiql` | {VERSION} | `sha512-")), "{VERSION}");
    let mut bytes = 0;
    for asset in &ASSETS {
        let body = match asset.stored {
            Stored::Gzip(body) => {
                assert_eq!(body[..3], [0x1f, 0x8b, 8], "{} is not gzip", asset.name);
                body
            }
            Stored::Plain(body) => body,
        };
        assert!(body.len() > 100, "{} is empty", asset.name);
        bytes += body.len();
    }
    assert!(bytes < 500_000, "{bytes} bytes in every binary");
    let licenses = include_str!("LICENSES.txt");
    for name in ["graphiql 4.1.2", "react 18.3.1", "react-dom 18.3.1", "codemirror 5", "graphql 16", "markdown-it"] {
        assert!(licenses.lines().any(|line| line.starts_with(name)), "{name} has no license");
    }
}
