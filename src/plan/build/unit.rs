//! One endpoint or graph field while it is compiled.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::names::{Extra, Names, refused};
use super::reach::Mentions;
use super::tree::{Args, Body, Level, Outcome, Tree};
use super::types::Members;
use super::{Planner, calls};
use crate::base::id::StepId;
use crate::expr::{Binding, Member, Node, Type, Typed, Unresolved, Var};
use crate::plan::schema::InputDef;
use crate::plan::{Arg, Need, Source, needs_of};
use crate::spec::{self, Action, Named, Requirement, Step, Stream, Switch};

/// An endpoint or graph field being compiled.
pub(super) struct Unit<'u, 's> {
    pub(super) planner: &'u Planner<'s>,
    pub(super) tree: Tree<'s>,
    pub(super) root: Root<'u>,
    /// Whether somebody may call who is not known.
    pub(super) admits_strangers: bool,
    /// What an event is, beside a stream.
    pub(super) event: Option<Type>,
    pub(super) sources: Rc<Sources>,
    /// What each level gives; `None` while it is being compiled.
    results: RefCell<HashMap<usize, Option<Value>>>,
    pub(super) mentions: Mentions,
}

/// What a unit is compiled for.
#[derive(Clone, Copy)]
pub(super) enum Root<'u> {
    /// An endpoint with these arguments and this type of body.
    Endpoint { args: &'u [Arg], body: Option<&'u Type>, read_only: bool },
    /// A part that nothing uses, to be checked: with the arguments that it declares.
    Part { args: &'u [Named<spec::Arg>] },
    /// A field with these arguments; what its parent is, if it has one, and whether it may only read.
    Field { args: &'u [InputDef], parent: Option<&'u Type>, read_only: bool },
}

/// A compiled value and its type.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) node: Node,
    pub(super) ty: Type,
}

impl From<Typed> for Value {
    fn from(typed: Typed) -> Self {
        Self { node: typed.node, ty: typed.ty }
    }
}

impl Value {
    /// What stands for something that could not be compiled: nothing more is said about it.
    pub(super) fn unknown() -> Self {
        Self { node: Node::NULL, ty: Type::Dyn }
    }
}

/// What the variables of programs read. Scopes that outlive the checking of one expression share it.
#[derive(Debug, Default)]
pub(super) struct Sources {
    numbered: RefCell<(Vec<Source>, HashMap<Source, u32>)>,
}

impl Sources {
    /// The variable that reads a source.
    pub(super) fn var(&self, source: Source) -> Var {
        let (list, index) = &mut *self.numbered.borrow_mut();
        let next = list.len() as u32;
        let id = *index.entry(source.clone()).or_insert(next);
        if id == next {
            list.push(source);
        }
        Var(id)
    }

    /// What the variables read, by number.
    pub(super) fn list(&self) -> Box<[Source]> {
        self.numbered.borrow().0.clone().into()
    }
}

impl<'u, 's> Unit<'u, 's> {
    pub(super) fn new(planner: &'u Planner<'s>, tree: Tree<'s>, root: Root<'u>) -> Self {
        let admits_strangers = planner.admits_strangers(None);
        let (sources, results, mentions) = (Rc::default(), RefCell::default(), Mentions::default());
        Self { planner, tree, root, admits_strangers, event: None, sources, results, mentions }
    }

    /// The same behind a door that lets in whom `auth` says, and beside a stream.
    pub(super) fn behind(self, auth: Option<&Switch<Requirement>>, stream: Option<&Stream>) -> Self {
        let (admits_strangers, event) = (self.planner.admits_strangers(auth), self.planner.event_type(stream));
        Self { admits_strangers, event, ..self }
    }

    /// Whether no REST write may stand here, and every rpc counts as a read.
    pub(super) fn read_only(&self) -> bool {
        match self.root {
            Root::Endpoint { read_only, .. } | Root::Field { read_only, .. } => read_only,
            Root::Part { .. } => false,
        }
    }

    /// The names that expressions of a level see.
    pub(super) fn names_of(&self, level: usize) -> Names<'_, 's> {
        Names { unit: self, level, extra: Extra::default() }
    }

