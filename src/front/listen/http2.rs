//! What a request over HTTP/2 must satisfy beyond what its framing enforces (RFC 9113, section 8.3).

use http::header::HOST;
use http::{Method, Request};

use super::authority;
use super::limits::Limits;
use super::refusal::Refusal;

/// Checks authority, Host and sizes of a request over HTTP/2, by the same rules as over HTTP/1. The listener
/// calls it for every such request.
///
/// # Errors
/// The refusal to answer with.
pub fn check_http2<B>(request: &Request<B>, limits: &Limits) -> Result<(), Refusal> {
    if request.method() == Method::CONNECT {
        return Err(Refusal::bad("This gateway opens no tunnels."));
    }
    let uri = request.uri();
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    if target.len() > limits.target {
        return Err(Refusal::TARGET_TOO_LONG);
    }
    if request.headers().len() > limits.header_fields {
        return Err(Refusal::HEADERS_TOO_LARGE);
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().map(http::HeaderValue::as_bytes);
    if hosts.next().is_some() {
        return Err(Refusal::bad("There is more than one Host."));
    }
    let authority = uri.authority().map(|authority| authority.as_str().as_bytes());
    if [authority, host].into_iter().flatten().any(|authority| !authority::is_valid(authority)) {
        return Err(Refusal::bad("The Host is not a host name with an optional port."));
    }
    let default_port: &[u8] = if uri.scheme_str() == Some("https") { b"443" } else { b"80" };
    match (authority, host) {
        (None, None) => Err(Refusal::bad("There is no Host.")),
        (Some(authority), Some(host)) if !authority::are_equal(authority, host, default_port) => {
            Err(Refusal::bad("The Host differs from the request target."))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Request};

    use super::super::limits::Limits;
    use super::check_http2;

    fn status(uri: &str, hosts: &[&str]) -> Option<u16> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        let request = request.body(()).expect("a request");
        check_http2(&request, &Limits::default()).err().map(|refusal| refusal.cause.status())
    }

    #[test]
    fn authority_and_host_must_agree() {
        assert_eq!(status("http://a.test/x", &[]), None);
        assert_eq!(status("http://a.test/x", &["A.test:80"]), None);
        assert_eq!(status("/x", &["a.test"]), None);
        assert_eq!(status("http://a.test/x", &["b.test"]), Some(400));
        assert_eq!(status("http://a.test/x", &["a.test", "a.test"]), Some(400));
        assert_eq!(status("http://user@a.test/x", &[]), Some(400));
        assert_eq!(status("/x", &[]), Some(400));
        assert_eq!(status("/x", &["a b"]), Some(400));
    }

    #[test]
    fn target_and_header_lines_have_limits() {
        assert_eq!(status(&format!("http://a/{}", "x".repeat(8 << 10)), &[]), Some(414));
        let mut request = Request::new(());
        *request.uri_mut() = http::Uri::from_static("http://a/");
        for at in 0..101 {
            let name = HeaderName::try_from(format!("x-{at}")).expect("a name");
            request.headers_mut().insert(name, HeaderValue::from_static("1"));
        }
        let refusal = check_http2(&request, &Limits::default()).expect_err("too many");
        assert_eq!(refusal.cause.status(), 431);
    }
}
