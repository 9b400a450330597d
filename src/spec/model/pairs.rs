//! Query strings, forms, header fields, metadata and cookies: names with values, or one expression for
//! all of them.

use crate::base::call::frames;
use crate::base::diagnostic::Place;
use crate::spec::constant::holds_expression;
use crate::spec::keys::{FromNode, Reader, Shape, keys, words};
use crate::spec::yaml::{Kind, Node, Scalar};

use super::{Located, Template};

/// Names with values.
#[derive(Clone, Debug)]
pub enum Pairs<T> {
    /// `none`: nothing, not even what stands farther away for every call.
    Nothing(Place),
    /// One expression that yields a map.
    Whole(Scalar),
    /// Written out, in order, and where; each name once.
    Each(Vec<T>, Place),
}

/// A query string, or a form.
pub type Parameters = Pairs<Parameter>;

/// Header fields or metadata. Names are valid field names in lower case.
pub type Headers = Pairs<Header>;

/// Cookies that a call carries.
pub type CallCookies = Pairs<CallCookie>;

/// One name of a query string or a form.
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

/// One header field.
#[derive(Clone, Debug)]
pub struct Header {
    /// The name, in lower case.
    pub name: Located<String>,
    /// The value. Null drops the field (in `proxy`: removes the client's).
    pub value: Scalar,
}

/// One cookie of a call.
#[derive(Clone, Debug)]
pub struct CallCookie {
    /// The name, a token.
    pub name: Located<String>,
    /// The value. Null drops the cookie.
    pub value: Scalar,
}

/// What one entry of [`Pairs`] is.
pub(in crate::spec) trait Pair: Sized {
    /// What to write, for "expected …, found …".
    const EXPECTED: &'static str;

    /// What stands under a name, for the reference.
    fn value_shape() -> Shape;

    /// Reads one. `None` when it cannot be read; then the reader has been told why.
    fn read_pair(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// Its name.
    fn name(&self) -> &Located<String>;
}

impl<T> Pairs<T> {
    /// Where it is written.
    pub fn place(&self) -> &Place {
        match self {
            Self::Nothing(place) | Self::Each(_, place) => place,
            Self::Whole(scalar) => &scalar.place,
        }
    }
}

impl<T: Pair> FromNode for Pairs<T> {
    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Word(&["none"]), Shape::Scalar, Shape::Map(Box::new(T::value_shape()))])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let written = match &node.kind {
            Kind::Scalar(whole) if whole.text() == Some("none") => return Some(Self::Nothing(node.place.clone())),
            Kind::Scalar(whole) if whole.text().is_some_and(holds_expression) => {
                return Some(Self::Whole(whole.clone()));
            }
            Kind::Mapping(written) => written,
            _ => {
                reader.expected(&format!("{}, or one expression for all of them", T::EXPECTED), node);
                return None;
            }
        };
        let mut pairs: Vec<T> = Vec::with_capacity(written.len());
        for (name, node) in written {
            let Some(pair) = reader.within(&name.value, |reader| T::read_pair(name, node, reader)) else { continue };
            if let Some(earlier) = pairs.iter().find(|earlier| earlier.name().value == pair.name().value) {
                let message = format!("`{}` is written twice; case does not matter in field names", name.value);
                let diagnostic = reader
                    .error("duplicate-key", &name.place, message)
                    .related(earlier.name().place.clone(), "first written here");
                reader.report(diagnostic);
                continue;
            }
            pairs.push(pair);
        }
        Some(Self::Each(pairs, node.place.clone()))
    }
}

impl Pair for Parameter {
    const EXPECTED: &'static str = "parameters such as `{ limit: 10 }`";

    fn value_shape() -> Shape {
        Shape::OneOf(vec![Shape::Scalar, Shape::List(Box::new(Shape::Scalar)), Styled::shape()])
    }

    fn read_pair(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
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
        Some(Self { name: name.clone(), value, style })
    }

    fn name(&self) -> &Located<String> {
        &self.name
    }
}

impl Pair for Header {
    const EXPECTED: &'static str = "fields such as `{ accept-language: de }`";

    fn value_shape() -> Shape {
        Shape::Scalar
    }

    fn read_pair(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let value = Scalar::read(node, reader)?;
        let lower = name.value.to_ascii_lowercase();
        if http::HeaderName::from_bytes(lower.as_bytes()).is_err() {
            let message = format!("`{}` is no field name", name.value);
            let help = "field names are letters, digits and `-`";
            reader.report(reader.error("malformed-header", &name.place, message).help(help));
            return None;
        }
        if frames(&lower) {
            let message = format!("`{lower}` frames the message, which is the gateway's to do");
            reader.report(reader.error("forbidden-header", &name.place, message).help("leave it out"));
            return None;
        }
        if value.text().is_some_and(|text| text.contains(|c: char| c.is_control() && c != '\t')) {
            let message = "a field value cannot hold line breaks or control characters";
            let help = "write it in one line, in quotes";
            reader.report(reader.error("malformed-header", &value.place, message).help(help));
            return None;
        }
        Some(Self { name: Located { value: lower, place: name.place.clone() }, value })
    }

    fn name(&self) -> &Located<String> {
        &self.name
    }
}

impl Pair for CallCookie {
    const EXPECTED: &'static str = "cookies such as `{ session: \"${request.cookies.session}\" }`";

    fn value_shape() -> Shape {
        Shape::Scalar
    }

    fn read_pair(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        check_cookie_name(name, reader);
        Some(Self { name: name.clone(), value: Scalar::read(node, reader)? })
    }

    fn name(&self) -> &Located<String> {
        &self.name
    }
}

/// Reports a name that no cookie can have: it is a token (RFC 6265, section 4.1.1), as field names are.
pub(super) fn check_cookie_name(name: &Located<String>, reader: &mut Reader<'_>) {
    if http::HeaderName::from_bytes(name.value.as_bytes()).is_err() {
        let message = format!("`{}` is no name of a cookie", name.value);
        let help = "cookie names are letters, digits, `-` and `_`";
        reader.report(reader.error("invalid-name", &name.place, message).help(help));
    }
}
