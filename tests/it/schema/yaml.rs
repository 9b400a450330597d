//! YAML as the JSON that editors validate.

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Number, Value};

/// The document of a file; `None` for text that holds none.
///
/// # Errors
/// What the parser says of text that is no YAML.
pub(super) fn read(text: &str) -> Result<Option<Value>, String> {
    let mut parser = Parser::new_from_str(text);
    let mut document = None;
    loop {
        match next(&mut parser)? {
            Event::StreamEnd => return Ok(document),
            Event::DocumentStart(_) => {
                let event = next(&mut parser)?;
                document = Some(value(event, &mut parser)?);
            }
            _ => {}
        }
    }
}

fn next<'a>(parser: &mut Parser<'a, StrInput<'a>>) -> Result<Event<'a>, String> {
    match parser.next_event() {
        Some(Ok((event, _))) => Ok(event),
        Some(Err(error)) => Err(error.to_string()),
        None => Ok(Event::StreamEnd),
    }
}

/// The value that begins with `event`. The last of equal keys counts.
fn value<'a>(event: Event<'a>, parser: &mut Parser<'a, StrInput<'a>>) -> Result<Value, String> {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => Ok(plain(&text)),
        Event::Scalar(text, ..) => Ok(Value::String(text.into_owned())),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(parser)? {
                    Event::SequenceEnd => return Ok(Value::Array(items)),
                    event => items.push(value(event, parser)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut members = Map::new();
            loop {
                let key = match next(parser)? {
                    Event::MappingEnd => return Ok(Value::Object(members)),
                    Event::Scalar(key, ..) => key.into_owned(),
                    other => return Err(format!("{other:?} is no key")),
                };
                let event = next(parser)?;
                members.insert(key, value(event, parser)?);
            }
        }
        other => Err(format!("{other:?} is no value")),
    }
}

/// What a scalar without quotes is, as far as the files here need it: null, a boolean, a number, else text.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text.parse::<Number>().map_or_else(|_| Value::from(text), Value::Number),
    }
}
