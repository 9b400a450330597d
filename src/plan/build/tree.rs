//! Where every step of a composition runs: parts and inner compositions laid out, before any
//! expression is looked at.
//!
//! A *level* is one composition where it stands: it has its own names. A *frame* is what runs
//! together: the levels of parts and inner compositions share the frame of the composition around
//! them (they are inlined), only the items of a `for_each` have frames of their own.

use crate::base::diagnostic::{Place, did_you_mean};
use crate::base::id::StepId;
use crate::spec::{Action, Arg, Composition, ForEach, Literal, Named, PartUse, Step, Template};

use super::Planner;

/// Compositions inside one another that a project may have.
const LEVEL_LIMIT: usize = 2_000;

/// The levels and frames of one endpoint or graph field. Level 0 and frame 0 are the outermost.
#[derive(Debug, Default)]
pub(super) struct Tree<'s> {
    pub(super) levels: Vec<Level<'s>>,
    pub(super) frames: Vec<Frame>,
    /// Whether the limit was met; that is said once.
    is_too_large: bool,
}

/// One composition where it stands.
#[derive(Debug)]
pub(super) struct Level<'s> {
    /// The level whose names are seen too; none for parts.
    pub(super) outer: Option<usize>,
    pub(super) frame: usize,
    /// The step of the same frame that takes the failures of this level's steps.
    pub(super) group: Option<StepId>,
    /// The names of the steps around it, each with a dot.
    pub(super) prefix: String,
    pub(super) args: Args<'s>,
    /// The `for_each` whose item this level sees.
    pub(super) item: Option<&'s ForEach>,
    pub(super) steps: Vec<Declared<'s>>,
    pub(super) result: Outcome<'s>,
    /// Where it is written.
    pub(super) path: String,
    pub(super) place: Place,
}

/// What `args` means in a level.
#[derive(Clone, Copy, Debug)]
pub(super) enum Args<'s> {
    /// The request's own.
    Request,
    /// Those of the level around.
    Outer,
    /// What a part was called with.
    Part(Handed<'s>),
}

/// What a part was called with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handed<'s> {
    /// Its name.
    pub(super) part: &'s str,
    /// The level that the given expressions are written in.
    pub(super) caller: usize,
    pub(super) given: &'s [Named<Template>],
    pub(super) declared: &'s [Named<Arg>],
    /// Whether arguments of the caller with the same name are handed over.
    pub(super) same_names: bool,
}

/// What a level gives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome<'s> {
    /// A written result.
    Template(&'s Template),
    /// What its only step holds.
    OnlyStep,
    /// The object of what its steps hold.
    Steps,
}

/// A step where it stands.
#[derive(Debug)]
pub(super) struct Declared<'s> {
    /// Its name; empty for the one step that a `for_each` or a bare part stands for.
    pub(super) name: &'s str,
    pub(super) place: Place,
    pub(super) path: String,
    /// `None` for the step that a bare part stands for.
    pub(super) spec: Option<&'s Step>,
    pub(super) body: Body,
}

/// How a step runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    /// One call.
    Call(StepId),
    /// A composition that is inlined: it has no slot of its own.
    Value(usize),
    /// A composition with conditions of its own.
    Gated(StepId, usize),
    /// A refusal.
    Guard(StepId),
    /// A level per item.
    Each(StepId, usize),
    /// Something that does not exist; said already.
    Unknown,
}

/// What runs together.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) depth: u16,
    pub(super) parent: Option<usize>,
    pub(super) steps: u32,
}

impl<'s> Tree<'s> {
    /// Lays out a composition.
    pub(super) fn of_composition(planner: &Planner<'s>, composition: &'s Composition, at: (&Place, &str)) -> Self {
        let mut tree = Self::default();
        tree.frames.push(Frame { depth: 0, parent: None, steps: 0 });
        let root = tree.root(at, outcome(composition));
        tree.declare(planner, root, &composition.steps, &mut Vec::new());
        tree
    }

    /// A composition with nothing in it.
    pub(super) fn bare(at: (&Place, &str)) -> Self {
        let mut tree = Self::default();
        tree.frames.push(Frame { depth: 0, parent: None, steps: 0 });
        tree.root(at, Outcome::Steps);
        tree
    }

