//! Query strings, header fields and metadata: names with values, or one expression for all of them.

use crate::spec::constant::holds_expression;
use crate::spec::keys::{FromNode, Reader, Shape, keys, words};
use crate::spec::yaml::{Kind, Node, Scalar};

use super::{Located, Template};

/// The query string of a call.
#[derive(Clone, Debug)]
pub enum Parameters {
    /// One expression that yields a map.
    Whole(Scalar),
    /// Written out, in order.
    Each(Vec<Parameter>),
}

/// One name of a query string.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name.
    pub name: Located<String>,
    /// A scalar, or a list of scalars. Null drops the parameter.
    pub value: Template,
    /// How a list is written; without it, the name is repeated.
    pub style: Option<Located<ListStyle>>,
}

keys! {
    /// A list with the way it is written.
    pub struct Styled: "a list with a style", as in "{ value: \"${keys}\", style: comma }" {
        /// The list.
        value: Template,
        /// How it is written.
        style: Option<Located<ListStyle>>,
    }
}

words! {
    /// How a list is written in a query string.
    pub enum ListStyle {
        /// The name is repeated: `id=1&id=2`.
        Repeat = "repeat",
        /// One name, values between commas: `id=1,2`.
        Comma = "comma",
    }
}

/// Header fields or metadata.
#[derive(Clone, Debug)]
pub enum Headers {
    /// One expression that yields a map.
    Whole(Scalar),
    /// Written out, in order. Names are valid field names in lower case, each once.
    Each(Vec<Header>),
}

/// One header field.
#[derive(Clone, Debug)]
pub struct Header {
    /// The name, in lower case.
    pub name: Located<String>,
    /// The value. Null drops the field (in `proxy`: removes the client's).
    pub value: Scalar,
}

impl FromNode for Parameters {
    fn shape() -> Shape {
        let value = Shape::OneOf(vec![Shape::Scalar, Shape::List(Box::new(Shape::Scalar)), Styled::shape()]);
        Shape::OneOf(vec![Shape::Scalar, Shape::Map(Box::new(value))])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let pairs = match &node.kind {
            Kind::Scalar(whole) if whole.text().is_some_and(holds_expression) => {
                return Some(Self::Whole(whole.clone()));
            }
            Kind::Mapping(pairs) => pairs,
            _ => {
                reader.expected("parameters such as `{ limit: 10 }`, or one expression for all of them", node);
                return None;
            }
        };
        let read = |(name, node): &(Located<String>, Node)| {
            reader.within(&name.value, |reader| read_parameter(name, node, reader))
        };
        Some(Self::Each(pairs.iter().filter_map(read).collect()))
    }
}

fn read_parameter(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Parameter> {
    let (value, style) = if node.is_mapping() {
        let styled = Styled::read(node, reader)?;
        (styled.value, styled.style)
    } else {
        (Template::read(node, reader)?, None)
    };
    let flat = match &value {
        Template::Scalar(_) => true,
        Template::List(list) => list.items.iter().all(|item| matches!(item, Template::Scalar(_))),
        _ => false,
    };
    if !flat {
        reader.expected("one value, or a list of values", node);
        return None;
    }
    Some(Parameter { name: name.clone(), value, style })
}

impl FromNode for Headers {
    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Scalar, Shape::Map(Box::new(Shape::Scalar))])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let pairs = match &node.kind {
            Kind::Scalar(whole) if whole.text().is_some_and(holds_expression) => {
                return Some(Self::Whole(whole.clone()));
            }
            Kind::Mapping(pairs) => pairs,
            _ => {
                reader.expected("fields such as `{ accept-language: de }`, or one expression for all of them", node);
                return None;
            }
        };
        let mut headers: Vec<Header> = Vec::with_capacity(pairs.len());
        for (name, node) in pairs {
            let header = reader.within(&name.value, |reader| read_header(name, node, reader));
            let Some(header) = header else { continue };
            if let Some(earlier) = headers.iter().find(|earlier| earlier.name.value == header.name.value) {
                let message = format!("`{}` is written twice; case does not matter in field names", name.value);
                let diagnostic = reader
                    .error("duplicate-key", &name.place, message)
                    .related(earlier.name.place.clone(), "first written here");
                reader.report(diagnostic);
                continue;
            }
            headers.push(header);
        }
        Some(Self::Each(headers))
    }
}

/// Fields that frame a message (RFC 9110, section 7.6.1; RFC 9112, section 6): the gateway's own to write.
const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn read_header(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Header> {
    let value = Scalar::read(node, reader)?;
    let lower = name.value.to_ascii_lowercase();
    if http::HeaderName::from_bytes(lower.as_bytes()).is_err() {
        let message = format!("`{}` is no field name", name.value);
        let help = "field names are letters, digits and `-`";
        reader.report(reader.error("malformed-header", &name.place, message).help(help));
        return None;
    }
    if FRAMING.contains(&lower.as_str()) {
        let message = format!("`{lower}` frames the message, which is the gateway's to do");
        reader.report(reader.error("forbidden-header", &name.place, message).help("leave it out"));
        return None;
    }
    if value.text().is_some_and(|text| text.contains(|c: char| c.is_control() && c != '\t')) {
        let message = "a field value cannot hold line breaks or control characters";
        reader.report(reader.error("malformed-header", &value.place, message).help("write it in one line, in quotes"));
        return None;
    }
    Some(Header { name: Located { value: lower, place: name.place.clone() }, value })
}
