//! The JSON Schema of composition files, for editors: made from the tables that the reader reads by.
//!
//! The tables say keys, meanings and shapes. What they leave to checks in code, and a schema can say all the
//! same, stands in [`rules`]. The schema is never stricter than `selvedge check`; it is looser wherever names,
//! types or several files would have to be known.

mod object;
mod partial;
mod rules;
mod shape;

use serde_json::{Map, Value, json};

use super::keys::{Keys, ObjectDoc};
use super::model::Spec;

/// The JSON Schema (draft 2020-12) of one composition file, indented; the same text every time.
pub fn json_schema() -> String {
    format!("{:#}\n", schema_of("A composition file of Selvedge"))
}

/// The JSON Schema of one file of a profile: the same, but that every key may be missing.
pub fn partial_json_schema() -> String {
    let mut schema = schema_of("A file of a profile of Selvedge");
    partial::loosen(&mut schema);
    format!("{schema:#}\n")
}

fn schema_of(title: &str) -> Value {
    let mut definitions = Definitions { written: shape::definitions() };
    let mut root = definitions.mapping(&Spec::DOC);
    // A project needs every section that is required; each of its files may leave it to another.
    root.remove("required");
    root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".to_owned(), json!(title));
    root.insert("$defs".to_owned(), Value::Object(definitions.written));
    Value::Object(root)
}

/// The definitions (`$defs`) that were written so far.
struct Definitions {
    written: Map<String, Value>,
}

impl Definitions {
    /// A reference to the definition of a mapping, which is written if it was not yet.
    fn reference(&mut self, doc: &'static ObjectDoc) -> Value {
        if !self.written.contains_key(doc.name) {
            // Types of the language contain each other: a definition is known before it is made.
            self.written.insert(doc.name.to_owned(), Value::Null);
            let definition = Value::Object(self.mapping(doc));
            self.written.insert(doc.name.to_owned(), definition);
        }
        reference(doc.name)
    }
}

/// A reference to a definition.
fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

#[cfg(test)]
mod tests;
