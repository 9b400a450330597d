//! Reads that nothing can ever need: they are never called, so they are a mistake.
//!
//! Every composition is judged where it stands: its steps are needed by its result, by its writes and
//! guards, by what answers beside the result, and by steps that are needed themselves. Which members of
//! a result its users mention plays no part: a part may offer more than each use of it needs.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::cycles::{self, Point};
use super::tree::{Body, Declared, Tree};
use super::unit::Unit;
use crate::plan::{Need, Scope};

/// A step where it is declared: its level, and its position there.
pub(super) type Place = (usize, usize);

/// What mentions a name: a step of a level, or the result of the level.
pub(super) type Writer = (usize, Option<usize>);

/// Which names the programs of a unit mention.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    writer: Cell<Writer>,
    found: RefCell<BTreeSet<(Writer, Place)>>,
}

impl Mentions {
    /// Compiles something that `writer` wrote.
    pub(super) fn of<T>(&self, writer: Writer, compile: impl FnOnce() -> T) -> T {
        let around = self.writer.replace(writer);
        let compiled = compile();
        self.writer.set(around);
        compiled
    }

    /// Notes that what is being compiled mentions a step.
    pub(super) fn note(&self, step: Place) {
        self.found.borrow_mut().insert((self.writer.get(), step));
    }

    fn by(&self, writer: Writer) -> Vec<Place> {
        self.found.borrow().iter().filter(|(found, _)| *found == writer).map(|(_, step)| *step).collect()
    }
}

impl Unit<'_, '_> {
    /// Reports the reads that nothing needs. `answers` are the steps that an answer needs beside its
    /// result. Says nothing where other mistakes may be the reason.
    pub(super) fn check_reach(&self, scope: &Scope, answers: &[Need]) {
        if self.planner.report.has_error(|path| self.may_hide_a_need(path)) {
            return;
        }
        let mut reach = Reach::new(self, scope);
        reach.level(0);
        reach.needs(0, answers);
        while let Some(step) = reach.queue.pop() {
            reach.step(step);
        }
        for (level, step, declared) in reach.unneeded() {
            let message = format!("nothing needs the step `{}`, so it is never called", declared.name);
            let help = match self.mentioning((level, step)) {
                Some(name) => format!("nothing needs `{name}` either, which mentions it: leave both out"),
                None => "mention it where it is needed, or leave it out".to_owned(),
            };
            self.planner.report.error("unreachable-step", (&declared.place, &declared.path), message, help);
        }
    }

    /// Whether a mistake at `path` may be why something seems not to be needed: it stands in one of the
    /// unit's compositions, or outside all compositions, such as in a backend.
    fn may_hide_a_need(&self, path: &str) -> bool {
        let elsewhere = ["endpoints.", "graph.", "parts."].iter().any(|section| path.starts_with(section));
        !elsewhere || self.tree.levels.iter().any(|level| path.starts_with(&level.path))
    }

    /// The name of a step that mentions another.
    fn mentioning(&self, step: Place) -> Option<&str> {
        let found = self.mentions.found.borrow();
        let mut writers = found.iter().filter(|(_, mentioned)| *mentioned == step).map(|(writer, _)| *writer);
        writers.find_map(|(level, writer)| Some(self.tree.levels[level].steps[writer?].name))
    }
}

/// What is needed, as far as it is known.
struct Reach<'u, 'p, 's> {
    unit: &'u Unit<'p, 's>,
    /// Which step each slot stands for.
    places: BTreeMap<Point, Place>,
    /// The slots that each slot waits for.
    waits: BTreeMap<Point, Vec<Point>>,
    levels: BTreeSet<usize>,
    steps: BTreeSet<Place>,
    /// Needed steps whose own needs are not followed yet.
    queue: Vec<Place>,
}

impl<'u, 'p, 's> Reach<'u, 'p, 's> {
    fn new(unit: &'u Unit<'p, 's>, scope: &Scope) -> Self {
        let mut waits = Vec::new();
        cycles::collect(&unit.tree, (0, scope), &mut waits);
        let mut places = BTreeMap::new();
        for (at, level) in unit.tree.levels.iter().enumerate() {
            for (index, step) in level.steps.iter().enumerate() {
                if let Body::Call(slot) | Body::Gated(slot, _) | Body::Guard(slot) | Body::Each(slot, _) = step.body {
                    places.insert((level.frame, slot), (at, index));
                }
            }
        }
        let waits = waits.into_iter().collect();
        Self { unit, places, waits, levels: BTreeSet::new(), steps: BTreeSet::new(), queue: Vec::new() }
    }

