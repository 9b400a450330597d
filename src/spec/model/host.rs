//! `host`: the hosts that an endpoint answers at.

use crate::base::host::HostPattern;
use crate::spec::keys::{FromScalar, Reader, Shape};
use crate::spec::yaml::Scalar;

impl FromScalar for HostPattern {
    fn shape() -> Shape {
        Shape::Text
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::from_scalar(scalar, reader)?;
        match Self::parse(&text) {
            Ok(pattern) => Some(pattern),
            Err(wrong) => {
                let (message, help) = wrong.split_once("; ").unwrap_or((wrong, ""));
                let diagnostic = reader.error("bad-host", &scalar.place, format!("`{text}` {message}")).help(help);
                reader.report(diagnostic);
                None
            }
        }
    }
}
