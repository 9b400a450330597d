//! Hosts: as compositions name them, and as requests ask for them.

use std::fmt;

/// Which hosts something holds for: one, or all below one.
///
/// What a pattern names is kept in lower case, because names of hosts have no case (RFC 3986, section 3.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    /// The host; with `is_wildcard` what stands after `*.`.
    pub name: Box<str>,
    /// `*.example.com`: every host below `example.com`, at any depth, and not `example.com` itself.
    pub is_wildcard: bool,
}

impl HostPattern {
    /// Reads `api.example.com`, `*.example.com`, `127.0.0.1` or `[::1]`.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the text, and after `; ` what to write.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("://") {
            return Err("has a scheme; write the host alone, as in `api.example.com`");
        }
        let (name, is_wildcard) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let is_address = name.starts_with('[') && name.ends_with(']') && !is_wildcard;
        if is_address && name[1..name.len() - 1].parse::<std::net::Ipv6Addr>().is_ok() {
            return Ok(Self { name: name.to_ascii_lowercase().into(), is_wildcard });
        }
        if !is_address && name.contains(':') {
            return Err("has a port; requests are told apart by their host alone, at any port");
        }
        if name.contains('*') {
            return Err("has a `*` elsewhere than at its beginning; write it as in `*.example.com`");
        }
        if !name.is_ascii() {
            return Err("is not ASCII; write the name as it travels, beginning with `xn--`");
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        match name.split('.').all(is_label) {
            true => Ok(Self { name: name.to_ascii_lowercase().into(), is_wildcard }),
            false => Err("is no host; write it as in `api.example.com` or `*.example.com`"),
        }
    }

    /// Whether every host that fits `other` fits this.
    pub fn covers(&self, other: &Self) -> bool {
        match self.is_wildcard {
            true => (other.is_wildcard && other.name == self.name) || is_below(&other.name, &self.name),
            false => self == other,
        }
    }

    /// What orders patterns that fit the same host: the nearer one is greater. One host is nearer than a
    /// wildcard, and a longer wildcard than a shorter one.
    pub fn nearness(&self) -> (bool, usize) {
        (!self.is_wildcard, self.name.len())
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_wildcard { "*." } else { "" }, self.name)
    }
}

/// Whether `host` is below `parent`: `a.example.com` is below `example.com`.
pub fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// Whether text is one label of a name. Underscores are no letters of host names, and are used all the same.
fn is_label(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    matches!(text.len(), 1..=63) && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::HostPattern;

    fn pattern(text: &str) -> HostPattern {
        HostPattern::parse(text).expect(text)
    }

    #[test]
    fn a_host_is_a_name_an_address_or_all_below_a_name() {
        for (text, shown) in [
            ("API.Example.com", "api.example.com"),
            ("*.example.com", "*.example.com"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("example.com.", "example.com"),
        ] {
            assert_eq!(pattern(text).to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_what_to_write() {
        for (text, part) in [
            ("https://example.com", "scheme"),
            ("example.com:8080", "port"),
            ("api.*.com", "beginning"),
            ("*", "beginning"),
            ("a..b", "no host"),
            ("", "no host"),
            ("a/b", "no host"),
            ("bücher.example", "xn--"),
            ("[1]", "no host"),
        ] {
            let wrong = HostPattern::parse(text).expect_err(text);
            assert!(wrong.contains(part), "{text}: {wrong}");
        }
    }

    #[test]
    fn a_wildcard_covers_what_is_below_it_at_any_depth() {
        let below = pattern("*.example.com");
        for covered in ["a.example.com", "a.b.example.com", "*.example.com", "*.b.example.com"] {
            assert!(below.covers(&pattern(covered)), "{covered}");
        }
        for other in ["example.com", "badexample.com", "*.com", "example.org"] {
            assert!(!below.covers(&pattern(other)), "{other}");
        }
        assert!(!pattern("a.example.com").covers(&below));
    }

    #[test]
    fn one_host_is_nearer_than_a_wildcard_and_a_long_one_than_a_short_one() {
        let near = ["a.b.example.com", "*.b.example.com", "*.example.com"].map(|text| pattern(text).nearness());
        assert!(near[0] > near[1] && near[1] > near[2]);
    }
}
