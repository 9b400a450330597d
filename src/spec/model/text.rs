//! Text with a meaning of its own: URLs, files, names of header fields, networks, origins, secrets.

use std::net::IpAddr;

use crate::spec::constant::{constant, holds_expression};
use crate::spec::keys::{Form, FromNode, FromScalar, Reader, Shape};
use crate::spec::yaml::{Node, Scalar};

/// The address of a document or a service, `https://…` or `http://…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(pub String);

/// The path of a file; one that does not begin with `/` is of the project's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath(pub String);

/// Text in which constants may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant(pub String);

/// The name of a header field, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName(pub String);

/// Addresses that begin alike: `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The first address.
    pub address: IpAddr,
    /// How many bits all of them share.
    pub bits: u8,
}

/// Where a page comes from: `https://shop.example.com`, `https://*.example.com`, or `*` for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(pub String);

/// A secret: one constant, `${file('/run/secrets/x')}` or `${env('NAME')}`, so that it stands in no composition.
#[derive(Clone, Debug)]
pub struct Secret(pub Scalar);

/// The digest of a secret, `sha256:` and 64 hexadecimal digits, or the secret itself as a constant.
#[derive(Clone, Debug)]
pub struct Digest(pub Scalar);

impl FromScalar for Url {
    fn shape() -> Shape {
        Shape::Form(Form { pattern: "^https?://[^/?#]", wanted: "a URL such as `https://id.example.com/`" })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let valid = |text: &&str| {
            let has_scheme = text.starts_with("https://") || text.starts_with("http://");
            let uri = text.parse::<http::Uri>().ok();
            has_scheme && uri.and_then(|uri| uri.host().map(|host| !host.is_empty())).unwrap_or(false)
        };
        match scalar.text().filter(valid) {
            Some(text) => Some(Self(text.to_owned())),
            None => {
                reader.expected_form::<Self>(scalar);
                None
            }
        }
    }
}

impl FromScalar for FilePath {
    fn shape() -> Shape {
        Shape::Form(Form { pattern: ".", wanted: "the path of a file, such as `/run/secrets/tls.pem`" })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        match scalar.text().filter(|text| !text.is_empty()) {
            Some(text) => Some(Self(text.to_owned())),
            None => {
                reader.expected_form::<Self>(scalar);
                None
            }
        }
    }
}

impl FromScalar for Constant {
    fn shape() -> Shape {
        Shape::Text
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        String::from_scalar(scalar, reader).map(Self)
    }
}

impl FromScalar for FieldName {
    fn shape() -> Shape {
        Shape::Form(Form {
            pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
            wanted: "the name of a header field, such as `x-api-key`",
        })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let name = scalar.text().and_then(|text| http::HeaderName::from_bytes(text.as_bytes()).ok());
        if name.is_none() {
            reader.expected_form::<Self>(scalar);
        }
        name.map(|name| Self(name.as_str().to_owned()))
    }
}

impl FromScalar for Network {
    fn shape() -> Shape {
        Shape::Form(Form {
            pattern: r"^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$",
            wanted: "an address or a network, such as `10.0.0.0/8`",
        })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(network) = scalar.text().and_then(Self::parse) else {
            reader.expected_form::<Self>(scalar);
            return None;
        };
        let first = network.first();
        if first != network.address {
            let message = format!("`{}` is not the first address of a network", network.address);
            let help = format!("write `{first}/{}`", network.bits);
            reader.report(reader.error("malformed-network", &scalar.place, message).help(help));
        }
        Some(network)
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most))?;
        Some(Self { address, bits })
    }

    /// The address with all bits beyond those that are shared set to zero.
    fn first(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V4((u32::from(address) & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V6((u128::from(address) & mask).into())
            }
        }
    }
}

impl FromScalar for Origin {
    fn shape() -> Shape {
        Shape::Form(Form {
            pattern: r"^(\*|https?://[^/?#]+)$",
            wanted: "an origin such as `https://shop.example.com`, `https://*.example.com`, or `*`",
        })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let valid = |text: &&str| {
            let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            let host = host.map(|host| host.strip_prefix("*.").unwrap_or(host));
            let well_formed = |host: &str| !host.contains(['/', '?', '#', '@', '*']);
            **text == *"*" || host.is_some_and(|host| well_formed(host) && host.parse::<http::uri::Authority>().is_ok())
        };
        match scalar.text().filter(valid) {
            Some(text) => Some(Self(text.to_owned())),
            None => {
                reader.expected_form::<Self>(scalar);
                None
            }
        }
    }
}

impl FromNode for Secret {
    fn shape() -> Shape {
        Shape::Form(Form {
            pattern: r"^\$\{ *(env|file) *\(",
            wanted: "a constant such as `${file('/run/secrets/x')}`",
        })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let scalar = Scalar::read(node, reader)?;
        read_constant(&scalar, reader).then_some(Self(scalar))
    }
}

impl FromNode for Digest {
    fn shape() -> Shape {
        Shape::Form(Form {
            pattern: r"^(sha256:[0-9A-Fa-f]{64}|\$\{ *(env|file) *\(.*)$",
            wanted: "a digest `sha256:…` of 64 hexadecimal digits, or a constant such as `${file('/run/secrets/x')}`",
        })
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let scalar = Scalar::read(node, reader)?;
        let Some(digest) = scalar.text().and_then(|text| text.strip_prefix("sha256:")) else {
            return read_constant(&scalar, reader).then_some(Self(scalar));
        };
        if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = "a SHA-256 digest is 64 hexadecimal digits";
            let help = "write what `printf %s THE-KEY | sha256sum` prints";
            reader.report(reader.error("malformed-digest", &scalar.place, message).help(help));
            return None;
        }
        Some(Self(scalar))
    }
}

/// Whether a secret is a constant that has a value; says so when it is not. What it holds is never printed.
fn read_constant(scalar: &Scalar, reader: &mut Reader<'_>) -> bool {
    let Some(text) = scalar.text().filter(|text| holds_expression(text)) else {
        let message = "a secret does not stand in a composition";
        let help = "write a constant such as `${file('/run/secrets/x')}` or `${env('NAME')}`";
        reader.report(reader.error("written-secret", &scalar.place, message).help(help));
        return false;
    };
    match constant(text, reader.look_up) {
        Ok(_) => true,
        Err(mistake) => {
            let place = scalar.place_of(mistake.bytes);
            reader.report(reader.error("bad-constant", &place, mistake.message).help(mistake.help));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn a_network_knows_its_first_address() {
        for (text, first) in [
            ("10.1.2.3/8", "10.0.0.0"),
            ("10.1.2.3", "10.1.2.3"),
            ("1.2.3.4/0", "0.0.0.0"),
            ("2001:db8::1/32", "2001:db8::"),
            ("::1/0", "::"),
        ] {
            let network = Network::parse(text).expect(text);
            assert_eq!(network.first().to_string(), first, "{text}");
        }
        for wrong in ["10.0.0.0/33", "::/129", "10.0.0/8", "example.com", "10.0.0.0/", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
