//! Names with values: each name with its program, whole maps, and which of several layers wins.

use http::{HeaderName, HeaderValue};
use percent_encoding::utf8_percent_encode;

use super::Planner;
use crate::base::call::COMPONENT;
use crate::expr::{Node, Scope, Type};
use crate::plan::{ListStyle, Pair, Pairs, Parameter};
use crate::spec;

/// What stands at one distance from a call.
pub(super) struct Layer<'l, T> {
    /// What is written there.
    pub(super) written: Option<&'l spec::Pairs<T>>,
    /// The names that it sees.
    pub(super) names: &'l dyn Scope,
    /// Its key path.
    pub(super) path: String,
}

/// A written name with its value, to be compiled.
pub(super) trait Written {
    /// What the name becomes.
    type Name;

    /// The name and the program of the value; `None` when that was reported.
    fn compiled(&self, planner: &Planner<'_>, names: &dyn Scope, path: &str) -> Option<(Self::Name, Node)>;

    /// Whether both are the same name.
    fn same(one: &Self::Name, other: &Self::Name) -> bool;
}

impl Planner<'_> {
    /// Compiles what is written at several distances, the nearest first: the nearest wins by name.
    pub(super) fn layers<T: Written>(&self, layers: &[Layer<'_, T>]) -> Pairs<T::Name> {
        let mut found: Vec<Pair<T::Name>> = Vec::new();
        for layer in layers {
            match layer.written {
                None => {}
                Some(spec::Pairs::Nothing(_)) => break,
                Some(spec::Pairs::Whole(scalar)) => found.push(Pair::Map(self.map(scalar, layer.names, &layer.path))),
                Some(spec::Pairs::Each(pairs, _)) => {
                    let compiled = pairs.iter().filter_map(|pair| pair.compiled(self, layer.names, &layer.path));
                    for (name, node) in compiled.collect::<Vec<_>>() {
                        let is_near =
                            |known: &Pair<T::Name>| matches!(known, Pair::One(near, _) if T::same(near, &name));
                        if !found.iter().any(is_near) {
                            found.push(Pair::One(name, node));
                        }
                    }
                }
            }
        }
        found.into()
    }

    /// Compiles what is written at one place only.
    pub(super) fn pairs<T: Written>(
        &self,
        written: Option<&spec::Pairs<T>>,
        names: &dyn Scope,
        path: &str,
    ) -> Pairs<T::Name> {
        self.layers(&[Layer { written, names, path: path.to_owned() }])
    }

    /// Compiles one value, which is no list and no object; `what` it is for.
    pub(super) fn single(&self, scalar: &spec::Scalar, (what, names): (&str, &dyn Scope), path: &str) -> Node {
        let value = self.scalar(scalar, names, path);
        if matches!(value.ty.present(), Type::List(_) | Type::Map(_) | Type::Object(_)) {
            let message = format!("{what} holds one value, and this is {}", value.ty);
            let help = "write one member of it, or make text of it, as in `list.join(', ')`".to_owned();
            self.report.error("wrong-type", (&scalar.place, path), message, help);
        }
        value.node
    }

    fn map(&self, scalar: &spec::Scalar, names: &dyn Scope, path: &str) -> Node {
        let value = self.scalar(scalar, names, path);
        if !matches!(value.ty.present(), Type::Dyn | Type::Map(_) | Type::Object(_) | Type::Null) {
            let message = format!("one expression for all of them gives a map, and this is {}", value.ty);
            let help = "write names with values, or a map such as `${request.query}`".to_owned();
            self.report.error("wrong-type", (&scalar.place, path), message, help);
        }
        value.node
    }
}

impl Written for spec::Parameter {
    type Name = Parameter;

    fn compiled(&self, planner: &Planner<'_>, names: &dyn Scope, path: &str) -> Option<(Parameter, Node)> {
        let style = match self.style.as_ref().map(|style| style.value) {
            Some(spec::ListStyle::Comma) => ListStyle::Comma,
            Some(spec::ListStyle::Repeat) | None => ListStyle::Repeat,
        };
        let name = utf8_percent_encode(&self.name.value, COMPONENT).to_string().into();
        let value = planner.template(&self.value, names, &format!("{path}.{}", self.name.value));
        Some((Parameter { name, style }, value.node))
    }

    fn same(one: &Parameter, other: &Parameter) -> bool {
        one.name == other.name
    }
}

impl Written for spec::Header {
    type Name = HeaderName;

    fn compiled(&self, planner: &Planner<'_>, names: &dyn Scope, path: &str) -> Option<(HeaderName, Node)> {
        let name: HeaderName = self.name.value.parse().ok()?;
        let path = format!("{path}.{name}");
        let node = planner.single(&self.value, ("a header field", names), &path);
        let constant = node.known();
        if name == http::header::HOST && constant.is_none() {
            let message = "`host` names the backend, and no value of a request may choose that".to_owned();
            let help = "write it out, or use `variants` of the backend".to_owned();
            planner.report.error("forbidden-header", (&self.value.place, &path), message, help);
        }
        if constant.and_then(|value| value.as_text()).is_some_and(|text| HeaderValue::from_str(text).is_err()) {
            let message = "a field value cannot hold line breaks or control characters".to_owned();
            planner.report.error("malformed-header", (&self.value.place, &path), message, String::new());
        }
        Some((name, node))
    }

    fn same(one: &HeaderName, other: &HeaderName) -> bool {
        one == other
    }
}

impl Written for spec::CallCookie {
    type Name = Box<str>;

    fn compiled(&self, planner: &Planner<'_>, names: &dyn Scope, path: &str) -> Option<(Box<str>, Node)> {
        let name = self.name.value.as_str();
        Some((name.into(), planner.single(&self.value, ("a cookie", names), &format!("{path}.{name}"))))
    }

    fn same(one: &Box<str>, other: &Box<str>) -> bool {
        one == other
    }
}
