//! An operation with what answers each of its fields: everything resolved that does not depend on
//! its variables.

use std::sync::Arc;

use super::selection::{Field, FieldSource, Operation, Selection};
use crate::base::id::FieldId;
use crate::base::value::Held;
use crate::expr::Wanted;
use crate::plan::schema::{TypeId, TypeKind};
use crate::plan::{Expr, Field as BoundField, Graph};
use crate::policy::overload::Class;

/// An operation, ready to run on one plan.
#[derive(Debug)]
pub struct Planned {
    /// What was asked.
    pub operation: Operation,
    /// The fields with what answers them.
    pub selection: PlannedSelection,
    /// How many bound fields there are.
    pub groups: usize,
    /// Whether running it may change something at a backend.
    pub writes: bool,
    /// How important it is: as its most important root field.
    pub class: Class,
}

/// A selection with what answers its fields.
#[derive(Debug, Default)]
pub struct PlannedSelection {
    /// The fields in the order of the answer.
    pub fields: Vec<PlannedField>,
    /// Whether some field at or below this has to run for its parents.
    pub runs: bool,
}

/// A field with what answers it.
#[derive(Debug)]
pub struct PlannedField {
    /// What was asked.
    pub field: Arc<Field>,
    /// What answers it.
    pub answers: Answers,
    /// What is answered of it.
    pub selection: PlannedSelection,
}

/// What answers a field.
#[derive(Debug)]
pub enum Answers {
    /// The member of this name of the parent.
    Member(Box<str>),
    /// A composition, run for all parents before the answer is written.
    Bound {
        /// Which composition.
        field: FieldId,
        /// The part of its result that is selected, and what that needs.
        value: Expr,
        /// Which of the operation's bound fields it is.
        group: usize,
    },
    /// An expression over parent and arguments, computed while the answer is written.
    Expression(FieldId),
    /// The name of the object's type.
    Typename,
    /// Something that the schema has the answer to.
    Introspection,
}

impl Planned {
    /// Resolves an operation against a graph and the bound fields of its plan.
    pub fn new(graph: &Graph, bound: &[BoundField], operation: Operation) -> Self {
        let mut groups = 0;
        let planner = Planner { graph, bound };
        let selection = planner.selection(&operation.selection, &mut groups);
        let roots = || {
            selection.fields.iter().filter_map(|field| match &field.answers {
                Answers::Bound { field, .. } => Some(&bound[field.index()]),
                _ => None,
            })
        };
        let writes = roots().any(|field| field.composition.writes);
        let class = roots().map(|field| field.class).max().unwrap_or_default();
        Self { operation, selection, groups, writes, class }
    }
}

impl AsRef<Operation> for Planned {
    fn as_ref(&self) -> &Operation {
        &self.operation
    }
}

impl PlannedField {
    /// Whether the field is answered for these variables.
    pub fn is_included(&self, variables: &Held) -> bool {
        self.field.conditions.is_empty()
            || match variables {
                Held::Doc(doc, node) => self.field.is_included(doc.view(*node)),
                _ => true,
            }
    }
}

/// What answers a field of an interface for some of its types.
struct Way {
    entry: Option<FieldId>,
    /// Where the field stands in the first of the types.
    position: usize,
    /// Never empty.
    objects: Vec<TypeId>,
}

struct Planner<'p> {
    graph: &'p Graph,
    bound: &'p [BoundField],
}

impl Planner<'_> {
    fn selection(&self, selection: &Selection, groups: &mut usize) -> PlannedSelection {
        let fields = selection.fields.iter().flat_map(|field| self.by_type(field));
        let fields: Vec<PlannedField> = fields.map(|field| self.field(&field, groups)).collect();
        let runs = fields.iter().any(|field| matches!(field.answers, Answers::Bound { .. }) || field.selection.runs);
        PlannedSelection { fields, runs }
    }

    /// A field that is asked of an interface, once for each way in which its types answer it: entries
    /// and members belong to object types.
    fn by_type(&self, field: &Arc<Field>) -> Vec<Arc<Field>> {
        let parent = &self.graph.schema[field.parent];
        if parent.kind != TypeKind::Interface || !matches!(field.source, FieldSource::Schema(_)) {
            return vec![field.clone()];
        }
        let mut ways: Vec<Way> = Vec::new();
        for object in field.on.as_deref().unwrap_or(&parent.possible).iter().copied() {
            let fields = &self.graph.schema[object].fields;
            let Some(position) = fields.iter().position(|known| known.name == *field.name) else { continue };
            let entry = self.graph.bound[object.index()][position];
            match ways.iter_mut().find(|way| way.entry == entry) {
                Some(way) => way.objects.push(object),
                None => ways.push(Way { entry, position, objects: vec![object] }),
            }
        }
        if ways.iter().all(|way| way.entry.is_none()) {
            return vec![field.clone()];
        }
        let one = |way: Way| {
            let (parent, source) = (way.objects[0], FieldSource::Schema(way.position));
            Arc::new(Field { on: Some(way.objects.into()), parent, source, ..Field::clone(field) })
        };
        ways.into_iter().map(one).collect()
    }

    fn field(&self, field: &Arc<Field>, groups: &mut usize) -> PlannedField {
        let (answers, selection) = match field.source {
            FieldSource::Typename => (Answers::Typename, PlannedSelection::default()),
            FieldSource::Introspection => (Answers::Introspection, PlannedSelection::default()),
            FieldSource::Schema(index) => {
                let answers = self.answers(field, index, &field.selection, groups);
                (answers, self.selection(&field.selection, groups))
            }
        };
        PlannedField { answers, selection, field: field.clone() }
    }

    fn answers(&self, field: &Field, index: usize, inner: &Selection, groups: &mut usize) -> Answers {
        let Some(id) = self.graph.bound[field.parent.index()][index] else {
            return Answers::Member(self.graph.members[field.parent.index()][index].clone());
        };
        let bound = &self.bound[id.index()];
        if bound.pure && inner.fields.is_empty() {
            return Answers::Expression(id);
        }
        let group = *groups;
        *groups += 1;
        let result = &bound.composition.result;
        let value = match self.wanted(field.named, inner) {
            Wanted::All => result.clone(),
            wanted => {
                let node = result.node.pruned(&wanted);
                Expr { needs: crate::plan::needs_of(&node, &bound.composition.sources), node }
            }
        };
        Answers::Bound { field: id, value, group }
    }

    /// The members of a value that a selection reads. A bound field below reads its parent as it
    /// likes, and a type that is told by an expression too: then everything is wanted.
    fn wanted(&self, named: TypeId, selection: &Selection) -> Wanted {
        let abstract_type = matches!(self.graph.schema[named].kind, TypeKind::Interface | TypeKind::Union);
        if abstract_type || selection.fields.is_empty() {
            return Wanted::All;
        }
        let mut members: Vec<(Box<str>, Wanted)> = Vec::new();
        for field in &selection.fields {
            match field.source {
                FieldSource::Schema(index) if self.graph.bound[field.parent.index()][index].is_some() => {
                    return Wanted::All;
                }
                FieldSource::Schema(index) => {
                    let name = self.graph.members[field.parent.index()][index].clone();
                    let wanted = self.wanted(field.named, &field.selection);
                    match members.iter_mut().find(|(known, _)| *known == name) {
                        None => members.push((name, wanted)),
                        Some((_, known)) if *known != wanted => *known = Wanted::All,
                        Some(_) => {}
                    }
                }
                FieldSource::Typename | FieldSource::Introspection => {}
            }
        }
        Wanted::Members(members)
    }
}
