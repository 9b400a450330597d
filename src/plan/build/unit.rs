//! One endpoint or graph field while it is compiled.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::names::{Extra, Names, Table, refused};
use super::once::Once;
use super::reach::{Mentions, owner_of};
use super::tree::{Args, Body, Declared, Level, Outcome, Tree};
use super::types::Members;
use super::{Planner, calls, wanted};
use crate::base::id::StepId;
use crate::expr::{Binding, Member, Node, Type, Typed, Unresolved, Var};
use crate::plan::schema::InputDef;
use crate::plan::{Arg, Need, Source, needs_of};
use crate::spec::{self, Action, Named, Requirement, Step, Stream, Switch, Template};

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
    /// What each level gives, with the number of its nodes.
    results: Once<usize, (Value, usize)>,
    /// The types of what steps hold, by level and position.
    types: Once<(usize, usize), Type>,
    /// The types of the items that levels see.
    items: Once<usize, Type>,
    /// The arguments that parts were called with, by level.
    pub(super) args: Once<usize, Rc<Table>>,
    /// How many results that need one another are being compiled.
    nesting: Cell<usize>,
    /// The nodes that were put in where results are mentioned.
    inlined: Cell<usize>,
    pub(super) mentions: Mentions,
}

/// Results that need one another, each inside the next.
const NESTING_LIMIT: usize = 64;
/// Nodes that the results which a unit mentions may come to.
const INLINED_LIMIT: usize = 1_000_000;

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
        Self {
            admits_strangers: planner.admits_strangers(None),
            planner,
            tree,
            root,
            event: None,
            sources: Rc::default(),
            results: Once::default(),
            types: Once::default(),
            items: Once::default(),
            args: Once::default(),
            nesting: Cell::default(),
            inlined: Cell::default(),
            mentions: Mentions::default(),
        }
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
        let at = (level, step);
        Ok(match declared.body {
            Body::Call(slot) => {
                let own = || declared.spec.map_or(Type::Dyn, |spec| self.call_type(level, spec));
                Value { node: held(slot), ty: self.step_type(at, own) }
            }
            Body::Value(inner) => self.result(inner)?,
            Body::Gated(slot, inner) => {
                let inner = self.result(inner)?;
                let succeeded = self.var(Source::Succeeded(depth, slot));
                let node =
                    Node::Outcome { var: succeeded, done: Box::new(inner.node), otherwise: Box::new(held(slot)) };
                Value { node, ty: self.step_type(at, || inner.ty) }
            }
            Body::Each(slot, inner) => {
                let item = self.result(inner)?;
                let spec = declared.spec;
                let replaced =
                    spec.is_some_and(|spec| spec.default.is_some() || spec.optional.is_some() || spec.when.is_some());
                let item = if replaced { item.ty.nullable() } else { item.ty };
                let keyed = spec.is_some_and(|spec| spec.key.is_some());
                let ty = if keyed { Type::map(item.nullable()) } else { Type::list(item) };
                Value { node: held(slot), ty }
            }
            Body::Guard(_) => {
                let message = format!("`{}` is a guard and holds no value", declared.name);
                return Err(refused(message, "mention it in `after` to wait for it"));
            }
            Body::Unknown => Value::unknown(),
        })
    }

    /// The type of what a step holds, by its own: `else` and `default` may stand for it.
    fn step_type(&self, (level, step): (usize, usize), own: impl FnOnce() -> Type) -> Type {
        let declared = &self.tree.levels[level].steps[step];
        let replaced = || match declared.spec {
            Some(spec) if !declared.name.is_empty() => self.replaced_type(level, spec, own()),
            _ => own(),
        };
        let made = || self.mentions.of((level, Some(step)), replaced);
        // Of a step that needs itself `check_cycles` tells.
        self.types.of((level, step), made).unwrap_or(Type::Dyn)
    }

    /// The type of a step that may hold what `else` or `default` gives, or null.
    fn replaced_type(&self, level: usize, spec: &Step, mut ty: Type) -> Type {
        let own = ty.clone();
        let compiled = |template| self.stand_in((level, &own), template, "").ty;
        if spec.when.is_some() {
            ty = match &spec.otherwise {
                Some(otherwise) => ty.join(&compiled(otherwise)),
                None => ty.nullable(),
            };
        }
        if let Some(default) = &spec.default {
            ty = ty.join(&compiled(default));
        } else if spec.optional.as_ref().is_some_and(|optional| optional.value) {
            ty = ty.nullable();
        }
        ty
    }

    /// Compiles what stands for a value of a step's own type: an `else` or a `default`.
    pub(super) fn stand_in(&self, (level, own): (usize, &Type), template: &Template, path: &str) -> Value {
        let value = self.planner.template(template, &self.names_of(level), path);
        wanted::held(wanted::expected(value, own), own)
    }

    /// The type of what a step holds when it succeeds.
    pub(super) fn own_type(&self, level: usize, step: &Declared<'_>) -> Type {
        let result = |inner| self.result(inner).map_or(Type::Dyn, |value| value.ty);
        match (step.body, step.spec) {
            (Body::Call(_), Some(spec)) => self.call_type(level, spec),
            (Body::Gated(_, inner) | Body::Value(inner), _) => result(inner),
            (Body::Each(_, inner), Some(spec)) if spec.key.is_some() => Type::map(result(inner)),
            (Body::Each(_, inner), _) => Type::list(result(inner)),
            _ => Type::Dyn,
        }
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
        let made = self.results.of(level, || {
            let value = self.mentions.of((level, None), || self.nested_result(level));
            let nodes = value.node.count();
            (value, nodes)
        });
        let Some((value, nodes)) = made else {
            let name = self.tree.levels[level].prefix.trim_end_matches('.');
            let help = "let one of the steps on the way need something else";
            return Err(refused(format!("`{name}` needs itself"), help));
        };
        self.inlined.set(self.inlined.get().saturating_add(nodes));
        if self.inlined.get() > INLINED_LIMIT {
            let message = "what its steps put together from one another is too large".to_owned();
            return Ok(self.too_large(0, message, "mention a value once, and its members where they are needed"));
        }
        Ok(value)
    }

    fn nested_result(&self, level: usize) -> Value {
        if self.nesting.get() >= NESTING_LIMIT {
            let message = format!("more than {NESTING_LIMIT} values need one another, each the one before it");
            return self.too_large(level, message, "put what belongs together into one value");
        }
        self.nesting.set(self.nesting.get() + 1);
        let value = self.compile_result(level);
        self.nesting.set(self.nesting.get() - 1);
        value
    }

    fn too_large(&self, level: usize, message: String, help: &str) -> Value {
        let level = &self.tree.levels[level];
        self.planner.report.error("too-large", (&level.place, &level.path), message, help.to_owned());
        Value::unknown()
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
        let Some((each, outer)) = self.tree.levels[level].item.zip(self.tree.levels[level].outer) else {
            return Type::Dyn;
        };
        let made = || {
            let list = || self.planner.scalar(&each.list, &self.names_of(outer), "").ty;
            match self.by_owner(level, list).present() {
                Type::List(item) => item.found(),
                _ => Type::Dyn,
            }
        };
        // Of a list that needs itself `check_cycles` tells.
        self.items.of(level, made).unwrap_or(Type::Dyn)
    }

    /// Compiles what the step wrote that a level is the composition of.
    pub(super) fn by_owner<T>(&self, level: usize, compile: impl FnOnce() -> T) -> T {
        match owner_of(&self.tree, level) {
            Some((level, step)) => self.mentions.of((level, Some(step)), compile),
            None => compile(),
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
