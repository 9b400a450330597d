//! Scalars and enums of answers.
//! Source: GraphQL specification (September 2025), section 3.5 "Result Coercion".

use crate::base::value::{JsonWriter, Kind, Number, Sink as _, Value, ValueKind, View, key_text};
use crate::observe::drift::Found;
use crate::plan::schema::{Schema, TypeId, TypeKind, TypeRef};

/// Writes a value that is not null as its scalar or enum says. A number keeps its text where the
/// type allows it.
///
/// # Errors
/// What the value is instead; nothing was written.
pub(super) fn write(schema: &Schema, id: TypeId, value: &Value<'_>, out: &mut JsonWriter) -> Result<(), Found> {
    match id {
        TypeId::INT => int(value, out),
        TypeId::FLOAT => float(value, out),
        TypeId::BOOLEAN => match value {
            Value::Bool(value) => {
                out.bool(*value);
                Ok(())
            }
            other => Err(found(other)),
        },
        TypeId::STRING => match text_of(value) {
            Some(text) => {
                out.text(Kind::String, &text);
                Ok(())
            }
            None => Err(found(value)),
        },
        TypeId::ID => id_text(value, out),
        _ if schema[id].kind == TypeKind::Enum => match value.as_text() {
            Some(text) if schema[id].values.iter().any(|known| known.name == text) => {
                out.text(Kind::String, text);
                Ok(())
            }
            _ => Err(Found::UnknownValue),
        },
        // A scalar of the project's own takes any JSON.
        _ => out.value(value).map_err(|_| Found::Other),
    }
}

/// Writes a part of a reply as it came, if its type is a scalar of the specification and it is one as it must be
/// in the answer; says whether it was.
pub(super) fn splice(ty: &TypeRef, view: View<'_>, out: &mut JsonWriter) -> bool {
    // Any whole number of so many digits is an `Int`.
    const INT_DIGITS: usize = 9;
    let ty = if let TypeRef::NonNull(inner) = ty { &**inner } else { ty };
    let TypeRef::Named { id, .. } = ty else { return false };
    let (kind, raw) = (view.kind(), view.raw_bytes());
    let is_whole = || raw.len() <= INT_DIGITS && raw.iter().all(u8::is_ascii_digit);
    let is_text = matches!(kind, Kind::String | Kind::EscapedString);
    let is_number = matches!(kind, Kind::Number | Kind::Int);
    let fits = match *id {
        TypeId::STRING => is_text,
        TypeId::ID if is_number && is_whole() => {
            out.text(Kind::String, view.raw());
            return true;
        }
        TypeId::ID => is_text,
        TypeId::INT => is_number && is_whole(),
        TypeId::FLOAT => is_number,
        TypeId::BOOLEAN => matches!(kind, Kind::True | Kind::False),
        _ => false,
    };
    if fits {
        out.view(view);
    }
    fits
}

fn int(value: &Value<'_>, out: &mut JsonWriter) -> Result<(), Found> {
    let number = value.number().ok_or_else(|| found(value))?;
    let whole = number.to_int().and_then(|whole| i32::try_from(whole).ok()).ok_or(Found::NoInt)?;
    out.int(whole.into());
    Ok(())
}

fn float(value: &Value<'_>, out: &mut JsonWriter) -> Result<(), Found> {
    match value {
        Value::View(view) if view.kind() == Kind::Number => out.view(*view),
        _ => match value.number().ok_or_else(|| found(value))? {
            Number::Int(whole) => out.int(whole),
            Number::Uint(whole) => out.uint(whole),
            Number::Double(number) => return out.double(number).map_err(|_| Found::Other),
        },
    }
    Ok(())
}

fn id_text(value: &Value<'_>, out: &mut JsonWriter) -> Result<(), Found> {
    let number_text = || match value.number()?.to_int() {
        Some(_) => key_text(value),
        None => None,
    };
    match value.as_text() {
        Some(text) => out.text(Kind::String, text),
        None => out.text(Kind::String, &number_text().ok_or_else(|| found(value))?),
    }
    Ok(())
}

/// Text, and what is text in JSON: times and bytes.
fn text_of<'a>(value: &'a Value<'_>) -> Option<std::borrow::Cow<'a, str>> {
    match value {
        Value::Text(text) => Some((&**text).into()),
        Value::Timestamp(time) => time.to_text().map(Into::into),
        Value::Duration(span) => span.to_text().map(Into::into),
        Value::Bytes(_) => {
            let mut out = JsonWriter::default();
            out.value(value).ok()?;
            Some(String::from_utf8_lossy(&out.bytes).trim_matches('"').to_owned().into())
        }
        // 64-bit integers of a proto are text in JSON; where the schema says String they stay it.
        Value::Int(_) | Value::Uint(_) => key_text(value).map(Into::into),
        _ => None,
    }
}

/// What a value is, where something else was expected.
pub(super) fn found(value: &Value<'_>) -> Found {
    match value.kind() {
        ValueKind::Null => Found::Null,
        ValueKind::Text => Found::Text,
        ValueKind::List => Found::List,
        ValueKind::Map => Found::Object,
        ValueKind::Bool => Found::Boolean,
        ValueKind::Int | ValueKind::Uint | ValueKind::Double | ValueKind::Number => Found::Number,
        _ => Found::Other,
    }
}