    /// Lays out the use of a part as a composition of its own; arguments of the same name are
    /// handed over.
    pub(super) fn of_part(
        planner: &Planner<'s>,
        (part, given): (&'s str, &'s [Named<Template>]),
        at: (&Place, &str),
    ) -> Self {
        let mut tree = Self::default();
        tree.frames.push(Frame { depth: 0, parent: None, steps: 0 });
        let root = tree.root(at, Outcome::OnlyStep);
        let use_of = PartCall { part, given, same_names: true };
        let inner = tree.part(planner, root, (use_of, None), (at.0, at.1), &mut Vec::new());
        let body = inner.map_or(Body::Unknown, Body::Value);
        let step = Declared { name: "", place: at.0.clone(), path: at.1.to_owned(), spec: None, body };
        tree.levels[root].steps.push(step);
        tree
    }

    fn root(&mut self, (place, path): (&Place, &str), result: Outcome<'s>) -> usize {
        self.levels.push(Level {
            outer: None,
            frame: 0,
            group: None,
            prefix: String::new(),
            args: Args::Request,
            item: None,
            steps: Vec::new(),
            result,
            path: path.to_owned(),
            place: place.clone(),
        });
        self.levels.len() - 1
    }

    fn declare(&mut self, planner: &Planner<'s>, level: usize, steps: &'s [Named<Step>], parts: &mut Vec<&'s str>) {
        for step in steps {
            if self.levels.len() > LEVEL_LIMIT {
                if !self.is_too_large {
                    let message = format!("more than {LEVEL_LIMIT} compositions inside one another");
                    planner.report.error("too-large", (&step.name.place, &step.path), message, String::new());
                }
                self.is_too_large = true;
                return;
            }
            let body = match &step.value.for_each {
                Some(each) => self.each(planner, (level, step), each, parts),
                None => self.body(planner, (level, step), None, parts),
            };
            self.levels[level].steps.push(Declared {
                name: &step.name.value,
                place: step.name.place.clone(),
                path: step.path.clone(),
                spec: Some(&step.value),
                body,
            });
        }
    }

