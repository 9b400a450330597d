//! Input coercion: from what a client sends to a value of a type (GraphQL, section 3.5 to 3.12,
//! "Input Coercion").
//!
//! REST arguments, request bodies, GraphQL variables and literals all pass here, so a type means
//! the same everywhere. What is written holds every default, every enum value checked, ids as text
//! and the fields of inputs in the order of the schema.

mod input;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::{InputDef, Schema, Type, TypeId, TypeKind, TypeRef};
use crate::base::diagnostic::did_you_mean;
use crate::base::path::{MISTAKE_LIMIT, Path, Step};
use crate::base::value::{Doc, Kind, NotANumber, Number, Sink, Value, member_key};
use crate::plan::syntax::Literal;

pub use input::{Form, Input};

/// Why a value is not of its type, fit for the client that sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidInput {
    /// Where inside the value; empty for the value itself.
    pub path: Path,
    /// What is wrong, as the end of a sentence that begins with the value: "must be Int, not text".
    pub reason: String,
    /// What was probably meant, or is allowed, in the words of the schema. Often empty.
    pub hint: String,
}

impl InvalidInput {
    /// An error about the value itself.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { path: Path::default(), reason: reason.into(), hint: String::new() }
    }

    /// The same one step further out: of what holds the value, or of a name for the value.
    #[must_use]
    pub fn within(mut self, step: impl Into<Step>) -> Self {
        self.path.begin_at(step);
        self
    }

    /// The whole as a sentence with its full stop.
    pub fn sentence(&self) -> String {
        let sentence = self.to_string();
        if sentence.ends_with('?') { sentence } else { sentence + "." }
    }

    /// The same with the part of the schema that would mend it.
    fn hint(mut self, hint: String) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => write!(f, "the value {}", self.reason)?,
            false => write!(f, "`{}` {}", self.path, self.reason)?,
        }
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

/// Writes `input` as a value of type `ty`. After an error `out` is as it was.
///
/// # Errors
/// Everything that is wrong, each with its path: at least one mistake, at most [`MISTAKE_LIMIT`].
pub fn coerce(schema: &Schema, input: &Input<'_>, ty: &TypeRef, out: &mut dyn Sink) -> Result<(), Vec<InvalidInput>> {
    let mark = out.mark();
    let mut coercion = Coercion { schema, out, wrong: Vec::new() };
    coercion.value(input, ty);
    if coercion.wrong.is_empty() {
        return Ok(());
    }
    let mut wrong = coercion.wrong;
    wrong.truncate(MISTAKE_LIMIT);
    out.rewind(mark);
    Err(wrong)
}

/// Writes a literal as JSON without any type. Numbers keep their digits.
pub fn write_literal(literal: &Literal<'_>, out: &mut dyn Sink) {
    match literal {
        // Callers put the values of variables in their places.
        Literal::Null | Literal::Variable(_) => out.null(),
        Literal::Boolean(value) => out.bool(*value),
        Literal::Text(text) | Literal::Enum(text) => out.text(Kind::String, text),
        Literal::Number(number) => match json_number(number) {
            Some(doc) => out.view(doc.root()),
            None => out.null(),
        },
        Literal::List(items) => {
            out.begin_array();
            for item in items {
                write_literal(item, out);
            }
            out.end_array();
        }
        Literal::Object(fields) => {
            out.begin_object();
            for (name, field) in fields {
                out.key(&member_key(name));
                write_literal(field, out);
            }
            out.end_object();
        }
    }
}

struct Coercion<'s, 'o> {
    schema: &'s Schema,
    out: &'o mut dyn Sink,
    /// What was wrong so far. Null is written in its place, so that the rest can be looked at.
    wrong: Vec<InvalidInput>,
}

impl Coercion<'_, '_> {
    fn value(&mut self, input: &Input<'_>, ty: &TypeRef) {
        match ty {
            TypeRef::NonNull(_) if input.is_null() => self.refuse(InvalidInput::new("must not be null")),
            TypeRef::NonNull(inner) => self.value(input, inner),
            _ if input.is_null() => self.out.null(),
            TypeRef::List(item) => self.list(input, item),
            TypeRef::Named { id, .. } => self.named(input, *id),
        }
    }

    fn list(&mut self, input: &Input<'_>, item: &TypeRef) {
        self.out.begin_array();
        match input.elements() {
            Some(elements) => {
                for (at, element) in elements.iter().enumerate() {
                    let before = self.wrong.len();
                    self.value(element, item);
                    self.happened_at(before, || Step::Item(at));
                    if self.wrong.len() >= MISTAKE_LIMIT {
                        break;
                    }
                }
            }
            None => self.value(input, item),
        }
        self.out.end_array();
    }

