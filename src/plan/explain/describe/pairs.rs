//! Names with values in words: header fields, cookies, parameters.

use std::fmt::Display;

use super::super::model;
use super::expression::{expression, placeholder};
use super::naming::Naming;
use crate::base::value::Value;
use crate::expr::Node;
use crate::plan::{ListStyle, Pair, Parameter};

/// Header fields or cookies.
pub(super) fn pairs<N: Display>(pairs: &[Pair<N>], naming: &Naming<'_, '_>) -> Vec<model::Pair> {
    let pair = |pair: &Pair<N>| match pair {
        Pair::One(name, Node::Const(Value::Null)) => model::Pair::Removed(name.to_string()),
        Pair::One(name, value) => model::Pair::Set(name.to_string(), placeholder(value, naming)),
        Pair::Map(map) => model::Pair::Map(expression(map, naming)),
    };
    pairs.iter().map(pair).collect()
}

/// Parameters as they stand in a query or a form.
pub(super) fn parameters(pairs: &[Pair<Parameter>], naming: &Naming<'_, '_>) -> Vec<String> {
    let parameter = |pair: &Pair<Parameter>| match pair {
        Pair::One(_, Node::Const(Value::Null)) => None,
        Pair::One(Parameter { name, style }, value) => {
            let more = if *style == ListStyle::Comma { ",…" } else { "" };
            Some(format!("{name}={}{more}", placeholder(value, naming)))
        }
        Pair::Map(map) => Some(format!("{{{}}}", expression(map, naming))),
    };
    pairs.iter().filter_map(parameter).collect()
}