    /// A composition is needed: so is what its result needs, and what runs in any case.
    fn level(&mut self, at: usize) {
        if !self.levels.insert(at) {
            return;
        }
        self.add(self.unit.mentions.by((at, None)));
        if let Ok(result) = self.unit.result(at) {
            self.needs(at, &self.unit.needs(&[&result.node]));
        }
        for (index, step) in self.unit.tree.levels[at].steps.iter().enumerate() {
            if step.name.is_empty() || self.runs_in_any_case(step) {
                self.add([(at, index)]);
            }
        }
    }

    /// Whether a step is a guard or a write, or holds one.
    fn runs_in_any_case(&self, step: &Declared<'_>) -> bool {
        match step.body {
            Body::Guard(_) | Body::Unknown => true,
            Body::Call(_) => step.spec.is_some_and(|spec| !super::calls::is_read(self.unit, spec)),
            // The items of a `for_each` have their guards for themselves.
            Body::Each(_, inner) => self.unit.writes(inner),
            Body::Value(inner) | Body::Gated(_, inner) => {
                let has_guards = step.spec.is_some_and(|spec| !spec.fail.is_empty());
                has_guards || self.unit.tree.levels[inner].steps.iter().any(|step| self.runs_in_any_case(step))
            }
        }
    }

    /// Follows a needed step.
    fn step(&mut self, (level, index): Place) {
        let tree = &self.unit.tree;
        let step = &tree.levels[level].steps[index];
        self.add(owner_of(tree, level));
        self.add(self.unit.mentions.by((level, Some(index))));
        if let Body::Call(slot) | Body::Gated(slot, _) | Body::Guard(slot) | Body::Each(slot, _) = step.body {
            let waits = self.waits.get(&(tree.levels[level].frame, slot)).into_iter().flatten();
            let waits: Vec<Place> = waits.filter_map(|point| self.places.get(point)).copied().collect();
            self.add(waits);
        }
        if let Body::Value(inner) | Body::Gated(_, inner) | Body::Each(_, inner) = step.body {
            self.level(inner);
        }
    }

    fn needs(&mut self, level: usize, needs: &[Need]) {
        let frame = self.unit.tree.levels[level].frame;
        let points = needs.iter().map(|need| cycles::locate(&self.unit.tree, frame, *need));
        let places: Vec<Place> = points.filter_map(|point| self.places.get(&point)).copied().collect();
        self.add(places);
    }

    fn add(&mut self, steps: impl IntoIterator<Item = Place>) {
        for step in steps {
            if self.steps.insert(step) {
                self.queue.push(step);
            }
        }
    }

    /// The reads of needed compositions that nothing needs.
    fn unneeded(&self) -> Vec<(usize, usize, &'u Declared<'s>)> {
        let tree = &self.unit.tree;
        let steps = self.levels.iter().flat_map(|level| {
            let steps = tree.levels[*level].steps.iter().enumerate();
            steps.map(move |(index, step)| (*level, index, step))
        });
        steps
            .filter(|(level, index, step)| !self.steps.contains(&(*level, *index)) && calls(tree, &step.body))
            .collect()
    }
}

/// The step that a level is the composition of.
pub(super) fn owner_of(tree: &Tree<'_>, wanted: usize) -> Option<Place> {
    tree.levels.iter().enumerate().find_map(|(at, level)| {
        let is_owner = |step: &Declared<'_>| {
            matches!(step.body, Body::Value(inner) | Body::Gated(_, inner) | Body::Each(_, inner) if inner == wanted)
        };
        level.steps.iter().position(is_owner).map(|index| (at, index))
    })
}

/// Whether a step calls something: a value alone is no read.
fn calls(tree: &Tree<'_>, body: &Body) -> bool {
    match *body {
        Body::Call(_) => true,
        Body::Guard(_) | Body::Unknown => false,
        Body::Value(inner) | Body::Gated(_, inner) | Body::Each(_, inner) => {
            tree.levels[inner].steps.iter().any(|step| calls(tree, &step.body))
        }
    }
}
