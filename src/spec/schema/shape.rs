//! What can be written under a key, from text to templates.

use serde_json::{Map, Value, json};

use crate::spec::keys::{Keys, Shape};
use crate::spec::model::{Field, GraphNames, Prefer};
use crate::spec::name::RESERVED;

use super::rules::{self, Form, Names, Text};
use super::{Definitions, reference};

/// Where a shape stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    /// The name of the type.
    pub(super) object: &'static str,
    /// The key in it.
    pub(super) key: &'static str,
}

impl Definitions {
    /// The schema of what can be written somewhere.
    pub(super) fn shape(&mut self, at: At, shape: &Shape) -> Value {
        match (shape, rules::form(at.object, at.key)) {
            (Shape::Text | Shape::Scalar, Some(Form::Text(form))) => text(form),
            (Shape::Integer(_, most), Some(Form::AtLeast(least))) => or_constant(&whole_number(least, *most)),
            (Shape::Text, _) => json!({ "type": "string" }),
            (Shape::Name, _) => reference("Name"),
            (Shape::Scalar, _) => reference("Scalar"),
            (Shape::Template, _) => reference("Template"),
            (Shape::Bool, _) => or_constant(&json!({ "type": "boolean" })),
            (Shape::Number, _) => or_constant(&json!({ "type": "number" })),
            (Shape::Integer(least, most), _) => or_constant(&whole_number(*least, *most)),
            (Shape::Duration, _) => reference("Duration"),
            (Shape::Size, _) => reference("Size"),
            (Shape::Word(words), _) => or_constant(&one_of(words)),
            (Shape::Form(form), _) => or_constant(&text_of(form)),
            (Shape::Expression, _) => reference("Expression"),
            (Shape::List(item), _) => {
                let item = self.shape(at, item);
                json!({ "anyOf": [item, { "type": "array", "items": item }] })
            }
            (Shape::Map(_), _) if (at.object, at.key) == ("Spec", "graph") => self.graph(),
            (Shape::Map(value), _) => {
                let value = self.shape(at, value);
                mapping(rules::names(at.object, at.key), &value)
            }
            (Shape::Object(doc) | Shape::Beside(doc), _) => self.reference(doc),
            (Shape::Schema, _) => json!({ "type": ["object", "boolean"] }),
            (Shape::OneOf(shapes), _) => self.one_of(at, shapes),
        }
    }

    fn one_of(&mut self, at: At, shapes: &[Shape]) -> Value {
        // A definition with a short form has it already.
        let short = shapes.iter().find_map(|shape| match shape {
            Shape::Object(doc) => rules::SHORT.iter().any(|(name, _)| *name == doc.name).then_some(*doc),
            _ => None,
        });
        if let Some(doc) = short {
            let words =
                shapes.iter().filter(|shape| matches!(shape, Shape::Word(_))).map(|shape| self.shape(at, shape));
            let mut forms: Vec<Value> = words.collect();
            forms.push(self.reference(doc));
            return if forms.len() == 1 { forms.remove(0) } else { json!({ "anyOf": forms }) };
        }
        // Beside a mapping from names, or a duration, a scalar is one expression for the whole.
        let is_whole = shapes.iter().any(|shape| matches!(shape, Shape::Map(_) | Shape::Duration));
        let mut schema = |shape: &Shape| match shape {
            Shape::Scalar if is_whole => reference("Expression"),
            _ => self.shape(at, shape),
        };
        json!({ "anyOf": shapes.iter().map(&mut schema).collect::<Vec<_>>() })
    }

    /// `graph`: fields of the schema, and one key beside them.
    fn graph(&mut self) -> Value {
        let mut names = or_constant(&one_of(GraphNames::WORDS));
        names["description"] = json!("How a GraphQL field without an entry finds its member in the parent object.");
        json!({
            "type": "object",
            "properties": { "names": names },
            "patternProperties": { rules::COORDINATE.pattern: self.reference(&Field::DOC) },
            "additionalProperties": false,
        })
    }
}

