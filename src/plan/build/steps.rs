//! Steps: what each waits for, in which order writes run, what a failure does.

use super::calls;
use super::names::item_name;
use super::tree::{Args, Body, Declared, decides_per_item};
use super::unit::Unit;
use crate::base::diagnostic::did_you_mean;
use crate::base::id::StepId;
use crate::expr::{Node, Type};
use crate::plan::fit;
use crate::plan::{Action, Each, Expr, Need, OnFailure, Over, Scope, Step, Unwritten};
use crate::spec::{self, Switch};

/// Items that run at the same time, and items at most, where nothing is written.
const PARALLEL: usize = 8;
const MAX_ITEMS: usize = 100;

/// The compiled steps of each frame, by slot.
pub(super) type Frames = Vec<Vec<Option<Step>>>;

/// What the next write of a composition waits for.
#[derive(Clone, Debug, Default)]
struct Order {
    write: Option<Need>,
    guards: Vec<Need>,
    /// What runs although nothing may mention it.
    always: Vec<StepId>,
}

impl Order {
    fn needs(&self) -> Vec<Need> {
        self.write.iter().chain(&self.guards).copied().collect()
    }
}

impl Unit<'_, '_> {
    /// Compiles every step, and the scope of the outermost frame.
    pub(super) fn compile(&self) -> Scope {
        let mut frames: Frames =
            self.tree.frames.iter().map(|frame| (0..frame.steps).map(|_| None).collect()).collect();
        let mut order = Order::default();
        self.level(0, &mut order, &mut frames);
        self.scope(0, order, &mut frames)
    }

    fn scope(&self, frame: usize, order: Order, frames: &mut Frames) -> Scope {
        let depth = self.tree.frames[frame].depth;
        let steps = std::mem::take(&mut frames[frame]);
        Scope {
            depth,
            steps: steps.into_iter().map(|step| step.unwrap_or_else(nothing)).collect(),
            always: order.always.into(),
        }
    }

    fn level(&self, at: usize, order: &mut Order, frames: &mut Frames) {
        if let Args::Part(handed) = &self.tree.levels[at].args {
            self.check_part_args(at, handed);
        }
        let level = &self.tree.levels[at];
        for (index, step) in level.steps.iter().enumerate() {
            self.check_name(at, step);
            self.mentions.of((at, Some(index)), || self.step((at, step), order, frames));
        }
    }

    /// A step's name must hide nothing.
    fn check_name(&self, level: usize, step: &Declared<'_>) {
        if step.name.is_empty() {
            return;
        }
        let outer = self.tree.levels[level].outer;
        let hides = outer
            .is_some_and(|outer| crate::expr::Scope::names(&self.names_of(outer)).iter().any(|name| name == step.name));
        if hides {
            let message = format!("`{}` already stands for something outside", step.name);
            self.planner.report.error(
                "name-taken",
                (&step.place, &step.path),
                message,
                "choose another name".to_owned(),
            );
        }
    }

