//! The schema of the files of a profile, which may leave out what the project's files say.

use serde_json::Value;

/// Takes out of a schema, and of all schemas in it, what asks for keys.
pub(super) fn loosen(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    for asks in ["required", "dependentRequired", "minProperties"] {
        members.remove(asks);
    }
    for choice in ["oneOf", "anyOf"] {
        if members.get(choice).and_then(Value::as_array).is_some_and(|ways| ways.iter().all(only_asks)) {
            members.remove(choice);
        }
    }
    for (word, inner) in members {
        match (word.as_str(), inner) {
            ("properties" | "patternProperties" | "dependentSchemas" | "$defs", Value::Object(named)) => {
                named.values_mut().for_each(loosen);
            }
            ("oneOf" | "anyOf", Value::Array(ways)) => ways.iter_mut().for_each(loosen),
            ("items" | "additionalProperties", inner) => loosen(inner),
            _ => {}
        }
    }
}

/// Whether a schema says nothing but that keys must be there.
fn only_asks(schema: &Value) -> bool {
    schema.as_object().is_some_and(|members| members.keys().all(|word| word == "required"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::loosen;

    #[test]
    fn keys_may_be_missing_everywhere_and_may_be_called_anything() {
        let mut schema = json!({
            "oneOf": [{ "required": ["a"] }, { "required": ["required"] }],
            "properties": { "required": { "anyOf": [{ "type": "object", "required": ["b"] }, { "type": "null" }] } },
            "enum": ["required"],
        });
        loosen(&mut schema);
        let loose = json!({
            "properties": { "required": { "anyOf": [{ "type": "object" }, { "type": "null" }] } },
            "enum": ["required"],
        });
        assert_eq!(schema, loose);
    }
}