    /// A frame per item, with one step in it that does what the step says.
    fn each(
        &mut self,
        planner: &Planner<'s>,
        (level, step): (usize, &'s Named<Step>),
        each: &'s ForEach,
        parts: &mut Vec<&'s str>,
    ) -> Body {
        let slot = self.slot(self.levels[level].frame);
        let around = &self.levels[level];
        let depth = self.frames[around.frame].depth + 1;
        let inner = Level {
            outer: Some(level),
            frame: self.frames.len(),
            group: None,
            prefix: format!("{}{}.", around.prefix, step.name.value),
            args: Args::Outer,
            item: Some(each),
            steps: Vec::new(),
            result: Outcome::OnlyStep,
            path: step.path.clone(),
            place: step.name.place.clone(),
        };
        self.frames.push(Frame { depth, parent: Some(around.frame), steps: 0 });
        self.levels.push(inner);
        let inner = self.levels.len() - 1;
        let body = self.body(planner, (inner, step), Some(inner), parts);
        self.levels[inner].steps.push(Declared {
            name: "",
            place: step.name.place.clone(),
            path: step.path.clone(),
            spec: Some(&step.value),
            body,
        });
        Body::Each(slot, inner)
    }

    /// How a step runs, its `for_each` aside. `item` is the level of its items, if it has any.
    fn body(
        &mut self,
        planner: &Planner<'s>,
        (level, step): (usize, &'s Named<Step>),
        item: Option<usize>,
        parts: &mut Vec<&'s str>,
    ) -> Body {
        let gated = match item {
            Some(_) => is_gated_per_item(&step.value),
            None => is_gated(&step.value),
        };
        let frame = self.levels[level].frame;
        let grouped = match step.value.action {
            Action::Rest(_) | Action::Grpc(_) => false,
            Action::Guard => true,
            Action::Part(_) | Action::Compose(_) => gated,
        };
        let group = grouped.then(|| self.slot(frame));
        let at = (&step.name.place, step.path.as_str());
        let prefix = match item {
            Some(item) => self.levels[item].prefix.clone(),
            None => format!("{}{}.", self.levels[level].prefix, step.name.value),
        };
        let inner = match (&step.value.action, group) {
            (Action::Rest(_) | Action::Grpc(_), _) => return Body::Call(self.slot(frame)),
            (Action::Guard, Some(slot)) => return Body::Guard(slot),
            (Action::Guard, None) => return Body::Unknown,
            (Action::Part(PartUse { part, args, .. }), _) => {
                let call = PartCall { part: &part.value, given: args, same_names: false };
                self.part(planner, level, (call, Some((&part.place, prefix))), at, parts)
            }
            (Action::Compose(composition), _) => Some(self.compose(planner, level, (composition, prefix), at, parts)),
        };
        let Some(inner) = inner else { return Body::Unknown };
        match group {
            Some(slot) => {
                self.contain(inner, frame, slot);
                Body::Gated(slot, inner)
            }
            None => Body::Value(inner),
        }
    }

    /// Makes `group` take the failures of a level, and of those inlined into it.
    fn contain(&mut self, level: usize, frame: usize, group: StepId) {
        let inner: Vec<usize> = self.levels[level]
            .steps
            .iter()
            .filter_map(|step| match step.body {
                Body::Value(inner) => Some(inner),
                _ => None,
            })
            .collect();
        if self.levels[level].frame == frame && self.levels[level].group.is_none() {
            self.levels[level].group = Some(group);
        }
        for level in inner {
            self.contain(level, frame, group);
        }
    }

    fn compose(
        &mut self,
        planner: &Planner<'s>,
        outer: usize,
        (composition, prefix): (&'s Composition, String),
        (place, path): (&Place, &str),
        parts: &mut Vec<&'s str>,
    ) -> usize {
        self.levels.push(Level {
            outer: Some(outer),
            frame: self.levels[outer].frame,
            group: None,
            prefix,
            args: Args::Outer,
            item: None,
            steps: Vec::new(),
            result: outcome(composition),
            path: path.to_owned(),
            place: place.clone(),
        });
        let level = self.levels.len() - 1;
        self.declare(planner, level, &composition.steps, parts);
        level
    }

    /// Lays out a part; `None`, and a diagnostic, if there is none or it reaches itself.
    fn part(
        &mut self,
        planner: &Planner<'s>,
        caller: usize,
        (call, written): (PartCall<'s>, Option<(&Place, String)>),
        (place, path): (&Place, &str),
        parts: &mut Vec<&'s str>,
    ) -> Option<usize> {
        let name = call.part;
        let (name_place, prefix) = written.unwrap_or((place, String::new()));
        let Some(part) = planner.spec.parts.iter().find(|part| part.name.value == name) else {
            if planner.unread.contains(&format!("parts.{name}")) {
                return None;
            }
            let known = planner.spec.parts.iter().map(|part| part.name.value.as_str());
            let message = format!("no part is called `{name}`");
            planner.report.error("unknown-name", (name_place, path), message, did_you_mean(name, known));
            return None;
        };
        if parts.contains(&name) {
            let way = parts.iter().chain([&name]).map(|part| format!("`{part}`")).collect::<Vec<_>>().join(" → ");
            let message = format!("the part reaches itself: {way}");
            planner.report.error("cycle", (name_place, path), message, String::new());
            return None;
        }
        let composition = &part.value;
        let handed =
            Handed { part: name, caller, given: call.given, declared: &composition.args, same_names: call.same_names };
        self.levels.push(Level {
            outer: None,
            frame: self.levels[caller].frame,
            group: None,
            prefix,
            args: Args::Part(handed),
            item: None,
            steps: Vec::new(),
            result: outcome(composition),
            path: part.path.clone(),
            place: part.name.place.clone(),
        });
        let level = self.levels.len() - 1;
        parts.push(name);
        self.declare(planner, level, &composition.steps, parts);
        parts.pop();
        Some(level)
    }

    fn slot(&mut self, frame: usize) -> StepId {
        let steps = &mut self.frames[frame].steps;
        *steps += 1;
        StepId(*steps - 1)
    }
}

/// How a part is called.
struct PartCall<'s> {
    part: &'s str,
    given: &'s [Named<Template>],
    same_names: bool,
}

fn outcome(composition: &Composition) -> Outcome<'_> {
    match (&composition.result, composition.steps.len()) {
        (Some(result), _) => Outcome::Template(result),
        (None, 1) => Outcome::OnlyStep,
        (None, _) => Outcome::Steps,
    }
}

/// Whether a composition step has conditions of its own, so that it cannot just be inlined.
fn is_gated(step: &Step) -> bool {
    let optional = step.optional.as_ref().is_some_and(|optional| optional.value);
    step.when.is_some() || optional || step.default.is_some() || step.timeout.is_some() || !step.fail.is_empty()
}

/// Whether each item of a `for_each` step has conditions of its own.
fn is_gated_per_item(step: &Step) -> bool {
    let optional = step.optional.as_ref().is_some_and(|optional| optional.value);
    optional || step.default.is_some() || decides_per_item(step)
}

/// Whether the `when` of a `for_each` step mentions the item, and so is decided for each.
pub(super) fn decides_per_item(step: &Step) -> bool {
    let Some((each, when)) = step.for_each.as_ref().zip(step.when.as_ref()) else { return false };
    let name = each.name.as_ref().map_or("item", |name| name.value.as_str());
    let Literal::Text(text) = &when.value else { return false };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].trim_end().chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(|c| is_word(c) || c == '.') && !after.is_some_and(is_word)
    })
}
