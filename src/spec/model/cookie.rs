//! `respond.cookies.NAME`: a cookie to set, and what browsers demand of it.

use std::time::Duration;

use crate::base::host::HostPattern;
use crate::base::value::Timestamp;
use crate::spec::keys::{Definition, Entries, FromNode, FromScalar, Reader, Shape, keys, words};
use crate::spec::yaml::{Node, Scalar};

use super::pairs::check_cookie_name;
use super::{Located, WordOr};

keys! {
    /// A cookie to set. `sid: "${token}"` is short for `sid: { value: "${token}" }`.
    pub struct Cookie: "a cookie", as in "{ value: \"${token}\", max_age: 48h }", or Cookie::of_value {
        /// The value. Null sets no cookie.
        value: Scalar,
        /// How long it is kept; without it and `expires`, until the browser closes. Zero removes it.
        max_age: Option<WordOr<Duration>>,
        /// Until when it is kept, where `max_age` does not say how long. A time that is over removes it.
        expires: Option<WordOr<Timestamp>>,
        /// Whether scripts cannot read it; true unless said.
        http_only: Option<Located<bool>>,
        /// Whether it is sent over TLS only; true unless said.
        secure: Option<Located<bool>>,
        /// Which requests of other sites carry it; `Lax` unless said.
        same_site: Option<Located<SameSite>>,
        /// Whether a browser keeps it apart for each site that this one is embedded in; false unless said.
        partitioned: Option<Located<bool>>,
        /// The paths that it is sent to: this one and those below; `/` unless said.
        path: Option<Located<CookiePath>>,
        /// The host that it is sent to, and all below; without it, only the host that set it.
        domain: Option<Located<CookieDomain>>,
    }
    then Cookie::check
}

words! {
    /// Which requests of other sites carry a cookie.
    pub enum SameSite {
        /// None.
        Strict = "Strict",
        /// Only those that open a page.
        Lax = "Lax",
        /// All.
        None = "None",
    }
}

/// A path as `Set-Cookie` may hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookiePath(pub String);

/// A host that a cookie is sent to, with all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDomain(pub String);

impl Definition for Cookie {
    const KIND: &'static str = "cookie";

    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Scalar, <Self as FromNode>::shape()])
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        check_cookie_name(name, reader);
        let cookie = Self::read(node, reader)?;
        cookie.check_prefix(name, reader);
        Some(cookie)
    }
}

impl Cookie {
    /// `sid: "${token}"`.
    fn of_value(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("value"), None, reader)
    }

    /// What browsers silently drop is refused. Source: RFC 6265bis, sections 5.7 and 4.1.2.7; for `Partitioned`,
    /// the draft on cookies with independent partitioned state, section 2.1.
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        let Some(secure) = self.secure.as_ref().filter(|secure| !secure.value) else { return };
        let for_all_sites = self.same_site.as_ref().filter(|site| site.value == SameSite::None);
        let partitioned = self.partitioned.as_ref().filter(|partitioned| partitioned.value);
        let demands = [
            ("`same_site: None`", for_all_sites.map(|site| &site.place)),
            ("`partitioned`", partitioned.map(|partitioned| &partitioned.place)),
        ];
        for (what, place) in demands.into_iter().filter_map(|(what, place)| Some((what, place?))) {
            let diagnostic = reader
                .error("conflicting-keys", place, format!("browsers drop a cookie with {what} that is not `secure`"))
                .help("leave `secure: false` out, or this")
                .related(secure.place.clone(), "`secure: false` stands here");
            reader.report(diagnostic);
        }
    }

    /// What the beginning of a name promises to browsers. Source: RFC 6265bis, section 4.1.3.
    fn check_prefix(&self, name: &Located<String>, reader: &mut Reader<'_>) {
        let begins =
            |prefix: &str| name.value.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
        let is_host = begins("__Host-");
        if !is_host && !begins("__Secure-") {
            return;
        }
        let open = self.secure.as_ref().filter(|secure| !secure.value).map(|secure| &secure.place);
        let path = self.path.as_ref().filter(|path| is_host && path.value.0 != "/").map(|path| &path.place);
        let domain = self.domain.as_ref().filter(|_| is_host).map(|domain| &domain.place);
        let broken = [(open, "must be `secure`"), (path, "must have the path `/`"), (domain, "must have no `domain`")];
        for (place, must) in broken.into_iter().filter_map(|(place, must)| Some((place?, must))) {
            let message = format!("a cookie with the name `{}` {must}, or browsers drop it", name.value);
            reader
                .report(reader.error("conflicting-keys", place, message).help("leave this out, or take another name"));
        }
    }
}

impl FromScalar for CookiePath {
    fn shape() -> Shape {
        Shape::Text
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::from_scalar(scalar, reader)?;
        // RFC 6265, section 4.1.1.
        let is_path = text.starts_with('/') && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b';');
        if !is_path {
            let diagnostic = reader
                .error("malformed-path", &scalar.place, format!("`{text}` is no path of a cookie"))
                .help("write a path such as `/shop`, in ASCII and without `;`");
            reader.report(diagnostic);
        }
        is_path.then_some(Self(text))
    }
}

impl FromScalar for CookieDomain {
    fn shape() -> Shape {
        Shape::Text
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::from_scalar(scalar, reader)?;
        match HostPattern::parse(&text) {
            Ok(host) if !host.is_wildcard => Some(Self(host.name.into())),
            _ => {
                let diagnostic = reader
                    .error("bad-host", &scalar.place, format!("`{text}` is no host of a cookie"))
                    .help("write the host alone, as in `example.com`: all hosts below it get the cookie too");
                reader.report(diagnostic);
                None
            }
        }
    }
}
