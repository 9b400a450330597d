//! Names that name servers are asked for while the gateway runs.

use std::net::IpAddr;

use crate::spec::keys::{Form, FromScalar, Reader, Shape};
use crate::spec::yaml::Scalar;

/// The name of a host, perhaps with a port: `catalog.internal:7001`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The name; with a dot at its end it is whole.
    pub name: String,
    /// The port.
    pub port: Option<u16>,
}

/// The name of a service: `_http._tcp.catalog.internal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName(pub String);

impl FromScalar for HostPort {
    fn shape() -> Shape {
        Shape::Form(Form {
            pattern: r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[0-9]{1,5})?$",
            wanted: "the name of a host, perhaps with a port, such as `catalog.internal:7001`",
        })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let read = |text: &str| {
            let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
            let port = port.map_or(Some(None), |port| port.parse().ok().filter(|port| *port > 0).map(Some))?;
            is_name(name).then(|| Self { name: name.to_owned(), port })
        };
        let host = scalar.text().and_then(read);
        if host.is_none() {
            reader.expected_form::<Self>(scalar);
        }
        host
    }
}

impl FromScalar for ServiceName {
    fn shape() -> Shape {
        Shape::Form(Form {
            pattern: r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
            wanted: "the name of a service, such as `_http._tcp.catalog.internal`",
        })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let name = scalar.text().filter(|text| is_name(text)).map(|text| Self(text.to_owned()));
        if name.is_none() {
            reader.expected_form::<Self>(scalar);
        }
        name
    }
}

/// Whether a name can be asked for (RFC 1035, section 2.3.4; with `_` as RFC 2782 has it). An address needs no asking.
fn is_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let fits = (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
        fits && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(is_label) && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_those_that_name_servers_know() {
        let long = "a".repeat(64);
        for name in ["catalog", "a.b-c.internal", "_http._tcp.a.internal", "a.internal.", "10.0.0.a"] {
            assert!(is_name(name), "{name}");
        }
        for other in ["", ".", "a..b", "-a", "a-.b", "a b", "10.0.0.1", "::1", "a/b", "ä", &long] {
            assert!(!is_name(other), "{other}");
        }
    }
}