    fn step(&self, (level, step): (usize, &Declared<'_>), order: &mut Order, frames: &mut Frames) {
        let depth = self.depth(level);
        let after = step.spec.and_then(|spec| spec.after.as_ref()).map(|after| self.after(level, after, &step.path));
        match step.body {
            Body::Unknown => {}
            Body::Value(inner) => {
                if let Some(after) = after {
                    (order.write, order.guards) = (None, after);
                }
                self.level(inner, order, frames);
                self.check_result(inner);
            }
            Body::Call(slot) => {
                let Some(spec) = step.spec else { return };
                let write = !calls::is_read(self, spec);
                let waits = after.unwrap_or_else(|| if write { order.needs() } else { Vec::new() });
                let compiled = self.call_step((level, step), spec, (write, waits));
                self.place(level, slot, compiled, frames);
                if write {
                    order.write = Some(Need { depth, step: slot });
                    order.always.push(slot);
                }
            }
            Body::Guard(slot) => {
                let Some(spec) = step.spec else { return };
                let names = self.names_of(level);
                let guards = self.guards(&spec.fail, &names, &step.path);
                let compiled = self.group_step((level, step), (guards, after.unwrap_or_default()), &[]);
                self.place(level, slot, Some(compiled), frames);
                order.guards.push(Need { depth, step: slot });
                order.always.push(slot);
            }
            Body::Gated(slot, inner) => self.gated((level, step), (slot, inner), (order, after), frames),
            Body::Each(slot, inner) => {
                let compiled = self.each_step((level, step), inner, (order, after), frames);
                let write = compiled.as_ref().is_some_and(|step| step.write);
                self.place(level, slot, compiled, frames);
                if write {
                    order.write = Some(Need { depth, step: slot });
                    order.always.push(slot);
                }
            }
        }
    }

    fn gated(
        &self,
        (level, step): (usize, &Declared<'_>),
        (slot, inner): (StepId, usize),
        (order, after): (&mut Order, Option<Vec<Need>>),
        frames: &mut Frames,
    ) {
        let Some(spec) = step.spec else { return };
        let (write, guards) = match &after {
            Some(after) => (None, after.clone()),
            None => (order.write, order.guards.clone()),
        };
        let mut inner_order = Order { write, guards, always: Vec::new() };
        self.level(inner, &mut inner_order, frames);
        let depth = self.depth(level);
        let mut needs = after.unwrap_or_default();
        needs.extend(inner_order.always.iter().map(|step| Need { depth, step: *step }));
        let names = self.names_of(level);
        let rules = self.guards(&spec.fail, &names, &step.path);
        let result = self.checked_result(inner);
        let compiled = self.group_step((level, step), (rules, needs), &[&result]);
        let write = self.writes(inner);
        self.place(level, slot, Some(Step { write, ..compiled }), frames);
        if write || !inner_order.always.is_empty() || !spec.fail.is_empty() {
            order.always.push(slot);
        }
        if write {
            order.write = Some(Need { depth, step: slot });
        } else if !spec.fail.is_empty() {
            order.guards.push(Need { depth, step: slot });
        }
    }

    fn call_step(
        &self,
        (level, step): (usize, &Declared<'_>),
        spec: &spec::Step,
        (write, waits): (bool, Vec<Need>),
    ) -> Option<Step> {
        self.check_step_policies((level, write), spec, &step.path);
        let undo = self.undo((level, step), spec, write);
        let mut call = self.call(level, spec, &step.path)?;
        let mut needs = self.needs(&call.nodes());
        if let Some((undo, mentioned)) = undo {
            call.undo = Some(Box::new(undo));
            needs.extend(mentioned);
        }
        let needs = self.with(needs, waits);
        let mut compiled = self.around((level, step), spec);
        compiled.needs = needs;
        compiled.write = write;
        compiled.action = Action::Call(Box::new(call));
        Some(compiled)
    }

    fn group_step(
        &self,
        (level, step): (usize, &Declared<'_>),
        (guards, waits): (Vec<crate::plan::Guard>, Vec<Need>),
        nodes: &[&Node],
    ) -> Step {
        let mut compiled = match step.spec {
            Some(spec) => self.around((level, step), spec),
            None => nothing(),
        };
        let mut all: Vec<&Node> = nodes.to_vec();
        all.extend(guards.iter().flat_map(crate::plan::Guard::nodes));
        compiled.needs = self.with(self.needs(&all), waits);
        compiled.action = Action::Group(guards.into());
        compiled
    }

    fn each_step(
        &self,
        (level, step): (usize, &Declared<'_>),
        inner: usize,
        (order, after): (&mut Order, Option<Vec<Need>>),
        frames: &mut Frames,
    ) -> Option<Step> {
        let spec = step.spec?;
        let for_each = spec.for_each.as_ref()?;
        self.check_each(spec, step);
        if let Some(name) = &for_each.name {
            self.planner.check_new_name(name, &self.names_of(level), &format!("{}.for_each", step.path));
        }
        let list = self.planner.scalar(&for_each.list, &self.names_of(level), &format!("{}.for_each", step.path));
        if !matches!(list.ty.present(), Type::List(_) | Type::Dyn) {
            let message = format!("`for_each` needs a list, and this is {}", list.ty);
            self.planner.report.error("wrong-type", (&for_each.list.place, &step.path), message, String::new());
        }
        let inner_names = self.names_of(inner);
        let key_at = format!("{}.key", step.path);
        let key = spec.key.as_ref().map(|key| self.planner.single(key, ("the `key` of a list", &inner_names), &key_at));
        let mut inner_order = Order::default();
        self.level(inner, &mut inner_order, frames);
        let value = self.checked_result(inner);
        let write = self.writes(inner);
        let frame = self.tree.levels[inner].frame;
        let scope = self.scope(frame, inner_order, frames);
        let waits = after.unwrap_or_else(|| if write { order.needs() } else { Vec::new() });
        let list = list.node.walked(&list.ty);
        let mut nodes = vec![&list];
        nodes.extend(&key);
        let needs = self.with(self.needs(&nodes), waits);
        let outer_only = |needs: Vec<Need>| needs.into_iter().filter(|need| need.depth < scope.depth).collect();
        let mut compiled = self.around((level, step), spec);
        compiled.needs = outer_only(needs.into());
        compiled.write = write;
        // `optional` and `default` stand for items; where the list itself fails both give null.
        if !matches!(compiled.on_failure, OnFailure::Fail) {
            compiled.on_failure = OnFailure::Null;
        }
        let ty = self.result(inner).map_or(Type::Dyn, |value| value.ty);
        let value = Expr { needs: self.needs(&[&value]).into(), node: fit::held(value, &ty) };
        let ((parallel, max, over), unwritten) = (bounds(spec, write), unwritten(spec));
        let name = item_name(for_each).into();
        compiled.action =
            Action::Each(Box::new(Each { name, list, scope, value, key, parallel, max, over, unwritten }));
        Some(compiled)
    }

    /// Rules of `for_each` steps that this version does not take.
    fn check_each(&self, spec: &spec::Step, step: &Declared<'_>) {
        let composition = matches!(spec.action, spec::Action::Part(_) | spec::Action::Compose(_));
        if composition && let Some(rule) = spec.fail.first() {
            let message = "`fail` beside `for_each` judges the reply of a call, and this is a composition".to_owned();
            let help = "write the guard as a step inside it".to_owned();
            self.planner.report.error("misplaced", (&rule.when.place, &step.path), message, help);
        }
    }

    /// What stands around a step's action, whatever that is.
    fn around(&self, (level, step): (usize, &Declared<'_>), spec: &spec::Step) -> Step {
        let names = self.names_of(level);
        let own = !step.name.is_empty();
        let is_item = !own && spec.for_each.is_some();
        // A `when` that mentions the item stands at the item, any other at the step.
        let decides = if spec.for_each.is_some() { is_item == decides_per_item(spec) } else { own };
        let expr = |node: Node| Expr { needs: self.needs(&[&node]).into(), node };
        let path = &step.path;
        let when = spec.when.as_ref().filter(|_| decides);
        let otherwise = spec.otherwise.as_ref().filter(|_| decides);
        let otherwise = otherwise.map(|other| self.replacement((level, step), other, "else"));
        Step {
            name: self.full_name(level, step).into(),
            action: Action::Group(Box::default()),
            when: when.map(|when| expr(self.planner.condition(when, &names, &format!("{path}.when")))),
            otherwise,
            needs: Box::default(),
            on_failure: if own || is_item { self.on_failure((level, step), spec) } else { OnFailure::Fail },
            group: self.tree.levels[level].group,
            timeout: spec.timeout.as_ref().and_then(Switch::on).map(|timeout| timeout.value),
            write: false,
        }
    }

    /// What stands for what a step holds: its `else` or its `default`.
    fn replacement(&self, (level, step): (usize, &Declared<'_>), template: &spec::Template, key: &str) -> Expr {
        let own = self.own_type(level, step);
        let node = self.stand_in((level, &own), template, &format!("{}.{key}", step.path)).node;
        Expr { needs: self.needs(&[&node]).into(), node }
    }

    fn on_failure(&self, (level, step): (usize, &Declared<'_>), spec: &spec::Step) -> OnFailure {
        if let Some(default) = &spec.default {
            self.check_default((level, step), default, spec);
            return OnFailure::Default(self.replacement((level, step), default, "default"));
        }
        match &spec.optional {
            Some(optional) if optional.value => OnFailure::Null,
            _ => OnFailure::Fail,
        }
    }

    /// The steps that `after` names.
    fn after(&self, level: usize, names: &[spec::Located<String>], path: &str) -> Vec<Need> {
        let mut needs = Vec::new();
        for name in names {
            let mut next = Some(level);
            let mut found = None;
            while let (Some(at), None) = (next, found) {
                let steps = &self.tree.levels[at].steps;
                found =
                    steps.iter().find(|step| !step.name.is_empty() && step.name == name.value).map(|step| (at, step));
                next = self.tree.levels[at].outer;
            }
            match found {
                Some((at, step)) => self.everything_of((at, step), &mut needs),
                None => {
                    let known = crate::expr::Scope::names(&self.names_of(level));
                    let message = format!("no step is called `{}`", name.value);
                    let help = did_you_mean(&name.value, known.iter().map(String::as_str));
                    self.planner.report.error("unknown-name", (&name.place, &format!("{path}.after")), message, help);
                }
            }
        }
        needs
    }

    /// The slots that stand for a step: its own, or those of an inlined composition.
    fn everything_of(&self, (level, step): (usize, &Declared<'_>), needs: &mut Vec<Need>) {
        match step.body {
            Body::Call(slot) | Body::Gated(slot, _) | Body::Guard(slot) | Body::Each(slot, _) => {
                needs.push(Need { depth: self.depth(level), step: slot });
            }
            Body::Value(inner) => {
                for step in &self.tree.levels[inner].steps {
                    self.everything_of((inner, step), needs);
                }
            }
            Body::Unknown => {}
        }
    }

    /// What a level gives; a circle on the way is said.
    pub(super) fn checked_result(&self, level: usize) -> Node {
        match self.result(level) {
            Ok(value) => value.node,
            Err(crate::expr::Unresolved::Refused { message, help }) => {
                let level = &self.tree.levels[level];
                self.planner.report.error("cycle", (&level.place, &level.path), message, help);
                Node::NULL
            }
            Err(crate::expr::Unresolved::Unknown) => Node::NULL,
        }
    }

    fn check_result(&self, level: usize) {
        self.checked_result(level);
    }

    fn place(&self, level: usize, slot: StepId, step: Option<Step>, frames: &mut Frames) {
        let frame = self.tree.levels[level].frame;
        frames[frame][slot.index()] = step;
    }

    fn with(&self, mut needs: Vec<Need>, more: Vec<Need>) -> Box<[Need]> {
        needs.extend(more);
        needs.sort_unstable();
        needs.dedup();
        needs.into()
    }

    fn depth(&self, level: usize) -> u16 {
        self.tree.frames[self.tree.levels[level].frame].depth
    }

    fn full_name(&self, level: usize, step: &Declared<'_>) -> String {
        let prefix = &self.tree.levels[level].prefix;
        if step.name.is_empty() { prefix.trim_end_matches('.').to_owned() } else { format!("{prefix}{}", step.name) }
    }
}

/// How many items of a `for_each` step run at the same time, how many at all, and what beyond.
fn bounds(spec: &spec::Step, write: bool) -> (usize, usize, Over) {
    let number = |written: &Option<spec::Located<u32>>, default: usize| {
        written.as_ref().map_or(default, |written| written.value as usize)
    };
    let max = number(&spec.max, MAX_ITEMS);
    // Items of a batch wait for each other: all of them run.
    let parallel = if spec.batch.is_some() { max } else { number(&spec.parallel, if write { 1 } else { PARALLEL }) };
    (parallel, max, over(spec.over.as_ref()))
}

/// What happens beyond a limit.
pub(super) fn over(written: Option<&spec::Located<spec::Over>>) -> Over {
    match written.map(|over| over.value) {
        Some(spec::Over::Cut) => Over::Cut,
        Some(spec::Over::Fail) | None => Over::Fail,
    }
}

/// Which bounds of a `for_each` step nobody wrote.
fn unwritten(spec: &spec::Step) -> Unwritten {
    Unwritten { parallel: spec.parallel.is_none() && spec.batch.is_none(), max: spec.max.is_none() }
}

/// A step that does nothing: what stands for one that could not be compiled.
fn nothing() -> Step {
    Step {
        name: "".into(),
        action: Action::Group(Box::default()),
        when: None,
        otherwise: None,
        needs: Box::default(),
        on_failure: OnFailure::Fail,
        group: None,
        timeout: None,
        write: false,
    }
}
