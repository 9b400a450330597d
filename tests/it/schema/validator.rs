//! A validator for the part of JSON Schema (draft 2020-12) that the schema of the language uses.

use std::collections::HashMap;

use regex::Regex;
use serde_json::{Map, Value};

/// A schema, ready to validate.
pub(super) struct Validator {
    schema: Value,
    /// Every regular expression in it, compiled.
    patterns: HashMap<String, Regex>,
}

impl Validator {
    /// A validator for a schema in which every keyword is known and every reference leads somewhere.
    ///
    /// # Errors
    /// The keyword, reference or pattern that is wrong.
    pub(super) fn new(schema: Value) -> Result<Self, String> {
        let mut validator = Self { patterns: HashMap::new(), schema };
        let mut patterns = Vec::new();
        validator.collect(&validator.schema, &mut patterns)?;
        for pattern in patterns {
            let compiled = Regex::new(&pattern).map_err(|error| error.to_string())?;
            validator.patterns.insert(pattern, compiled);
        }
        Ok(validator)
    }

    /// Whether a value is valid.
    ///
    /// # Errors
    /// The first mistake: where, and what was expected.
    pub(super) fn validate(&self, value: &Value) -> Result<(), String> {
        self.check(&self.schema, value).map_err(|mistake| format!("at {mistake}"))
    }

    /// Collects the patterns below a schema.
    fn collect(&self, schema: &Value, patterns: &mut Vec<String>) -> Result<(), String> {
        let Value::Object(keywords) = schema else {
            return if schema.is_boolean() { Ok(()) } else { Err(format!("{schema} is no schema")) };
        };
        for (keyword, argument) in keywords {
            match keyword.as_str() {
                "$ref" => drop(self.definition(argument)?),
                "pattern" => patterns.push(argument.as_str().unwrap_or_default().to_owned()),
                "anyOf" | "oneOf" => items(argument).try_for_each(|schema| self.collect(schema, patterns))?,
                "not" | "items" | "additionalProperties" | "propertyNames" => self.collect(argument, patterns)?,
                "$defs" | "properties" | "patternProperties" | "dependentSchemas" => {
                    for (name, schema) in members(argument) {
                        patterns.extend((keyword == "patternProperties").then(|| name.clone()));
                        self.collect(schema, patterns)?;
                    }
                }
                "$schema"
                | "title"
                | "description"
                | "patternErrorMessage"
                | "deprecated"
                | "deprecationMessage"
                | "type"
                | "enum"
                | "required"
                | "dependentRequired"
                | "minimum"
                | "maximum"
                | "minProperties"
                | "maxProperties" => {}
                _ => return Err(format!("unknown keyword `{keyword}`")),
            }
        }
        Ok(())
    }

    fn definition(&self, reference: &Value) -> Result<&Value, String> {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let found = pointer.and_then(|pointer| self.schema.pointer(pointer));
        found.ok_or_else(|| format!("{reference} leads nowhere"))
    }

    /// The first mistake of a value, as `.key.key: what`.
    fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        match schema {
            Value::Bool(false) => Err(": nothing can stand here".to_owned()),
            Value::Object(keywords) => {
                keywords.iter().try_for_each(|(keyword, argument)| self.keyword(keyword, argument, value))?;
                value.as_object().map_or(Ok(()), |object| self.children(keywords, object))
            }
            _ => Ok(()),
        }
    }

    fn keyword(&self, keyword: &str, argument: &Value, value: &Value) -> Result<(), String> {
        let fits = |schema: &&Value| self.check(schema, value).is_ok();
        let has = |key: &Value| key.as_str().is_some_and(|key| value.get(key).is_some());
        let holds = match keyword {
            "$ref" => return self.check(self.definition(argument)?, value),
            "type" => match argument {
                Value::Array(types) => types.iter().any(|name| is(name, value)),
                name => is(name, value),
            },
            "enum" => items(argument).any(|word| word == value),
            "pattern" => value.as_str().is_none_or(|text| self.finds(argument.as_str().unwrap_or_default(), text)),
            "anyOf" => items(argument).any(|schema| fits(&schema)),
            "oneOf" => items(argument).filter(fits).count() == 1,
            "not" => !fits(&argument),
            "minimum" => value.as_f64().is_none_or(|number| Some(number) >= argument.as_f64()),
            "maximum" => value.as_f64().is_none_or(|number| Some(number) <= argument.as_f64()),
            "minProperties" => value.as_object().is_none_or(|object| Some(object.len() as u64) >= argument.as_u64()),
            "maxProperties" => value.as_object().is_none_or(|object| Some(object.len() as u64) <= argument.as_u64()),
            "required" => !value.is_object() || items(argument).all(has),
            "dependentRequired" => {
                members(argument).all(|(key, needed)| value.get(key).is_none() || items(needed).all(has))
            }
            "dependentSchemas" => members(argument).all(|(key, schema)| value.get(key).is_none() || fits(&schema)),
            "items" => {
                for (index, item) in items(value).enumerate() {
                    self.check(argument, item).map_err(|mistake| format!("[{index}]{mistake}"))?;
                }
                true
            }
            _ => true,
        };
        if holds { Ok(()) } else { Err(format!(": {value} breaks {keyword} {argument}")) }
    }

    /// The keywords about the members of a mapping.
    fn children(&self, keywords: &Map<String, Value>, object: &Map<String, Value>) -> Result<(), String> {
        for (key, value) in object {
            let below = |mistake| format!(".{key}{mistake}");
            if let Some(schema) = keywords.get("propertyNames") {
                self.check(schema, &Value::from(key.as_str())).map_err(below)?;
            }
            let own = keywords.get("properties").and_then(|properties| properties.get(key));
            let patterns = keywords.get("patternProperties").into_iter().flat_map(members);
            let matching = patterns.filter(|(pattern, _)| self.finds(pattern, key)).map(|(_, schema)| schema);
            let schemas: Vec<&Value> = own.into_iter().chain(matching).collect();
            let rest = keywords.get("additionalProperties").filter(|_| schemas.is_empty());
            schemas.into_iter().chain(rest).try_for_each(|schema| self.check(schema, value)).map_err(below)?;
        }
        Ok(())
    }

    fn finds(&self, pattern: &str, text: &str) -> bool {
        self.patterns[pattern].is_match(text)
    }
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
