//! Reading schema files: names first, then members, then roots, possible types and defaults.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use async_graphql_parser::types::{self as ast, ServiceDocument, TypeSystemDefinition};
use async_graphql_parser::{Error, Pos, Positioned, parse_schema};
use async_graphql_value::Name;

use super::coerce::{self, Input};
use super::{BUILT_IN, InputDef, InputDefault, Schema, Type, TypeId, TypeKind, TypeRef, check};
use crate::base::diagnostic::{Diagnostic, Place, did_you_mean};
use crate::base::id::FileId;
use crate::base::value::{DocBuilder, Sink};
use crate::plan::syntax::{self, Literal, Numbers, Prepared};

/// How deep defaults of inputs may lead into one another before they are taken to be a circle.
const DEFAULT_NESTING: usize = 16;

/// See [`Schema::read`].
pub(super) fn read(files: &[(FileId, Arc<str>)]) -> (Schema, Vec<Diagnostic>) {
    let built_in = (BUILT_IN, Arc::from(include_str!("built_in.graphql")));
    let (mut documents, mut diagnostics) = (Vec::new(), Vec::new());
    for (file, text) in std::iter::once(&built_in).chain(files) {
        match parse(*file, text) {
            Ok(document) => documents.extend(document),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    let mut reader = Reader { diagnostics, ..Reader::default() };
    for (source, document) in &documents {
        reader.declare(source, document);
    }
    for (source, document) in &documents {
        reader.fill(source, document);
    }
    reader.find_roots(&documents);
    reader.link();
    reader.settle_defaults();
    check::check(&reader.schema, &mut reader.diagnostics);
    (reader.schema, reader.diagnostics)
}

/// The schema while it is read.
#[derive(Default)]
pub(super) struct Reader<'a> {
    pub(super) schema: Schema,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) defaults: Vec<WrittenDefault<'a>>,
    /// Every directive that some file defines.
    pub(super) directive_names: BTreeSet<String>,
    /// Scalars that stand for names which no type has.
    placeholders: HashSet<TypeId>,
}

/// A default value as written, to be coerced when all types are known.
pub(super) struct WrittenDefault<'a> {
    pub(super) slot: Slot,
    pub(super) literal: Literal<'a>,
    pub(super) place: Place,
    pub(super) path: String,
}

/// Where an [`InputDef`] stands, by positions.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Argument { parent: TypeId, field: usize, argument: usize },
    Input { parent: TypeId, input: usize },
    Directive { directive: usize, argument: usize },
}

/// A schema file with what is needed to find bytes by line and column.
pub(super) struct Source {
    pub(super) file: FileId,
    /// Its numbers, for which the parser has zeros.
    pub(super) numbers: Numbers,
    /// As the parser reads it.
    text: String,
    line_starts: Vec<usize>,
}

impl Source {
    fn new(file: FileId, Prepared { text, numbers }: Prepared) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file, numbers, text, line_starts }
    }

    /// The place of `length` bytes from a position of the parser, whose columns count characters.
    pub(super) fn place(&self, position: Pos, length: usize) -> Place {
        let line = self.line_starts.get(position.line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let rest = &self.text[line..];
        let column = rest.char_indices().nth(position.column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
        let start = line + column;
        Place { file: self.file, bytes: start..(start + length).min(self.text.len()) }
    }

    /// Whether a directive's definition says `repeatable`. The parser has a field for it, which is
    /// true for every definition.
    pub(super) fn is_repeatable(&self, definition: &ast::DirectiveDefinition) -> bool {
        let Some(location) = definition.locations.first() else { return false };
        let (start, end) = (self.name(&definition.name).bytes.end, self.place(location.pos, 0).bytes.start);
        let between = self.text.get(start..end).unwrap_or_default();
        let after_arguments = between.rsplit(')').next().unwrap_or_default();
        after_arguments.split_whitespace().any(|word| word == "repeatable")
    }

    /// The place of a name.
    pub(super) fn name(&self, name: &Positioned<Name>) -> Place {
        self.place(name.pos, name.node.len())
    }
}

/// Parses one file; a file of comments and white space only has no document.
fn parse(file: FileId, text: &str) -> Result<Option<(Source, ServiceDocument)>, Box<Diagnostic>> {
    let wrong = |place, message| Box::new(Diagnostic::error("schema-syntax", place, "", message));
    let prepared = syntax::prepare(text).map_err(|mistaken| {
        let message = format!("this is not GraphQL: {}", mistaken.mistake);
        wrong(Place { file, bytes: mistaken.at..text.ceil_char_boundary(mistaken.at + 1) }, message)
    })?;
    let source = Source::new(file, prepared);
    if source.text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(None);
    }
    let document = parse_schema(&source.text).map_err(|error| {
        let position = error.positions().next().unwrap_or(Pos { line: 1, column: 1 });
        let message = match &error {
            Error::Syntax { message, .. } => format!("this is not GraphQL: {}", expectation(message)),
            other => other.to_string(),
        };
        wrong(source.place(position, 1), message)
    })?;
    Ok(Some((source, document)))
}