/// The definitions that are no mappings with known keys.
pub(super) fn definitions() -> Map<String, Value> {
    let mut free = text(rules::NAME);
    free["not"] = json!({ "enum": RESERVED.as_slice() });
    let duration = quantity("ms|s|m|h|d", "Write a number and `ms`, `s`, `m`, `h` or `d`, as in `300ms`.");
    let size = quantity(
        "B|KB|MB|GB|KiB|MiB|GiB",
        "Write a number and `B`, `KB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`, as in `4MiB`.",
    );
    let definitions = [
        ("Name", text(rules::NAME)),
        ("FreeName", free),
        ("Expression", text(rules::EXPRESSION)),
        ("Constant", text(rules::CONSTANT)),
        ("Scalar", json!({ "type": ["string", "number", "boolean", "null"] })),
        ("Duration", duration),
        ("Size", size),
        ("Template", template()),
    ];
    definitions.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// A value as the answer looks: scalars, lists, objects, and the objects with keys that begin with `$`.
fn template() -> Value {
    let (template, scalar) = (reference("Template"), reference("Scalar"));
    let list = json!({ "anyOf": [reference("Expression"), mapping(rules::names("Template", "$each"), &scalar)] });
    let each = json!({
        "$each": described(&list, "The list that is mapped, or `{ name: \"${list}\" }` with a name for its item."),
        "$as": described(&template, "What each item becomes."),
        "$when": described(&scalar, "Items for which this is not true are left out."),
    });
    let parts = json!({ "type": "array", "items": template });
    let merge = json!({
        "$merge": described(&parts, "The objects that are merged deeply, in order; null counts as an empty one."),
        "$prefer": described(&one_of(Prefer::WORDS), "Which of two values for one member counts."),
        "$when": described(&scalar, "The object is left out unless this is true."),
    });
    let object = json!({
        "type": "object",
        "properties": { "$when": described(&scalar, "The object is left out unless this is true.") },
        "patternProperties": { "^([^$]|$)": template },
        "additionalProperties": false,
        "propertyNames": { "not": { "pattern": r"\$\{" } },
    });
    json!({
        "description": "A value as it is to look: literals, expressions, lists, objects.",
        "anyOf": [
            scalar,
            { "type": "array", "items": template },
            object,
            { "type": "object", "properties": each, "required": ["$each", "$as"], "additionalProperties": false },
            { "type": "object", "properties": merge, "required": ["$merge"], "additionalProperties": false },
        ],
    })
}

/// A template that is no mapping, where one would be something else.
pub(super) fn bare_template() -> Value {
    json!({ "anyOf": [reference("Scalar"), { "type": "array", "items": reference("Template") }] })
}

/// A mapping from names to values.
fn mapping(names: Names, value: &Value) -> Value {
    let mut schema = json!({ "type": "object", "additionalProperties": value });
    match names {
        Names::Any => {}
        Names::Plain => schema["propertyNames"] = reference("Name"),
        Names::Free => schema["propertyNames"] = reference("FreeName"),
        Names::OneFree => {
            schema["propertyNames"] = reference("FreeName");
            schema["minProperties"] = json!(1);
            schema["maxProperties"] = json!(1);
        }
        Names::Like(form) => schema["propertyNames"] = text(form),
    }
    schema
}

/// Text. `patternErrorMessage` is no word of JSON Schema; editors know it.
fn text(form: Text) -> Value {
    json!({ "type": "string", "pattern": form.pattern, "patternErrorMessage": form.wanted })
}

/// The same for a form that belongs to a type.
fn text_of(form: &crate::spec::keys::Form) -> Value {
    json!({ "type": "string", "pattern": form.pattern, "patternErrorMessage": format!("Write {}.", form.wanted) })
}

fn whole_number(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// A number with one of some units, or a constant that holds one.
fn quantity(units: &str, description: &str) -> Value {
    let number = r"([0-9]+\.?[0-9]*|\.[0-9]+)";
    let pattern = format!("^{number}({units})$|{}", rules::CONSTANT.pattern);
    json!({ "type": "string", "pattern": pattern, "patternErrorMessage": description, "description": description })
}

/// One of some words. The word `null` needs no quotes.
fn one_of(words: &[&str]) -> Value {
    let mut words: Vec<Value> = words.iter().map(|word| json!(word)).collect();
    if words.contains(&json!("null")) {
        words.push(Value::Null);
    }
    // A word that YAML takes for a number means the same without quotes.
    let numbers = words.iter().filter_map(|word| word.as_str()?.parse::<f64>().ok()).map(|number| json!(number));
    words.extend(numbers.collect::<Vec<_>>());
    json!({ "enum": words })
}

/// A value, or a constant that holds one.
fn or_constant(schema: &Value) -> Value {
    json!({ "anyOf": [schema, reference("Constant")] })
}

fn described(schema: &Value, description: &str) -> Value {
    let mut schema = schema.clone();
    schema["description"] = json!(description);
    schema
}