    /// The variable that reads a source.
    pub(super) fn var(&self, source: Source) -> Var {
        self.sources.var(source)
    }

    /// What the variables read, by number.
    pub(super) fn sources(&self) -> Box<[Source]> {
        self.sources.list()
    }

    /// The steps that a program reads, each once, in order.
    pub(super) fn needs(&self, nodes: &[&Node]) -> Vec<Need> {
        let sources = self.sources();
        let mut needs: Vec<Need> = nodes.iter().flat_map(|node| needs_of(node, &sources)).collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// What a step's name stands for.
    pub(super) fn step_binding(&self, level: usize, step: usize) -> Result<Binding, Unresolved> {
        self.mentions.note((level, step));
        let value = self.step_value(level, step)?;
        Ok(Binding::Node { node: value.node, ty: value.ty })
    }

    fn step_value(&self, level: usize, step: usize) -> Result<Value, Unresolved> {
        let declared = &self.tree.levels[level].steps[step];
        let depth = self.tree.frames[self.tree.levels[level].frame].depth;
        let held = |slot| Node::Path { var: self.var(Source::Step(depth, slot)), steps: Box::default() };
        let value = match declared.body {
            Body::Call(slot) => {
                let ty = declared.spec.map_or(Type::Dyn, |spec| self.call_type(level, spec));
                Value { node: held(slot), ty }
            }
            Body::Value(inner) => return self.result(inner),
            Body::Gated(slot, inner) => {
                let inner = self.result(inner)?;
                let succeeded = self.var(Source::Succeeded(depth, slot));
                let node =
                    Node::Outcome { var: succeeded, done: Box::new(inner.node), otherwise: Box::new(held(slot)) };
                Value { node, ty: inner.ty }
            }
            Body::Each(slot, inner) => {
                let item = self.result(inner)?;
                let spec = declared.spec;
                let replaced =
                    spec.is_some_and(|spec| spec.default.is_some() || spec.optional.is_some() || spec.when.is_some());
                let item = if replaced { item.ty.nullable() } else { item.ty };
                let keyed = spec.is_some_and(|spec| spec.key.is_some());
                let ty = if keyed { Type::map(item.nullable()) } else { Type::list(item) };
                return Ok(Value { node: held(slot), ty });
            }
            Body::Guard(_) => {
                let message = format!("`{}` is a guard and holds no value", declared.name);
                return Err(refused(message, "mention it in `after` to wait for it"));
            }
            Body::Unknown => Value::unknown(),
        };
        match declared.spec {
            Some(spec) if !declared.name.is_empty() => {
                Ok(Value { ty: self.replaced_type(level, spec, value.ty), ..value })
            }
            _ => Ok(value),
        }
    }

    /// The type of a step that may hold what `else` or `default` gives, or null.
    fn replaced_type(&self, level: usize, spec: &Step, mut ty: Type) -> Type {
        let names = self.names_of(level);
        let compiled = |template| self.planner.template(template, &names, "").ty;
        if spec.when.is_some() {
            ty = match &spec.otherwise {
                Some(otherwise) => ty.join(&compiled(otherwise)),
                None => ty.nullable(),
            };
        }
        if let Some(default) = &spec.default {
            let default = compiled(default);
            ty = match (&ty, &default) {
                // A default of written members stands for a reply that has them.
                (Type::Object(_), Type::Object(_)) => ty,
                _ => ty.join(&default),
            };
        } else if spec.optional.as_ref().is_some_and(|optional| optional.value) {
            ty = ty.nullable();
        }
        ty
    }

    /// The type of what a call's step holds.
    pub(super) fn call_type(&self, level: usize, spec: &Step) -> Type {
        let reply = calls::reply_type(self.planner, spec);
        let result = match &spec.action {
            Action::Rest(call) => call.result.as_ref(),
            Action::Grpc(call) => call.result.as_ref(),
            _ => None,
        };
        if let Some(batch) = &spec.batch {
            return calls::batched_type(self, (level, batch), &reply);
        }
        match result {
            None => reply,
            Some(result) => {
                let repeated = spec.repeat.as_ref().map(|_| &reply);
                let extra = Extra { reply: Some(&reply), repeated, ..Extra::default() };
                let names = Names { extra, ..self.names_of(level) };
                self.planner.template(result, &names, "").ty
            }
        }
    }

    /// What a level gives, compiled when it is first asked for.
    pub(super) fn result(&self, level: usize) -> Result<Value, Unresolved> {
        match self.results.borrow().get(&level) {
            Some(Some(done)) => return Ok(done.clone()),
            Some(None) => {
                let name = self.tree.levels[level].prefix.trim_end_matches('.').to_owned();
                return Err(refused(
                    format!("`{name}` needs itself"),
                    "let one of the steps on the way need something else",
                ));
            }
            None => {}
        }
        self.results.borrow_mut().insert(level, None);
        let value = self.mentions.of((level, None), || self.compile_result(level));
        self.results.borrow_mut().insert(level, Some(value.clone()));
        Ok(value)
    }

    fn compile_result(&self, at: usize) -> Value {
        let level = &self.tree.levels[at];
        let held = |step: usize| match self.step_value(at, step) {
            Ok(value) => Some(value),
            Err(Unresolved::Refused { message, help }) if !matches!(level.steps[step].body, Body::Guard(_)) => {
                let step = &level.steps[step];
                self.planner.report.error("cycle", (&step.place, &step.path), message, help);
                None
            }
            Err(_) => None,
        };
        match level.result {
            Outcome::Template(template) => {
                let path = format!("{}.result", level.path);
                self.planner.result_template(template, &self.names_of(at), &path)
            }
            Outcome::OnlyStep => held(0).unwrap_or_else(Value::unknown),
            Outcome::Steps => {
                let mut members = Vec::new();
                let mut types = Vec::new();
                for (index, step) in level.steps.iter().enumerate() {
                    if let Some(value) = held(index) {
                        members.push(Member::new(step.name, value.node));
                        types.push((step.name.to_owned(), value.ty));
                    }
                }
                Value { node: Node::Object(members.into()), ty: Members::of("the result", types) }
            }
        }
    }

    /// What the items of a `for_each` are.
    pub(super) fn item_type(&self, level: usize) -> Type {
        let level = &self.tree.levels[level];
        let Some((each, outer)) = level.item.zip(level.outer) else { return Type::Dyn };
        let list = self.planner.scalar(&each.list, &self.names_of(outer), "").ty;
        match list.present() {
            Type::List(item) => (**item).clone(),
            _ => Type::Dyn,
        }
    }

    /// The steps that use a part, by their ways.
    pub(super) fn parts(&self) -> Box<[(Box<str>, Box<str>)]> {
        let used = |level: &Level<'_>| match level.args {
            Args::Part(handed) if !level.prefix.is_empty() => {
                Some((level.prefix.trim_end_matches('.').into(), handed.part.into()))
            }
            _ => None,
        };
        self.tree.levels.iter().filter_map(used).collect()
    }

