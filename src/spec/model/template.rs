//! A value as the answer, body or message looks: literals, expressions, lists, objects, `$each`, `$merge`.

use crate::base::diagnostic::{Place, did_you_mean, suggestion};
use crate::spec::keys::{FromNode, Reader, Shape, words};
use crate::spec::yaml::{Kind, Node, Scalar};

use super::Located;
use super::step::read_named_list;

/// A value to be made.
#[derive(Clone, Debug)]
pub enum Template {
    /// A literal, an expression, or text with expressions in it.
    Scalar(Scalar),
    /// A list.
    List(List),
    /// An object.
    Object(Object),
    /// `{ $each, $as, $when }`: a list mapped.
    Each(Box<Each>),
    /// `{ $merge, $prefer }`: objects merged deeply.
    Merge(Merge),
}

/// A list of values.
#[derive(Clone, Debug)]
pub struct List {
    /// The items, in order.
    pub items: Vec<Template>,
    /// Where it is written.
    pub place: Place,
}

/// An object.
#[derive(Clone, Debug)]
pub struct Object {
    /// The members, in order; keys are distinct and hold no expressions.
    pub entries: Vec<Entry>,
    /// `$when`: the object is left out unless this is true.
    pub when: Option<Scalar>,
    /// Where it is written.
    pub place: Place,
}

/// One member of an object.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name of the member.
    pub key: Located<String>,
    /// Its value.
    pub value: Template,
}

/// A list mapped: `{ $each: "${list}", $as: … }`.
#[derive(Clone, Debug)]
pub struct Each {
    /// The name of the item; without it, `item`.
    pub name: Option<Located<String>>,
    /// The list.
    pub list: Scalar,
    /// `$when`: items for which this is not true are left out.
    pub when: Option<Scalar>,
    /// `$as`: what each item becomes.
    pub body: Template,
    /// Where it is written.
    pub place: Place,
}

/// Objects merged deeply: `{ $merge: [ … ] }`.
#[derive(Clone, Debug)]
pub struct Merge {
    /// What is merged, in order; null counts as an empty object.
    pub parts: Vec<Template>,
    /// `$prefer`: which of two values for one member counts; without it, two are an error.
    pub prefer: Option<Located<Prefer>>,
    /// `$when`: the object is left out unless this is true.
    pub when: Option<Scalar>,
    /// Where it is written.
    pub place: Place,
}

words! {
    /// Which of two values for one member counts.
    pub enum Prefer {
        /// That of the first part that has one.
        First = "first",
        /// That of the last part that has one.
        Last = "last",
        /// Neither: it is an error.
        Error = "error",
    }
}

impl Template {
    /// Where it is written.
    pub fn place(&self) -> &Place {
        match self {
            Self::Scalar(scalar) => &scalar.place,
            Self::List(list) => &list.place,
            Self::Object(object) => &object.place,
            Self::Each(each) => &each.place,
            Self::Merge(merge) => &merge.place,
        }
    }
}

impl FromNode for Template {
    fn shape() -> Shape {
        Shape::Template
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(scalar) => Some(Self::Scalar(scalar.clone())),
            Kind::Sequence(items) => {
                let items = read_items(items, reader);
                Some(Self::List(List { items, place: node.place.clone() }))
            }
            Kind::Mapping(pairs) => read_mapping(node, pairs, reader),
        }
    }
}

/// The keys that have a meaning of their own.
const DIRECTIVES: [&str; 5] = ["$each", "$as", "$when", "$merge", "$prefer"];

fn read_items(items: &[Node], reader: &mut Reader<'_>) -> Vec<Template> {
    let read = |(index, item)| reader.within_item(index, |reader| Template::read(item, reader));
    items.iter().enumerate().filter_map(read).collect()
}

fn read_mapping(node: &Node, pairs: &[(Located<String>, Node)], reader: &mut Reader<'_>) -> Option<Template> {
    let (own, allowed): (&str, &[&str]) = if node.member("$each").is_some() {
        ("$each", &["$each", "$as", "$when"])
    } else if node.member("$merge").is_some() {
        ("$merge", &["$merge", "$prefer", "$when"])
    } else {
        ("", &["$when"])
    };
    let fits = check_keys(pairs, own, allowed, reader);
    let when = node.member("$when").map(|when| reader.within("$when", |reader| Scalar::read(when, reader)));
    let fits = fits && !matches!(when, Some(None));
    let when = when.flatten();
    let template = match own {
        "$each" => read_each(node, when, reader)?,
        "$merge" => read_merge(node, when, reader)?,
        _ => Template::Object(Object { entries: read_entries(pairs, reader), when, place: node.place.clone() }),
    };
    // Everything was read, so that every mistake is reported; what has one is left out.
    fits.then_some(template)
}