    fn named(&mut self, input: &Input<'_>, id: TypeId) {
        let found = &self.schema[id];
        let input = match input {
            Input::Texts([only]) => &Input::Text(only),
            other => other,
        };
        let written = match (id, found.kind) {
            (TypeId::INT, _) => self.int(input),
            (TypeId::FLOAT, _) => self.float(input),
            (TypeId::STRING, _) => self.text(input),
            (TypeId::BOOLEAN, _) => self.boolean(input),
            (TypeId::ID, _) => self.id(input),
            (_, TypeKind::Scalar) => self.anything(input),
            (_, TypeKind::Enum) => self.enum_value(input, found),
            (_, TypeKind::Input) => return self.object(input, found),
            _ => Err(InvalidInput::new(format!("is of type {}, which no client can send", found.name))),
        };
        if let Err(error) = written {
            self.refuse(error);
        }
    }

    fn refuse(&mut self, error: InvalidInput) {
        self.wrong.push(error);
        self.out.null();
    }

    /// Puts a step of the way before the paths of what went wrong since.
    fn happened_at(&mut self, since: usize, step: impl Fn() -> Step) {
        for error in &mut self.wrong[since..] {
            error.path.begin_at(step());
        }
    }

    fn int(&mut self, input: &Input<'_>) -> Result<(), InvalidInput> {
        let whole = match input {
            Input::Json(value) => value.number().and_then(Number::to_int),
            Input::Text(text) | Input::Literal(Literal::Number(text)) if is_plain(text) => text.parse().ok(),
            _ => None,
        };
        match whole.map(i32::try_from) {
            Some(Ok(int)) => {
                self.out.int(i64::from(int));
                Ok(())
            }
            Some(Err(_)) => Err(InvalidInput::new("must be Int, a whole number between -2147483648 and 2147483647")),
            None => Err(mismatch("Int", input)),
        }
    }

    fn float(&mut self, input: &Input<'_>) -> Result<(), InvalidInput> {
        let written = match input {
            Input::Text(text) | Input::Literal(Literal::Number(text)) => json_number(text),
            _ => None,
        };
        let found = written.as_ref().map(|doc| Value::View(doc.root()));
        let number = match input {
            Input::Json(value) => Some(value),
            _ => found.as_ref(),
        };
        let too_large = |_| InvalidInput::new("must be Float, and is too large for one");
        match number.and_then(|value| Some((value, value.number()?.to_double()))) {
            Some((_, double)) if !double.is_finite() => Err(too_large(NotANumber)),
            // A number that only passes through keeps its text; integers become doubles.
            Some((Value::View(view), _)) => {
                self.out.view(*view);
                Ok(())
            }
            Some((_, double)) => self.out.double(double).map_err(too_large),
            None => Err(mismatch("Float", input)),
        }
    }

    fn text(&mut self, input: &Input<'_>) -> Result<(), InvalidInput> {
        match input {
            Input::Json(value @ (Value::Text(_) | Value::Bytes(_) | Value::Timestamp(_) | Value::Duration(_))) => {
                self.out.value(value).map_err(|NotANumber| mismatch("String", input))?;
            }
            Input::Text(text) | Input::Literal(Literal::Text(text)) => self.out.text(Kind::String, text),
            _ => return Err(mismatch("String", input)),
        }
        Ok(())
    }

    fn boolean(&mut self, input: &Input<'_>) -> Result<(), InvalidInput> {
        match input {
            Input::Json(Value::Bool(value)) | Input::Literal(Literal::Boolean(value)) => self.out.bool(*value),
            Input::Text("true") => self.out.bool(true),
            Input::Text("false") => self.out.bool(false),
            _ => return Err(mismatch("Boolean", input)),
        }
        Ok(())
    }

    fn id(&mut self, input: &Input<'_>) -> Result<(), InvalidInput> {
        match input {
            Input::Json(Value::Text(text)) => self.out.text(Kind::String, text),
            Input::Json(Value::View(view)) if view.kind() == Kind::Number => {
                // Digits are kept as they came: an id may be longer than any number.
                if is_whole(view.raw()) {
                    self.out.text(Kind::String, view.raw());
                } else {
                    let whole = Number::Double(view.double()).to_int().ok_or_else(|| mismatch("ID", input))?;
                    self.out.text(Kind::String, &whole.to_string());
                }
            }
            Input::Json(Value::Int(int)) => self.out.text(Kind::String, &int.to_string()),
            Input::Json(Value::Uint(uint)) => self.out.text(Kind::String, &uint.to_string()),
            Input::Literal(Literal::Number(number)) if !is_whole(number) => return Err(mismatch("ID", input)),
            Input::Text(text) | Input::Literal(Literal::Text(text) | Literal::Number(text)) => {
                self.out.text(Kind::String, text);
            }
            _ => return Err(mismatch("ID", input)),
        }
        Ok(())
    }

