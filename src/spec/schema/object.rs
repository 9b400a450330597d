//! Mappings with known keys: properties, which of them are required, and the rules among them.

use serde_json::{Map, Value, json};

use crate::spec::keys::{ObjectDoc, Shape};
use crate::spec::not_yet;

use super::rules::{self, Rule};
use super::shape::{At, bare_template};
use super::{Definitions, reference};

/// One way to write a mapping.
#[derive(Clone, Debug, Default)]
struct Way {
    /// The name and the title of the alternative that it is, if there are several.
    alternative: Option<(&'static str, &'static str)>,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    rules: Vec<Rule>,
}

impl Definitions {
    /// The schema of a mapping with known keys, and of its short form.
    pub(super) fn mapping(&mut self, doc: &'static ObjectDoc) -> Map<String, Value> {
        let ways = self.ways(doc);
        let short = rules::SHORT.iter().find(|(name, _)| *name == doc.name);
        let short = short.map(|(_, key)| no_mapping(&ways[0].properties[*key]));
        let schemas: Vec<Value> = ways.into_iter().map(Way::into_schema).chain(short).collect();
        let mut schema = match schemas.as_slice() {
            [Value::Object(only)] => only.clone(),
            _ => Map::from_iter([("anyOf".to_owned(), Value::Array(schemas))]),
        };
        schema.insert("title".to_owned(), json!(doc.title));
        let description = format!("{}\n\nFor example: {}", doc.description(), doc.example);
        schema.insert("description".to_owned(), json!(description));
        schema
    }

    /// The ways to write a mapping: the product of the alternatives in it.
    fn ways(&mut self, doc: &'static ObjectDoc) -> Vec<Way> {
        let mut ways = self.fields(doc);
        for way in &mut ways {
            way.rules.extend(rules::of(doc.name));
            for (key, schema) in way.properties.iter_mut().filter(|(key, _)| not_yet::covers(doc.name, key)) {
                mark(key, schema);
            }
            if let Some((alternative, _)) = way.alternative {
                let here = |(object, name, _): &&(_, _, _)| (*object, *name) == (doc.name, alternative);
                let absent = rules::NOT_IN_ALTERNATIVE.iter().filter(here);
                absent.flat_map(|(.., keys)| *keys).for_each(|key| drop(way.properties.remove(*key)));
                let alone: Vec<&str> =
                    rules::ALONE_IN_ALTERNATIVE.iter().filter(here).flat_map(|(.., keys)| *keys).copied().collect();
                way.rules.retain(|rule| !matches!(rule, Rule::Needs(key, _) if alone.contains(key)));
            }
        }
        ways
    }

    /// The same without the rules of the type itself.
    fn fields(&mut self, doc: &'static ObjectDoc) -> Vec<Way> {
        let mut ways = vec![Way::default()];
        for field in doc.fields {
            let shape = (field.shape)();
            if let Shape::Beside(group) = shape {
                let groups = self.group(group);
                ways = ways.iter().flat_map(|way| groups.iter().map(|group| way.beside(group))).collect();
                continue;
            }
            let mut schema = self.shape(At { object: doc.name, key: field.key }, &shape);
            schema["description"] = json!(field.description());
            for way in &mut ways {
                way.properties.insert(field.key.to_owned(), schema.clone());
                way.required.extend(field.required.then_some(field.key));
            }
        }
        ways
    }

    /// The ways to write keys that stand among others.
    fn group(&mut self, doc: &'static ObjectDoc) -> Vec<Way> {
        if doc.alternatives.is_empty() {
            return self.fields(doc);
        }
        let mut ways = Vec::new();
        for alternative in doc.alternatives {
            let named = Some((alternative.name, alternative.title));
            ways.extend(self.ways(alternative).into_iter().map(|way| Way { alternative: named, ..way }));
        }
        if doc.name == "Action" {
            let (name, title, key) = rules::GUARD;
            ways.push(Way { alternative: Some((name, title)), required: vec![key], ..Way::default() });
        }
        ways
    }
}

impl Way {
    /// This way with the keys of another among its own.
    fn beside(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.alternative = other.alternative.or(both.alternative);
        both.properties.extend(other.properties.clone());
        both.required.extend(&other.required);
        both.rules.extend(&other.rules);
        both
    }

    fn into_schema(self) -> Value {
        let mut schema = json!({ "type": "object", "properties": self.properties, "additionalProperties": false });
        if let Some((_, title)) = self.alternative {
            schema["title"] = json!(title);
        }
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        for rule in self.rules {
            match rule {
                Rule::ExactlyOne(keys) => schema["oneOf"] = each_required(keys),
                Rule::AtLeastOne(keys) => schema["anyOf"] = each_required(keys),
                Rule::Needs(key, other) => schema["dependentRequired"][key] = json!([other]),
                Rule::Excludes(key, others) => {
                    let none: Map<String, Value> =
                        others.iter().map(|other| ((*other).to_owned(), json!(false))).collect();
                    schema["dependentSchemas"][key] = json!({ "properties": none });
                }
            }
        }
        schema
    }
}

/// Marks a key that belongs to the language but not to this version. `deprecationMessage` is no word of JSON Schema;
/// editors know it.
fn mark(key: &str, schema: &mut Value) {
    schema["description"] =
        json!(format!("Not in this version. {}", schema["description"].as_str().unwrap_or_default()));
    schema["deprecated"] = json!(true);
    schema["deprecationMessage"] = json!(format!("`{key}` is not supported by this version."));
}

fn each_required(keys: &[&str]) -> Value {
    keys.iter().map(|key| json!({ "required": [key] })).collect()
}

/// The schema of a key's value where it stands for the whole mapping, and so cannot be one itself.
fn no_mapping(schema: &Value) -> Value {
    if schema["$ref"] != reference("Template")["$ref"] {
        return schema.clone();
    }
    let mut bare = bare_template();
    bare["description"] = schema["description"].clone();
    bare
}