/// The last line of the parser's drawing, which says what it expected, in plain words.
pub fn expectation(drawing: &str) -> String {
    let line = drawing.lines().rev().find_map(|line| line.trim().strip_prefix("= ")).unwrap_or(drawing);
    line.replace("EOI", "the end").replace("type_ ", "type ").replace('_', " ").trim().to_owned()
}

impl<'a> Reader<'a> {
    /// Makes every type and directive known by name, without members.
    fn declare(&mut self, source: &Source, document: &ServiceDocument) {
        for definition in &document.definitions {
            let definition = match definition {
                TypeSystemDefinition::Type(definition) if !definition.node.extend => &definition.node,
                TypeSystemDefinition::Directive(definition) => {
                    self.directive_names.insert(definition.node.name.node.to_string());
                    continue;
                }
                _ => continue,
            };
            let place = source.name(&definition.name);
            let name: Arc<str> = definition.name.node.as_str().into();
            if let Some(first) = self.schema.names.get(&name) {
                let first = self.schema[*first].place.clone();
                self.report_twice("duplicate-type", &name, place, first);
                continue;
            }
            let description = definition.description.as_ref().map(|text| text.node.clone());
            self.add(Type { description, ..bare(name, kind_of(&definition.kind), place) });
        }
    }

    fn add(&mut self, found: Type) -> TypeId {
        let id = TypeId(self.schema.types.len() as u32);
        self.schema.names.insert(found.name.clone(), id);
        self.schema.types.push(found);
        id
    }

    /// Puts the members of every definition and extension into their types.
    fn fill(&mut self, source: &'a Source, document: &'a ServiceDocument) {
        for definition in &document.definitions {
            match definition {
                TypeSystemDefinition::Type(definition) => {
                    if let Some(id) = self.target(source, &definition.node) {
                        self.members(source, id, &definition.node);
                    }
                }
                TypeSystemDefinition::Directive(definition) => self.directive(source, &definition.node),
                TypeSystemDefinition::Schema(_) => {}
            }
        }
    }

    /// The type that a definition belongs to; `None` for a second definition of one name, and for
    /// an extension of nothing or of another kind.
    fn target(&mut self, source: &Source, definition: &ast::TypeDefinition) -> Option<TypeId> {
        let name = definition.name.node.as_str();
        let place = source.name(&definition.name);
        let Some(id) = self.schema.type_named(name) else {
            self.report_unknown(name, place, name);
            return None;
        };
        let found = &self.schema[id];
        if !definition.extend {
            return (found.place == place).then_some(id);
        }
        let kind = kind_of(&definition.kind);
        if found.kind == kind {
            return Some(id);
        }
        let message = format!("`{name}` is {}, so it cannot be extended as {}", found.kind.noun(), kind.noun());
        let first = found.place.clone();
        self.diagnostics
            .push(Diagnostic::error("extends-other-kind", place, name, message).related(first, "first defined here"));
        None
    }

    /// The type that a written reference means. An unknown name is reported at every mention and
    /// stands for a scalar from then on.
    pub(super) fn resolve(&mut self, source: &Source, written: &Positioned<ast::Type>, path: &str) -> TypeRef {
        let place = source.place(written.pos, written.node.to_string().len());
        self.resolve_type(&written.node, &place, path)
    }

