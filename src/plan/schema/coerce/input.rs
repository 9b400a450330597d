//! The forms in which clients send values, read alike.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::base::value::Value;
use crate::plan::syntax::Literal;

/// A value in one of the forms in which clients send them.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// JSON: a body, a variable, or a value that an expression yields.
    Json(Value<'a>),
    /// A GraphQL literal without variables.
    Literal(&'a Literal<'a>),
    /// Text of a path, query or header, where a number has no quotes to tell it from text.
    Text(&'a str),
    /// The texts of a query parameter that is repeated.
    Texts(&'a [Cow<'a, str>]),
    /// A form.
    Form(&'a Form<'a>),
}

/// The fields of a form (`application/x-www-form-urlencoded`) as a tree: `card.number=1` gives the member
/// `number` of `card`.
#[derive(Clone, Debug, Default)]
pub struct Form<'a> {
    texts: Vec<Cow<'a, str>>,
    members: BTreeMap<Cow<'a, str>, Form<'a>>,
}

/// Members that a name of a form may lead through; what is deeper is one name with dots in it.
const FORM_DEPTH: usize = 32;

impl<'a> Form<'a> {
    /// A form of decoded names and texts.
    pub fn new(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut form = Self::default();
        for (name, text) in fields {
            let mut field = &mut form;
            for part in name.splitn(FORM_DEPTH, '.') {
                field = field.members.entry(Cow::Borrowed(part)).or_default();
            }
            field.texts.push(Cow::Borrowed(text));
        }
        form
    }

    /// What stands under a name: its texts, or a form of its own.
    fn member(&self, name: &str) -> Option<Input<'_>> {
        let member = self.members.get(name)?;
        Some(if member.members.is_empty() { Input::Texts(&member.texts) } else { Input::Form(member) })
    }

    /// Names of the members. Texts beside members are one without a name, which no type has.
    fn member_names(&self) -> Vec<String> {
        let unnamed = (!self.texts.is_empty()).then(String::new);
        self.members.keys().map(ToString::to_string).chain(unnamed).collect()
    }
}

impl<'a> Input<'a> {
    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Json(value) => matches!(value, Value::Null | Value::Optional(None)),
            Self::Literal(literal) => matches!(literal, Literal::Null),
            Self::Text(_) | Self::Texts(_) | Self::Form(_) => false,
        }
    }

    pub(super) fn elements(&self) -> Option<Vec<Input<'a>>> {
        match self {
            Self::Json(value) => Some(value.elements()?.map(Self::Json).collect()),
            Self::Literal(Literal::List(items)) => Some(items.iter().map(Self::Literal).collect()),
            Self::Texts(texts) => Some(texts.iter().map(|text| Self::Text(text)).collect()),
            Self::Literal(_) | Self::Text(_) | Self::Form(_) => None,
        }
    }

    /// The names of an object's members; an absent optional is no member.
    pub(super) fn member_names(&self) -> Option<Vec<String>> {
        match self {
            Self::Json(value) => {
                let present = value.entries()?.filter(|(_, member)| !matches!(member, Value::Optional(None)));
                Some(present.map(|(name, _)| name.as_text().unwrap_or_default().to_owned()).collect())
            }
            Self::Literal(Literal::Object(fields)) => Some(fields.iter().map(|(name, _)| (*name).to_owned()).collect()),
            Self::Form(form) => Some(form.member_names()),
            _ => None,
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<Input<'a>> {
        match self {
            Self::Json(value) => match value.member(name)? {
                Value::Optional(None) => None,
                Value::Optional(Some(member)) => Some(Self::Json((*member).clone())),
                member => Some(Self::Json(member)),
            },
            Self::Literal(literal) => literal.field(name).map(Self::Literal),
            Self::Form(form) => form.member(name),
            _ => None,
        }
    }

    /// What this is, as the end of "must be Int, not …".
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Json(value) if value.elements().is_some() => "a list",
            Self::Json(value) if value.entries().is_some() => "an object",
            Self::Json(value) if value.number().is_some() => "this number",
            Self::Json(Value::Bool(_)) | Self::Literal(Literal::Boolean(_)) => "a boolean",
            Self::Literal(Literal::List(_)) | Self::Texts(_) => "a list",
            Self::Literal(Literal::Object(_)) => "an object",
            Self::Literal(Literal::Number(_)) => "this number",
            Self::Literal(Literal::Enum(_)) => "an enum value",
            Self::Literal(Literal::Variable(_)) => "a variable",
            Self::Text(_) => "this text",
            Self::Form(_) => "an object",
            Self::Json(_) | Self::Literal(_) => "text",
        }
    }
}
