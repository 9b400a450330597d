//! Explains a GraphQL operation: which of its fields call, how often at most, after what.

use std::collections::BTreeMap;

use super::super::model::{Argument, Head, ListSize, Operation, OperationField, Subject, Taken};
use super::expression::expression;
use super::naming::Naming;
use super::{Whole, head};
use crate::base::id::FieldId;
use crate::plan::analysis::{Calls, Flow, Runs};
use crate::plan::operation::selection::{Condition, Field, InputValue, Test, VariableDef};
use crate::plan::operation::{Answers, OperationKind, Planned, PlannedField, PlannedSelection};
use crate::plan::schema::TypeRef;
use crate::plan::{Expr, Graph, Plan};

/// Items that a list is taken to have where nothing says how many: the language's bound of lists.
const LIST_SIZE: u64 = 100;
/// Arguments that say how many items a field gives, by the custom of GraphQL schemas.
const SLICING: [&str; 3] = ["first", "last", "limit"];

/// The head of a document.
pub(in crate::plan::explain) fn head_of_document(graph: &Graph, planned: &Planned) -> Head {
    let asked = &planned.operation;
    let kind = match asked.kind {
        OperationKind::Query => "query",
        OperationKind::Mutation => "mutation",
    };
    Head {
        name: asked.name.as_ref().map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}")),
        subject: Subject::Document(graph.timeout),
        summary: None,
        about: Vec::new(),
        failures: Vec::new(),
        arguments: asked.variables.iter().map(variable).collect(),
    }
}

/// Explains an operation of a plan with a graph.
pub(in crate::plan::explain) fn operation((plan, graph): (&Plan, &Graph), planned: &Planned, head: Head) -> Operation {
    let asked = &planned.operation;
    let mut walk = Walk { plan, graph, variables: &asked.variables, found: Found::default() };
    walk.selection(&planned.selection, &Here { objects: 1, ..Here::default() });
    let Found { mut fields, taken, lists } = walk.found;
    if asked.kind == OperationKind::Mutation {
        let roots: Vec<usize> = (0..fields.len()).filter(|field| fields[*field].after.is_none()).collect();
        roots.windows(2).for_each(|pair| fields[pair[1]].before = Some(pair[0]));
    }
    let chain = chain(&fields, asked.kind);
    Operation {
        head,
        kind: asked.kind,
        depth: chain.iter().map(|field| fields[*field].explanation.cost.depth).sum(),
        chain,
        fields,
        taken,
        lists,
    }
}

/// What was found on the way through an operation.
#[derive(Default)]
struct Found {
    fields: Vec<OperationField>,
    taken: Vec<Taken>,
    lists: Vec<ListSize>,
}

struct Walk<'p> {
    plan: &'p Plan,
    graph: &'p Graph,
    variables: &'p [VariableDef],
    found: Found,
}

/// Where a selection stands in the answer.
#[derive(Clone, Default)]
struct Here {
    /// The response keys on the way, with dots.
    path: String,
    /// Objects at most.
    objects: u64,
    /// The nearest field on the way that calls.
    after: Option<usize>,
    /// The conditions on the way.
    only_if: Vec<String>,
    /// How many items the next list on the way has, and what says so.
    size: Option<(u64, String)>,
}