    fn resolve_type(&mut self, written: &ast::Type, place: &Place, path: &str) -> TypeRef {
        let inner = match &written.base {
            ast::BaseType::Named(name) => {
                let id = self.resolve_name(name, place, path);
                TypeRef::Named { id, name: self.schema[id].name.clone() }
            }
            ast::BaseType::List(item) => TypeRef::List(Box::new(self.resolve_type(item, place, path))),
        };
        if written.nullable { inner } else { TypeRef::NonNull(Box::new(inner)) }
    }

    fn resolve_name(&mut self, name: &Name, place: &Place, path: &str) -> TypeId {
        let known = self.schema.type_named(name);
        match known {
            Some(id) if !self.placeholders.contains(&id) => id,
            _ => {
                self.report_unknown(name, place.clone(), path);
                let id = known.unwrap_or_else(|| self.add(bare(name.as_str().into(), TypeKind::Scalar, place.clone())));
                self.placeholders.insert(id);
                id
            }
        }
    }

    /// Reports a name that no type has.
    pub(super) fn report_unknown(&mut self, name: &str, place: Place, path: &str) {
        let known =
            self.schema.types.iter().enumerate().filter(|(at, found)| {
                !self.placeholders.contains(&TypeId(*at as u32)) && !found.name.starts_with("__")
            });
        let help = did_you_mean(name, known.map(|(_, found)| &*found.name));
        let message = format!("no type is called `{name}`");
        self.diagnostics.push(Diagnostic::error("unknown-type", place, path, message).help(help));
    }

    /// Reports a name that is taken.
    pub(super) fn report_twice(&mut self, code: &'static str, path: &str, place: Place, first: Place) {
        let diagnostic = Diagnostic::error(code, place, path, format!("`{path}` is defined twice"));
        self.diagnostics.push(match first.file {
            BUILT_IN => diagnostic.help("every GraphQL schema has this by itself; remove the definition"),
            _ => diagnostic.related(first, "first defined here"),
        });
    }

    fn find_roots(&mut self, documents: &[(Source, ServiceDocument)]) {
        self.schema.roots.meta = self.schema.names.remove("__Meta");
        let mut first: Option<Place> = None;
        let mut query_is_named = false;
        for (source, document) in documents {
            for definition in &document.definitions {
                let TypeSystemDefinition::Schema(definition) = definition else { continue };
                let place = source.place(definition.pos, "schema".len());
                if let Some(first) = first.clone().filter(|_| !definition.node.extend) {
                    self.report_twice("duplicate-schema", "schema", place, first);
                    continue;
                }
                first = first.or(Some(place));
                let written = &definition.node;
                query_is_named |= written.query.is_some();
                self.schema.roots.query = self.root(source, &written.query).or(self.schema.roots.query);
                self.schema.roots.mutation = self.root(source, &written.mutation).or(self.schema.roots.mutation);
                self.schema.roots.subscription =
                    self.root(source, &written.subscription).or(self.schema.roots.subscription);
            }
        }
        if first.is_none() {
            self.schema.roots.query = self.schema.type_named("Query");
            self.schema.roots.mutation = self.schema.type_named("Mutation");
            self.schema.roots.subscription = self.schema.type_named("Subscription");
        }
        if self.schema.roots.query.is_none() && !query_is_named {
            self.report_missing_query();
        }
    }

    /// A project may have types for its REST endpoints only; another root says that a graph is meant.
    fn report_missing_query(&mut self) {
        let Some(other) = self.schema.roots.mutation.or(self.schema.roots.subscription) else { return };
        let place = self.schema[other].place.clone();
        let diagnostic = Diagnostic::error("missing-query", place, "", "the schema has no query type");
        let help = "define `type Query { … }`, or name another type in `schema { query: … }`";
        self.diagnostics.push(diagnostic.help(help));
    }

    fn root(&mut self, source: &Source, name: &Option<Positioned<Name>>) -> Option<TypeId> {
        let name = name.as_ref()?;
        let found = self.schema.type_named(&name.node);
        if found.is_none() {
            self.report_unknown(&name.node, source.name(name), "schema");
        }
        found
    }