/// Whether the keys of a mapping go together; reports those that do not.
fn check_keys(pairs: &[(Located<String>, Node)], own: &str, allowed: &[&str], reader: &mut Reader<'_>) -> bool {
    let mut fits = true;
    for (key, _) in pairs {
        let name = key.value.as_str();
        let diagnostic = if name.contains("${") {
            let message = "a key cannot hold an expression";
            reader
                .error("expression-in-key", &key.place, message)
                .help("keys are written out; a map with computed keys is an expression")
        } else if allowed.contains(&name) || (own.is_empty() && !name.starts_with('$')) {
            continue;
        } else if !own.is_empty() {
            let message = format!("`{name}` cannot stand beside `{own}`");
            let help =
                if name.starts_with('$') { did_you_mean(name, allowed.iter().copied()) } else { beside_help(own) };
            reader.error("misplaced-key", &key.place, message).help(help)
        } else if name == "$as" && pairs.iter().any(|(key, _)| is_misspelt_each(&key.value)) {
            fits = false;
            continue;
        } else if name == "$as" {
            reader.error("missing-key", &key.place, "`$as` needs `$each`").help("write `$each: \"${list}\"` beside it")
        } else if name == "$prefer" {
            reader.error("missing-key", &key.place, "`$prefer` needs `$merge`").help("write `$merge: [ … ]` beside it")
        } else {
            let message = format!("unknown key `{name}`: keys that begin with `$` belong to the language");
            reader.error("unknown-key", &key.place, message).help(did_you_mean(name, DIRECTIVES))
        };
        reader.report(diagnostic);
        fits = false;
    }
    fits
}

/// Whether a key is probably meant to be `$each`; that it is not is reported itself.
fn is_misspelt_each(key: &str) -> bool {
    key.starts_with('$') && !DIRECTIVES.contains(&key) && suggestion(key, DIRECTIVES.iter().copied()) == Some("$each")
}

fn beside_help(own: &str) -> String {
    match own {
        "$each" => "put what each item becomes under `$as`".to_owned(),
        _ => "add an object with it to the list of `$merge`".to_owned(),
    }
}

fn read_entries(pairs: &[(Located<String>, Node)], reader: &mut Reader<'_>) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(pairs.len());
    for (key, node) in pairs.iter().filter(|(key, _)| !key.value.starts_with('$')) {
        if let Some(value) = reader.within(&key.value, |reader| Template::read(node, reader)) {
            entries.push(Entry { key: key.clone(), value });
        }
    }
    entries
}

fn read_each(node: &Node, when: Option<Scalar>, reader: &mut Reader<'_>) -> Option<Template> {
    let named = node.member("$each").and_then(|list| reader.within("$each", |reader| read_named_list(list, reader)));
    let Some(body) = node.member("$as") else {
        let diagnostic = reader
            .error("missing-key", &node.place, "`$each` needs `$as`")
            .help("write what each item becomes, as in `{ $each: \"${list}\", $as: { id: \"${item.id}\" } }`");
        reader.report(diagnostic);
        return None;
    };
    let body = reader.within("$as", |reader| Template::read(body, reader));
    let (name, list) = named?;
    Some(Template::Each(Box::new(Each { name, list, when, body: body?, place: node.place.clone() })))
}

fn read_merge(node: &Node, when: Option<Scalar>, reader: &mut Reader<'_>) -> Option<Template> {
    let parts = node.member("$merge")?;
    let Kind::Sequence(items) = &parts.kind else {
        reader.within("$merge", |reader| reader.expected("a list of objects such as `[ \"${a}\", { b: 1 } ]`", parts));
        return None;
    };
    let parts = reader.within("$merge", |reader| read_items(items, reader));
    let prefer = match node.member("$prefer") {
        Some(node) => Some(reader.within("$prefer", |reader| Located::<Prefer>::read(node, reader))?),
        None => None,
    };
    Some(Template::Merge(Merge { parts, prefer, when, place: node.place.clone() }))
}