    /// Whether a level runs for several items, or for several parents of a field.
    pub(super) fn has_many(&self, level: usize) -> bool {
        let is_item =
            self.tree.levels[level].item.is_some() || self.tree.frames[self.tree.levels[level].frame].depth > 0;
        is_item || matches!(self.root, Root::Field { parent: Some(_), .. } | Root::Part { .. })
    }

    /// Whether some step of a level, or inside it, is a write.
    pub(super) fn writes(&self, level: usize) -> bool {
        self.tree.levels[level].steps.iter().any(|step| match step.body {
            Body::Call(_) => step.spec.is_some_and(|spec| !calls::is_read(self, spec)),
            Body::Value(inner) | Body::Gated(_, inner) | Body::Each(_, inner) => self.writes(inner),
            Body::Guard(_) | Body::Unknown => false,
        })
    }
}

/// Shows which step a slot of a frame is, for messages.
pub(super) fn slot_name(tree: &Tree<'_>, frame: usize, slot: StepId) -> Option<(usize, usize)> {
    for (at, level) in tree.levels.iter().enumerate().filter(|(_, level)| level.frame == frame) {
        for (index, step) in level.steps.iter().enumerate() {
            if let Body::Call(id) | Body::Gated(id, _) | Body::Guard(id) | Body::Each(id, _) = step.body
                && id == slot
            {
                return Some((at, index));
            }
        }
    }
    None
}
