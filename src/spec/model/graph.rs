//! `graph."Type.field"`: what stands behind the fields of the GraphQL schema.

use std::time::Duration;

use crate::base::diagnostic::Place;
use crate::spec::keys::{Definition, Entries, FromNode, Keys, ObjectDoc, Reader, Shape, define, keys, words};
use crate::spec::name::is_name;
use crate::spec::yaml::{Kind, Node};

use super::{AnswerCache, Composition, Filled, Located, Named, PartUse, Priority, Rate, Requirement, Stream, Switch};

/// The fields of the graph.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// `names`: how a field without an entry finds its member.
    pub names: Option<Located<GraphNames>>,
    /// The fields that have an entry, in written order.
    pub fields: Vec<Named<Field>>,
}

words! {
    /// How a GraphQL field without an entry finds its member in the parent object.
    pub enum GraphNames {
        /// By its own name.
        Same = "same",
        /// By its name in snake case: `priceCents` reads `price_cents`.
        SnakeCase = "snake_case",
    }
}

keys! {
    /// What stands behind one field. A bare value is short for `{ result: … }`.
    pub struct Field: "a graph field", as in "{ steps: { p: { backend: catalog, get: /products } }, result: \"${p}\" }" {
        /// The type and the field, from the key.
        coordinate: Coordinate = ..,
        /// A composition or a part.
        body: FieldBody = ..,
        /// How many parents are served at the same time, when its calls have no `batch`.
        parallel: Option<Located<u32>>,
        /// How many parents are served, when its calls have no `batch`.
        max: Option<Located<u32>>,
        /// How long it may take.
        timeout: Option<Located<Duration>>,
        /// A field of `Subscription`: a stream of events; steps and result that mention `event` are done for each.
        stream: Option<Stream>,
        /// Who may ask for it; `none` opens it to everybody.
        auth: Option<Switch<Requirement>>,
        /// How often callers may ask for it.
        rate: Option<Switch<Filled<Vec<Rate>>>>,
        /// How long clients may keep an answer with it.
        cache: Option<Switch<AnswerCache>>,
        /// When requests for it are refused, if there are too many.
        priority: Option<Located<Priority>>,
    }
}

/// The name of a field of the schema, `Type.field`.
#[derive(Clone, Debug)]
pub struct Coordinate {
    /// The type.
    pub type_name: Located<String>,
    /// The field; `__typename` says which type an interface or union value is.
    pub field_name: Located<String>,
}

/// What stands behind a field.
#[derive(Clone, Debug)]
pub enum FieldBody {
    /// Steps and result; `args` is always empty, because the schema declares them.
    Composition(Composition),
    /// A part; the field's arguments of the same name are handed over beside those written.
    Part(PartUse),
}

impl FromNode for Graph {
    const REQUIRED: bool = false;

    fn shape() -> Shape {
        Shape::Map(Box::new(<Field as FromNode>::shape()))
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::Mapping(pairs) = &node.kind else {
            reader
                .expected("a mapping from fields to what stands behind them, such as `{ Query.product: { … } }`", node);
            return None;
        };
        let mut graph = Self::default();
        for (key, node) in pairs {
            if key.value == "names" {
                graph.names = reader.within("names", |reader| Located::read(node, reader));
            } else {
                graph.fields.extend(define::<Field>(key, node, reader));
            }
        }
        Some(graph)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl Definition for Field {
    const KIND: &'static str = "graph field";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.is_mapping() {
            return Entries::read(node, Some(name), reader);
        }
        Entries::read(&node.under("result"), Some(name), reader)
    }
}

impl Keys for Coordinate {
    const DOC: ObjectDoc = ObjectDoc {
        name: "Coordinate",
        title: "a graph field",
        doc: "The key of a graph field: a type of the schema and one of its fields.",
        example: "Query.product",
        fields: &[],
        alternatives: &[],
    };

    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        Self::parse(entries.name()?, reader)
    }
}

impl Coordinate {
    /// The type and the field of `Type.field`; reports text that has another form.
    pub(super) fn parse(key: &Located<String>, reader: &mut Reader<'_>) -> Option<Self> {
        let parts = key.value.split_once('.').filter(|(type_name, field)| is_name(type_name) && is_name(field));
        let Some((type_name, field)) = parts else {
            let diagnostic = reader
                .error("malformed-field", &key.place, format!("`{}` is no field of a type", key.value))
                .help("write `Type.field`, as in `Query.product`");
            reader.report(diagnostic);
            return None;
        };
        let quotes = usize::from(key.place.bytes.len() > key.value.len());
        let start = key.place.bytes.start + quotes;
        let located = |text: &str, at: usize| Located {
            value: text.to_owned(),
            place: Place { file: key.place.file, bytes: start + at..start + at + text.len() },
        };
        Some(Self { type_name: located(type_name, 0), field_name: located(field, type_name.len() + 1) })
    }
}

impl Keys for FieldBody {
    const DOC: ObjectDoc = ObjectDoc {
        name: "FieldBody",
        title: "a graph field",
        doc: "What stands behind a graph field: steps and a result, or a part.",
        example: "{ part: seller, args: { id: \"${parent.seller_id}\" } }",
        fields: &[],
        alternatives: &[&Composition::DOC, &PartUse::DOC],
    };

    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if let Some((key, _)) = entries.take("deprecated") {
            let diagnostic = reader
                .error("misplaced-key", &key.place, "the schema says which fields are deprecated")
                .help("write `@deprecated(reason: \"…\")` at the field in `schema/`");
            reader.report(diagnostic);
        }
        let written = entries.find("steps").or(entries.find("result"));
        match (entries.find("part"), written) {
            (Some(part), Some(other)) => {
                let diagnostic = reader
                    .error("conflicting-keys", &other.place, format!("`{}` cannot stand beside `part`", other.value))
                    .help("put the part in a step of `steps`")
                    .related(part.place.clone(), "`part` stands here");
                reader.report(diagnostic);
                entries.skip(&Self::DOC);
                None
            }
            (Some(_), None) => PartUse::take(entries, reader).map(Self::Part),
            (None, Some(_)) => {
                let why = "the arguments of a graph field are declared in the schema";
                Composition::take_without_args(entries, reader, why).map(Self::Composition)
            }
            (None, None) if entries.has_any(&["stream"]) => Composition::take(entries, reader).map(Self::Composition),
            (None, None) => {
                if !entries.has_any(&["query"]) {
                    let diagnostic = reader
                        .error("empty", entries.place(), "nothing stands behind this field")
                        .help("write `steps` and a `result`, or a `part`");
                    reader.report(diagnostic);
                }
                entries.skip(&Self::DOC);
                None
            }
        }
    }
}