impl Walk<'_> {
    fn selection(&mut self, selection: &PlannedSelection, here: &Here) {
        for field in &selection.fields {
            self.field(field, here);
        }
    }

    fn field(&mut self, planned: &PlannedField, here: &Here) {
        let field = &*planned.field;
        let path = match &*here.path {
            "" => field.response_name.to_string(),
            path => format!("{path}.{}", field.response_name),
        };
        let mut only_if = here.only_if.clone();
        only_if.extend(condition(&field.conditions));
        let size = self.size(field).or_else(|| here.size.clone());
        let mut below = Here { path, objects: here.objects, after: here.after, only_if, size };
        match &planned.answers {
            Answers::Typename => return,
            Answers::Introspection => self.take(here, field, Some("answered by the gateway itself".to_owned())),
            Answers::Member(_) if planned.selection.fields.is_empty() => self.take(here, field, None),
            Answers::Member(_) => {}
            Answers::Expression(id) => self.take(here, field, Some(self.computed(*id))),
            Answers::Bound { field: id, value, .. } => match self.calling((*id, value), &below) {
                Some(calling) => {
                    below.after = Some(calling);
                    below.objects = below.objects.min(self.plan.fields[id.index()].max as u64);
                }
                None => self.take(here, field, Some(self.computed(*id))),
            },
        }
        self.count_items(&field.ty, &mut below);
        self.selection(&planned.selection, &below);
    }

    /// Adds a field that calls; `None` when nothing is called for what is selected of it.
    fn calling(&mut self, (id, value): (FieldId, &Expr), here: &Here) -> Option<usize> {
        let bound = &self.plan.fields[id.index()];
        let composition = &bound.composition;
        let runs = match Runs::of_field(self.plan, bound) {
            Runs::ForEachParent { parallel, max } => Runs::ForEachParent { parallel, max: max.min(here.objects) },
            runs => runs,
        };
        let flow = Flow::new(&composition.sources, &composition.scope, &value.needs);
        let whole = Whole { runs, ..Whole::of_field(self.plan, bound) };
        let explanation = whole.explained(&flow, head::of_field(&whole, bound), &[(None, &value.node)]);
        if explanation.cost.backends.is_empty() {
            return None;
        }
        let calls = explanation.cost.backends.iter();
        let calls = calls.map(|cost| (cost.backend.clone(), at_most(&cost.calls, here.objects))).collect();
        self.found.fields.push(OperationField {
            path: here.path.clone(),
            after: here.after,
            before: None,
            only_if: here.only_if.clone(),
            objects: here.objects,
            explanation,
            calls,
        });
        Some(self.found.fields.len() - 1)
    }

    fn computed(&self, id: FieldId) -> String {
        let composition = &self.plan.fields[id.index()].composition;
        let flow = Flow::new(&composition.sources, &composition.scope, &[]);
        expression(&composition.result.node, &Naming::new(&flow))
    }

    /// Notes a field that needs no call of its own.
    fn take(&mut self, here: &Here, field: &Field, how: Option<String>) {
        let name = (field.response_name.to_string(), how);
        match self.found.taken.iter_mut().find(|taken| taken.path == here.path) {
            Some(taken) => taken.fields.push(name),
            None => self.found.taken.push(Taken { path: here.path.clone(), fields: vec![name] }),
        }
    }

    /// Multiplies the objects by the items of each list of a type.
    fn count_items(&mut self, ty: &TypeRef, here: &mut Here) {
        let lists = std::iter::successors(ty.item(), |item| item.item()).count();
        for _ in 0..lists {
            let (size, because) = here.size.take().unwrap_or((LIST_SIZE, "assumed".to_owned()));
            here.objects = here.objects.saturating_mul(size);
            if self.graph.schema[ty.named()].kind.is_composite() {
                self.found.lists.push(ListSize { path: here.path.clone(), size, because });
            }
        }
    }

    /// How many items an argument of the field asks for.
    fn size(&self, field: &Field) -> Option<(u64, String)> {
        let slicing = field.arguments.iter().find(|argument| SLICING.contains(&&*argument.name))?;
        let size = match &slicing.value {
            InputValue::Constant(value) => value.root().raw().parse().ok()?,
            InputValue::Variable(used) => {
                let declared = self.variables.iter().find(|known| known.name == used.name)?;
                declared.default.as_ref()?.value.root().raw().parse().ok()?
            }
            InputValue::List(_) | InputValue::Object(_) => return None,
        };
        Some((size, format!("`{}: {size}`", slicing.name)))
    }
}

/// Calls at most for so many parents.
fn at_most(calls: &Calls, parents: u64) -> u64 {
    let batched = calls.per_keys.iter().map(|keys| parents.div_ceil(*keys));
    batched.fold(calls.fixed.saturating_add(calls.per_parent.saturating_mul(parents)), u64::saturating_add)
}

/// The fields of the longest chain of calls, the first first.
fn chain(fields: &[OperationField], kind: OperationKind) -> Vec<usize> {
    let way = |field: usize| {
        let mut way: Vec<usize> = std::iter::successors(Some(field), |field| fields[*field].after).collect();
        way.reverse();
        way
    };
    // By the field of the root that the way begins at.
    let mut longest: BTreeMap<usize, (u64, Vec<usize>)> = BTreeMap::new();
    for way in (0..fields.len()).map(way) {
        let calls = way.iter().map(|field| fields[*field].explanation.cost.depth).sum();
        let known = longest.entry(way[0]).or_default();
        if calls > known.0 {
            *known = (calls, way);
        }
    }
    match kind {
        OperationKind::Query => longest.into_values().max_by_key(|(calls, _)| *calls).unwrap_or_default().1,
        OperationKind::Mutation => longest.into_values().flat_map(|(_, way)| way).collect(),
    }
}

/// When a field is answered, if not always.
fn condition(conditions: &[Condition]) -> Option<String> {
    let all = |condition: &Condition| {
        let test = |test: &Test| {
            if test.wanted { format!("${}", test.variable) } else { format!("not ${}", test.variable) }
        };
        condition.tests.iter().map(test).collect::<Vec<_>>().join(" and ")
    };
    (!conditions.is_empty()).then(|| conditions.iter().map(all).collect::<Vec<_>>().join(" or "))
}

fn variable(declared: &VariableDef) -> Argument {
    Argument {
        name: format!("${}", declared.name),
        ty: declared.ty.to_string(),
        from: String::new(),
        rules: Vec::new(),
        default: declared.default.as_ref().map(|default| default.written.clone()),
        required: declared.default.is_none() && declared.ty.is_non_null(),
    }
}