    /// Finds the object types that each type can be.
    fn link(&mut self) {
        for at in 0..self.schema.types.len() {
            let id = TypeId(at as u32);
            if self.schema.types[at].kind == TypeKind::Object {
                self.schema.types[at].possible.push(id);
                for interface in self.schema.types[at].interfaces.clone() {
                    self.schema.types[interface.index()].possible.push(id);
                }
            }
        }
        for found in &mut self.schema.types {
            found.possible.sort_unstable();
            found.possible.dedup();
        }
    }

    /// Coerces all defaults. One default may fill in another, so this repeats until nothing changes.
    fn settle_defaults(&mut self) {
        let written = std::mem::take(&mut self.defaults);
        for default in &written {
            let mut out = DocBuilder::default();
            coerce::write_literal(&default.literal, &mut out);
            self.set_default(default, out);
        }
        for round in 0..=DEFAULT_NESTING {
            let mut wrong = Vec::new();
            let mut changed = None;
            for default in &written {
                let mut out = DocBuilder::default();
                let input = Input::Literal(&default.literal);
                let ty = self.definition(default.slot).ty.clone();
                match coerce::coerce(&self.schema, &input, &ty, &mut out as &mut dyn Sink) {
                    Ok(()) if self.set_default(default, out) => changed = Some(default),
                    Ok(()) => {}
                    Err(mistakes) => wrong.extend(mistakes.iter().map(|mistake| {
                        let message = format!("the default: {mistake}");
                        Diagnostic::error("wrong-default", default.place.clone(), &default.path, message)
                    })),
                }
            }
            if let Some(default) = changed.filter(|_| round == DEFAULT_NESTING) {
                let message = "defaults of inputs lead to one another in a circle";
                wrong.push(Diagnostic::error("circular-defaults", default.place.clone(), &default.path, message));
            }
            if changed.is_none() || round == DEFAULT_NESTING {
                self.diagnostics.append(&mut wrong);
                return;
            }
        }
    }

    /// Stores a default; says whether it is another than before.
    fn set_default(&mut self, default: &WrittenDefault<'_>, out: DocBuilder) -> bool {
        let value = Arc::new(out.finish());
        let definition = self.definition_mut(default.slot);
        let changed = definition.default.as_ref().is_none_or(|before| before.value.bytes() != value.bytes());
        definition.default = Some(InputDefault { value, written: default.literal.to_string() });
        changed
    }

    fn definition(&self, slot: Slot) -> &InputDef {
        match slot {
            Slot::Argument { parent, field, argument } => &self.schema[parent].fields[field].args[argument],
            Slot::Input { parent, input } => &self.schema[parent].inputs[input],
            Slot::Directive { directive, argument } => &self.schema.directives[directive].args[argument],
        }
    }

    fn definition_mut(&mut self, slot: Slot) -> &mut InputDef {
        match slot {
            Slot::Argument { parent, field, argument } => {
                &mut self.schema.types[parent.index()].fields[field].args[argument]
            }
            Slot::Input { parent, input } => &mut self.schema.types[parent.index()].inputs[input],
            Slot::Directive { directive, argument } => &mut self.schema.directives[directive].args[argument],
        }
    }
}

/// A type without members.
fn bare(name: Arc<str>, kind: TypeKind, place: Place) -> Type {
    Type {
        name,
        kind,
        description: None,
        fields: Vec::new(),
        interfaces: Vec::new(),
        possible: Vec::new(),
        values: Vec::new(),
        inputs: Vec::new(),
        one_of: false,
        specified_by: None,
        place,
    }
}

fn kind_of(written: &ast::TypeKind) -> TypeKind {
    match written {
        ast::TypeKind::Scalar => TypeKind::Scalar,
        ast::TypeKind::Object(_) => TypeKind::Object,
        ast::TypeKind::Interface(_) => TypeKind::Interface,
        ast::TypeKind::Union(_) => TypeKind::Union,
        ast::TypeKind::Enum(_) => TypeKind::Enum,
        ast::TypeKind::InputObject(_) => TypeKind::Input,
    }
}
