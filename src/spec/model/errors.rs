//! `errors`: the statuses with which an endpoint answers its failures.

use crate::spec::keys::{Definition, FromNode, Reader, Shape};
use crate::spec::name::is_name;
use crate::spec::yaml::Node;

use super::Located;

/// Failures of one kind and the status that they are answered with.
#[derive(Clone, Debug)]
pub struct ErrorStatus {
    /// Which failures.
    pub kind: FailureKind,
    /// The status.
    pub status: Located<u16>,
}

/// Which failures are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Those with this code.
    Code(String),
    /// Those that would be answered with this status.
    Status(u16),
}

impl Definition for ErrorStatus {
    const KIND: &'static str = "status of a failure";

    fn shape() -> Shape {
        Shape::Integer(400, 599)
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let kind = match name.value.parse() {
            Ok(status) if is_failure(status) => Some(FailureKind::Status(status)),
            Err(_) if is_name(&name.value) => Some(FailureKind::Code(name.value.clone())),
            _ => {
                let message = format!("`{}` is neither the code nor the status of a failure", name.value);
                let help = "write a code such as `timeout`, or a status such as `502`";
                reader.report(reader.error("bad-status", &name.place, message).help(help));
                None
            }
        };
        let status = Located::<u16>::read(node, reader)?;
        if !is_failure(status.value) {
            let message = format!("{} is no status of a failure", status.value);
            let help = "write one from 400 to 599, such as `503`";
            reader.report(reader.error("bad-status", &status.place, message).help(help));
        }
        Some(Self { kind: kind?, status })
    }
}

fn is_failure(status: u16) -> bool {
    matches!(status, 400..=599)
}