    /// A scalar of the project's own takes any JSON.
    fn anything(&mut self, input: &Input<'_>) -> Result<(), InvalidInput> {
        match input {
            Input::Json(value) => {
                self.out
                    .value(value)
                    .map_err(|NotANumber| InvalidInput::new("holds a number that JSON cannot write"))?;
            }
            Input::Literal(literal) => write_literal(literal, self.out),
            Input::Text(text) => self.out.text(Kind::String, text),
            Input::Texts(texts) => {
                self.out.begin_array();
                for text in *texts {
                    self.out.text(Kind::String, text);
                }
                self.out.end_array();
            }
            Input::Form(_) => return Err(InvalidInput::new("cannot be sent as a form")),
        }
        Ok(())
    }

    fn enum_value(&mut self, input: &Input<'_>, found: &Type) -> Result<(), InvalidInput> {
        let name = match input {
            Input::Json(value) => value.as_text(),
            Input::Text(name) | Input::Literal(Literal::Enum(name)) => Some(*name),
            _ => None,
        };
        let Some(name) = name else { return Err(mismatch(&found.name, input)) };
        let Some(value) = found.values.iter().find(|value| value.name == name) else {
            let hint = did_you_mean(name, found.values.iter().map(|value| value.name.as_str()));
            return Err(InvalidInput::new(format!("must be a value of {}", found.name)).hint(hint));
        };
        self.out.text(Kind::String, &value.name);
        Ok(())
    }

    fn object(&mut self, input: &Input<'_>, found: &Type) {
        let Some(names) = input.member_names() else { return self.refuse(mismatch(&found.name, input)) };
        let unknown = names.iter().filter(|name| found.input(name).is_none());
        self.wrong.extend(unknown.take(MISTAKE_LIMIT).map(|unknown| unknown_member(unknown, found)));
        if found.one_of && names.len() != 1 {
            self.wrong.push(InvalidInput::new(format!("must give exactly one field of {}", found.name)));
        }
        self.out.begin_object();
        for definition in &found.inputs {
            let before = self.wrong.len();
            self.member(input, definition);
            if found.one_of && input.member(&definition.name).is_some_and(|member| member.is_null()) {
                self.wrong.push(InvalidInput::new("must not be null"));
            }
            self.happened_at(before, || Step::from(&*definition.name));
            if self.wrong.len() >= MISTAKE_LIMIT {
                break;
            }
        }
        self.out.end_object();
    }

    fn member(&mut self, input: &Input<'_>, definition: &InputDef) {
        match (input.member(&definition.name), &definition.default) {
            (Some(member), _) => {
                self.out.key(&definition.key);
                self.value(&member, &definition.ty);
            }
            (None, Some(default)) => {
                self.out.key(&definition.key);
                self.out.view(default.value.root());
            }
            (None, None) if definition.ty.is_non_null() => {
                self.wrong.push(InvalidInput::new("is required and missing"));
            }
            (None, None) => {}
        }
    }
}

/// The error for a member that an input does not have.
pub fn unknown_member(name: &str, input: &Type) -> InvalidInput {
    let hint = did_you_mean(name, input.inputs.iter().map(|input| input.name.as_str()));
    InvalidInput::new(format!("is no field of {}", input.name)).hint(hint).within(name)
}

fn mismatch(wanted: &str, input: &Input<'_>) -> InvalidInput {
    InvalidInput::new(format!("must be {wanted}, not {}", input.noun()))
}

/// Whether a whole number is written as JSON writes it: without `+` and without zeros before it.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.starts_with('+') && (digits.len() == 1 || !digits.starts_with('0'))
}

/// The number that text is by the grammar of JSON numbers, which knows no `+1`, `.5` or `inf`.
fn json_number(text: &str) -> Option<Arc<Doc>> {
    let doc = Arc::new(Doc::parse(Bytes::copy_from_slice(text.as_bytes())).ok()?);
    let is_number = doc.root().kind() == Kind::Number && doc.root().raw() == text;
    is_number.then_some(doc)
}

/// Whether a number is written with digits alone.
fn is_whole(number: &str) -> bool {
    number.strip_prefix('-').unwrap_or(number).bytes().all(|byte| byte.is_ascii_digit())
}
