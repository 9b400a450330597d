//! Hosts with optional ports, as `Host`, `:authority` and targets in absolute form carry them (RFC 3986,
//! section 3.2, without user information and percent-encoding).

use http::header::HOST;
use http::request::Parts;

/// The host that a request asks, without its port; only HTTP/1.0 may ask none.
pub fn host(head: &Parts) -> Option<&str> {
    if let Some(host) = head.uri.host() {
        return Some(host);
    }
    let authority = head.headers.get(HOST)?.to_str().ok()?;
    let (host, _) = split_port(authority.as_bytes());
    authority.get(..host.len())
}

/// Whether `authority` is a host name or address with an optional port.
pub(super) fn is_valid(authority: &[u8]) -> bool {
    let (host, port) = split_port(authority);
    let is_valid_host = match host {
        [] => false,
        [b'[', address @ .., b']'] => {
            address.contains(&b':')
                && address.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        }
        name => name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(byte)),
    };
    is_valid_host && port.len() <= 5 && port.iter().all(u8::is_ascii_digit)
}

/// Whether two valid authorities are the same: in any case of letters, and with `default_port` as good as none.
pub(super) fn are_equal(one: &[u8], other: &[u8], default_port: &[u8]) -> bool {
    let (one_host, one_port) = split_port(one);
    let (other_host, other_port) = split_port(other);
    let or_default = |port| if port == b"" { default_port } else { port };
    one_host.eq_ignore_ascii_case(other_host) && or_default(one_port) == or_default(other_port)
}

/// The host, and the port without its colon; empty when there is none.
fn split_port(authority: &[u8]) -> (&[u8], &[u8]) {
    let host_end = memchr::memrchr(b']', authority).unwrap_or(0);
    match memchr::memchr(b':', &authority[host_end..]) {
        Some(colon) => (&authority[..host_end + colon], &authority[host_end + colon + 1..]),
        None => (authority, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::{are_equal, is_valid};

    #[test]
    fn hosts_with_optional_ports_are_valid() {
        for valid in
            ["a", "example.com", "EXAMPLE.com:8080", "127.0.0.1:1", "[::1]", "[::ffff:1.2.3.4]:443", "a_b", "a:"]
        {
            assert!(is_valid(valid.as_bytes()), "{valid}");
        }
        for wrong in [
            "", ":80", "a b", "a,b", "user@a", "a/b", "a:b", "a:1:2", "[::1", "::1", "[]", "[x]", "a?", "a:123456",
            "[::1]x", "ä",
        ] {
            assert!(!is_valid(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn letter_case_and_a_default_port_make_no_difference() {
        assert!(are_equal(b"example.com", b"Example.COM:80", b"80"));
        assert!(are_equal(b"[::1]:80", b"[::1]", b"80"));
        assert!(!are_equal(b"example.com:443", b"example.com", b"80"));
        assert!(!are_equal(b"example.com", b"example.org", b"80"));
    }
}
