//! From YAML nodes to compiled schemas. Mistakes are reported in the document that they stand in.

use std::collections::HashMap;
use std::rc::Rc;

use super::canonical::{canonical, document};
use super::outline::outlines;
use super::{Allowed, Kinds, Property, Rules, SchemaId, Schemas};
use crate::base::diagnostic::{Place, did_you_mean};
use crate::base::id::FileId;
use crate::expr::Pattern;
use crate::plan::contract::documents::{Document, Documents, Spot, escaped};
use crate::spec::Literal;
use crate::spec::yaml::{Kind, Node};

/// Which words a document's schemas are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// JSON Schema, and OpenAPI 3.1, which takes it as it is.
    JsonSchema,
    /// OpenAPI 3.0: `nullable`, boolean `exclusiveMinimum`, nothing beside `$ref`.
    OpenApi30,
}

/// Keywords that change what a schema allows and that nothing here knows.
const UNSUPPORTED: &[&str] = &[
    "$dynamicRef",
    "$recursiveRef",
    "additionalItems",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Reads schemas into one table.
pub struct Reader<'d, 'r> {
    documents: &'d Documents<'r>,
    sort: Sort,
    /// Stands before the names of what references lead to.
    prefix: String,
    rules: Vec<Rules>,
    /// Schemas by where they are written.
    known: HashMap<(FileId, usize, usize), SchemaId>,
    /// What references lead to, still to be read: references may form chains of any length.
    open: Vec<(SchemaId, Spot)>,
}

/// Where something stands: its document, and the way to it.
type At<'a> = (&'a Rc<Document>, &'a str);

impl<'d, 'r> Reader<'d, 'r> {
    /// A reader of a document's schemas. `prefix` tells types of the same name apart, such as `catalog.`.
    pub fn new(documents: &'d Documents<'r>, sort: Sort, prefix: &str) -> Self {
        Self { documents, sort, prefix: prefix.to_owned(), rules: Vec::new(), known: HashMap::new(), open: Vec::new() }
    }

    /// Reads the schema at a place, which people call `name` where it has no name of its own.
    pub fn read(&mut self, spot: &Spot, name: &str) -> Option<SchemaId> {
        let node = spot.node()?;
        Some(self.schema(node, (&spot.document, &spot.pointer), name))
    }

    /// The schemas that were read, with everything that they refer to.
    pub fn finish(mut self) -> Schemas {
        while let Some((id, spot)) = self.open.pop() {
            let Some(node) = spot.node() else { continue };
            let name = spot.pointer.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("the schema");
            let name = format!("{}{name}", self.prefix);
            let rules = self.rules_of(node, (&spot.document, &spot.pointer), &name);
            self.rules[id.0 as usize] = rules;
        }
        let outlines = outlines(&self.rules);
        Schemas { rules: self.rules, outlines }
    }

    fn schema(&mut self, node: &Node, at: At<'_>, name: &str) -> SchemaId {
        let key = (node.place.file, node.place.bytes.start, node.place.bytes.end);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let id = self.reserve(key);
        let rules = self.rules_of(node, at, name);
        self.rules[id.0 as usize] = rules;
        id
    }

    fn reserve(&mut self, key: (FileId, usize, usize)) -> SchemaId {
        let id = SchemaId(self.rules.len() as u32);
        self.rules.push(Rules::default());
        self.known.insert(key, id);
        id
    }

    fn rules_of(&mut self, node: &Node, at: At<'_>, name: &str) -> Rules {
        let mut rules = Rules { name: name.into(), ..Rules::default() };
        let pairs = match &node.kind {
            Kind::Mapping(pairs) => pairs,
            Kind::Scalar(scalar) if scalar.value == Literal::Bool(true) => return rules,
            Kind::Scalar(scalar) if scalar.value == Literal::Bool(false) => return Rules { never: true, ..rules },
            _ => {
                self.wrong(&node.place, at.1, "a schema is a mapping, `true` or `false`", String::new());
                return rules;
            }
        };
        if let Some(reference) = node.member("$ref") {
            rules.reference = self.reference(reference, at);
            if self.sort == Sort::OpenApi30 {
                return rules;
            }
        }
        for (key, value) in pairs {
            let pointer = format!("{}/{}", at.1, escaped(&key.value));
            self.keyword(&mut rules, (&key.value, value), (at.0, &pointer));
            if UNSUPPORTED.contains(&key.value.as_str()) {
                rules.unsupported.push((key.value.clone(), key.place.clone()));
            }
        }
        if self.sort == Sort::OpenApi30 {
            older_words(node, &mut rules);
        }
        rules
    }

    fn reference(&mut self, node: &Node, (document, pointer): At<'_>) -> Option<SchemaId> {
        let Some(Literal::Text(text)) = literal(node) else {
            self.wrong(&node.place, pointer, "a reference is text", "write it as in `#/components/schemas/Product`");
            return None;
        };
        let spot = self.documents.follow(document, text, (document, &node.place, pointer))?;
        let target = spot.node()?;
        let key = (target.place.file, target.place.bytes.start, target.place.bytes.end);
        if let Some(known) = self.known.get(&key) {
            return Some(*known);
        }
        let id = self.reserve(key);
        self.open.push((id, spot));
        Some(id)
    }

    fn keyword(&mut self, rules: &mut Rules, (key, value): (&str, &Node), at: At<'_>) {
        match key {
            "type" => rules.kinds = self.kinds(value, at),
            "enum" => rules.values = self.values(value, at),
            "const" => rules.values = Some(vec![allowed(value)]),
            "minimum" => rules.minimum = self.bound(value, at),
            "maximum" => rules.maximum = self.bound(value, at),
            "exclusiveMinimum" => rules.exclusive_minimum = self.bound(value, at),
            "exclusiveMaximum" => rules.exclusive_maximum = self.bound(value, at),
            "multipleOf" => rules.multiple_of = self.number(value, at).map(str::to_owned),
            "minLength" => rules.min_length = self.count(value, at),
            "maxLength" => rules.max_length = self.count(value, at),
            "pattern" => rules.pattern = self.pattern(value, at),
            "items" => match &value.kind {
                // The form of draft 7 that gives each position a schema of its own.
                Kind::Sequence(_) => rules.unsupported.push(("items with a list".to_owned(), value.place.clone())),
                _ => rules.items = Some(self.schema(value, at, &format!("an item of {}", rules.name))),
            },
            "minItems" => rules.min_items = self.count(value, at),
            "maxItems" => rules.max_items = self.count(value, at),
            "uniqueItems" => rules.unique_items = literal(value) == Some(&Literal::Bool(true)),
            "properties" => self.properties(rules, value, at),
            "required" => rules.required = self.names(value, at),
            "additionalProperties" => {
                rules.others = Some(self.schema(value, at, &format!("a member of {}", rules.name)));
            }
            "minProperties" => rules.min_properties = self.count(value, at),
            "maxProperties" => rules.max_properties = self.count(value, at),
            "allOf" => rules.all_of = self.schemas(value, at, &|_| rules.name.to_string()),
            "anyOf" => rules.any_of = self.schemas(value, at, &|index| alternative(&rules.name, index)),
            "oneOf" => rules.one_of = self.schemas(value, at, &|index| alternative(&rules.name, index)),
            "not" => rules.not = Some(self.schema(value, at, &rules.name.clone())),
            _ => {}
        }
    }

    fn kinds(&mut self, node: &Node, at: At<'_>) -> Option<Kinds> {
        let words: Vec<&Node> = match &node.kind {
            Kind::Sequence(items) => items.iter().collect(),
            _ => vec![node],
        };
        let mut kinds = Kinds::NONE;
        for word in words {
            let text = match literal(word) {
                Some(Literal::Text(text)) => text.as_str(),
                // Unquoted in YAML.
                Some(Literal::Null) => "null",
                _ => "",
            };
            let Some(kind) = Kinds::of_word(text) else {
                let known = Kinds::WORDS.iter().map(|(word, _)| *word);
                let message = format!("`{text}` is no type of JSON");
                self.wrong(&word.place, at.1, &message, did_you_mean(text, known));
                return None;
            };
            kinds = kinds.or(kind);
        }
        Some(kinds)
    }

    fn values(&mut self, node: &Node, at: At<'_>) -> Option<Vec<Allowed>> {
        let Kind::Sequence(items) = &node.kind else {
            self.wrong(&node.place, at.1, "`enum` is a list of values", "");
            return None;
        };
        Some(items.iter().map(allowed).collect())
    }

    /// A bound; `None` for the boolean that OpenAPI 3.0 writes in the place of an exclusive one.
    fn bound(&mut self, node: &Node, at: At<'_>) -> Option<f64> {
        match (self.sort, literal(node)) {
            (Sort::OpenApi30, Some(Literal::Bool(_))) => None,
            _ => self.number(node, at)?.parse().ok(),
        }
    }

    fn number<'n>(&mut self, node: &'n Node, at: At<'_>) -> Option<&'n str> {
        if let Some(Literal::Number(text)) = literal(node) {
            return Some(text);
        }
        self.wrong(&node.place, at.1, "a number is needed here", "");
        None
    }

    fn count(&mut self, node: &Node, at: At<'_>) -> Option<u64> {
        let count = self.number(node, at)?.parse().ok();
        if count.is_none() {
            self.wrong(&node.place, at.1, "a whole number from 0 is needed here", "");
        }
        count
    }

    fn pattern(&mut self, node: &Node, at: At<'_>) -> Option<Pattern> {
        let Some(Literal::Text(text)) = literal(node) else {
            self.wrong(&node.place, at.1, "a regular expression is text", "");
            return None;
        };
        Pattern::compile(text).map_err(|message| self.wrong(&node.place, at.1, &message, "")).ok()
    }

    fn names(&mut self, node: &Node, at: At<'_>) -> Vec<String> {
        let Kind::Sequence(items) = &node.kind else {
            // Draft 3 and OpenAPI documents written by hand say `required: true` at the member.
            self.wrong(&node.place, at.1, "`required` is a list of names", "write it beside `properties`");
            return Vec::new();
        };
        let name = |item: &Node| match literal(item) {
            Some(Literal::Text(text) | Literal::Number(text)) => Some(text.clone()),
            _ => None,
        };
        items.iter().filter_map(name).collect()
    }

    fn properties(&mut self, rules: &mut Rules, node: &Node, at: At<'_>) {
        let Kind::Mapping(pairs) = &node.kind else {
            return self.wrong(&node.place, at.1, "`properties` is a mapping from names to schemas", "");
        };
        for (name, schema) in pairs {
            let pointer = format!("{}/{}", at.1, escaped(&name.value));
            let read_only = schema.member("readOnly").and_then(literal) == Some(&Literal::Bool(true));
            let called = format!("{}.{}", rules.name, name.value);
            let schema = self.schema(schema, (at.0, &pointer), &called);
            rules.properties.push(Property { name: name.value.clone(), schema, read_only });
        }
    }

    fn schemas(&mut self, node: &Node, at: At<'_>, name: &dyn Fn(usize) -> String) -> Vec<SchemaId> {
        let Kind::Sequence(items) = &node.kind else {
            self.wrong(&node.place, at.1, "a list of schemas is needed here", "");
            return Vec::new();
        };
        let each =
            |(index, item): (usize, &Node)| self.schema(item, (at.0, &format!("{}/{index}", at.1)), &name(index));
        items.iter().enumerate().map(each).collect()
    }

    fn wrong(&self, place: &Place, pointer: &str, message: &str, help: impl Into<String>) {
        self.documents.report(place, pointer, message.to_owned(), help.into());
    }
}

/// What an alternative is called. Types with one name are one type, and alternatives are several.
fn alternative(name: &str, index: usize) -> String {
    format!("alternative {} of {name}", index + 1)
}

/// What OpenAPI 3.0 says in words of its own: `nullable`, and booleans beside bounds.
fn older_words(node: &Node, rules: &mut Rules) {
    let says = |key: &str| node.member(key).and_then(literal) == Some(&Literal::Bool(true));
    if let (true, Some(kinds)) = (says("nullable"), rules.kinds) {
        rules.kinds = Some(kinds.or(Kinds::NULL));
    }
    if says("exclusiveMinimum") {
        rules.exclusive_minimum = rules.minimum.take();
    }
    if says("exclusiveMaximum") {
        rules.exclusive_maximum = rules.maximum.take();
    }
}

fn literal(node: &Node) -> Option<&Literal> {
    match &node.kind {
        Kind::Scalar(scalar) => Some(&scalar.value),
        _ => None,
    }
}

fn allowed(node: &Node) -> Allowed {
    let document = Rc::new(document(node));
    let value = document.value();
    let shown = document.to_json();
    let (canonical, kind) = (canonical(&value), super::validate::kind_of(&value));
    Allowed { canonical, shown, text: value.as_text().map(Box::from), kind }
}
