//! The steps of an explanation: when each runs, what it waits for, what it does.

use std::time::Duration;

use super::super::model::{Action, Condition, Deadline, DeadlineBy, Items, Outcome, Step};
use super::blocks::Entry;
use super::call::refusal;
use super::expression::expression;
use super::naming::Naming;
use super::target::slowest;
use super::{Describer, NO_LIMIT};
use crate::plan::analysis::{self, At, most_items, waits};
use crate::plan::{self, OnFailure, Over};

impl Describer<'_, '_> {
    /// Every step that runs.
    pub(super) fn steps(&self) -> Vec<Step> {
        let naming = Naming::new(self.flow);
        let entries = self.blocks.entries.iter().enumerate();
        entries.map(|(position, entry)| self.step((position, entry), &naming)).collect()
    }

    fn step(&self, (position, entry): (usize, &Entry), naming: &Naming<'_, '_>) -> Step {
        let (Some(outer), Some(inner)) = (entry.outer, entry.inner) else { return self.inlined(entry) };
        let step = self.flow.step(outer);
        let items = match &step.action {
            plan::Action::Each(each) => Some(items(each, (&naming.at(outer), &naming.of_items(outer)))),
            plan::Action::Call(_) | plan::Action::Group(_) => None,
        };
        // Of a `for_each` and the one step of its items at most one has each of these.
        let found = |text: &dyn Fn(At) -> Option<String>| text(outer).or_else(|| text(inner));
        let decision = |at: At| {
            let when = self.flow.step(at).when.as_ref()?;
            Some(expression(&when.node, &naming.at(at)))
        };
        let otherwise = |at: At| {
            let step = self.flow.step(at);
            step.when.as_ref()?;
            let otherwise = step.otherwise.as_ref();
            Some(otherwise.map_or("null".to_owned(), |other| expression(&other.node, &naming.at(at))))
        };
        let replacement = |at: At| match &self.flow.step(at).on_failure {
            OnFailure::Fail => None,
            OnFailure::Null => Some("null".to_owned()),
            OnFailure::Default(default) => Some(expression(&default.node, &naming.at(at))),
        };
        Step {
            way: entry.way.clone(),
            inside: entry.inside,
            action: self.action((outer, inner), naming),
            items,
            waits: self.waits(position, (outer, inner)),
            only_if: self.only_if(position, outer),
            when: found(&decision),
            otherwise: found(&otherwise),
            on_failure: replacement(inner).or_else(|| replacement(outer)),
            turn: entry.turn,
            deadline: self.deadline(inner),
        }
    }

    /// A composition that was put into what is around it: only what is inside it runs.
    fn inlined(&self, entry: &Entry) -> Step {
        Step {
            way: entry.way.clone(),
            inside: entry.inside,
            action: Action::Composition { part: self.part(&entry.way), refusals: Vec::new() },
            items: None,
            waits: Vec::new(),
            only_if: Vec::new(),
            when: None,
            otherwise: None,
            on_failure: None,
            turn: entry.turn,
            deadline: None,
        }
    }

    fn part(&self, way: &str) -> Option<String> {
        let part = self.whole.parts.iter().find(|(used, _)| **used == *way);
        part.map(|(_, part)| part.to_string())
    }

    fn action(&self, (outer, inner): (At, At), naming: &Naming<'_, '_>) -> Action {
        let way = &self.flow.step(outer).name;
        match &self.flow.step(inner).action {
            plan::Action::Call(call) => Action::Call(Box::new(self.call((inner, call), &naming.at(inner)))),
            plan::Action::Each(_) => Action::Composition { part: self.part(way), refusals: Vec::new() },
            plan::Action::Group(guards) => {
                let refusals: Vec<String> = guards.iter().map(|guard| refusal(guard, &naming.at(inner))).collect();
                match analysis::is_block(self.flow, inner) || self.part(way).is_some() || refusals.is_empty() {
                    true => Action::Composition { part: self.part(way), refusals },
                    false => Action::Guard(refusals),
                }
            }
        }
    }

    /// The entries that one waits for.
    fn waits(&self, position: usize, (outer, inner): (At, At)) -> Vec<usize> {
        let mut found = waits(self.flow, outer);
        if inner != outer {
            found.extend(waits(self.flow, inner));
        }
        let mut entries: Vec<usize> = found.into_iter().filter_map(|at| self.blocks.position(at)).collect();
        entries.retain(|entry| *entry != position);
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    /// The conditions under which an entry is asked for; those of the blocks around it are theirs.
    fn only_if(&self, position: usize, at: At) -> Vec<Condition> {
        let condition = |condition: analysis::Condition| {
            let (step, outcome) = match condition {
                analysis::Condition::Holds(at) => (at, Outcome::Called),
                analysis::Condition::Skipped(at) => (at, Outcome::Skipped),
                analysis::Condition::Failed(at) => (at, Outcome::Failed),
            };
            Some(Condition { step: self.blocks.position(step)?, outcome })
        };
        let found = self.schedule.conditions(at).into_iter().filter_map(condition);
        let is_around = |condition: &Condition| {
            let mut around = Some(position);
            while let Some(entry) = around.filter(|entry| *entry != condition.step) {
                around = self.blocks.entries[entry].inside;
            }
            condition.outcome == Outcome::Called && around.is_some()
        };
        found.filter(|condition| !is_around(condition)).collect()
    }

    /// The time that a step may take at most: its own, that of what is around it, that of the answer.
    pub(super) fn deadline(&self, at: At) -> Option<Deadline> {
        let step = self.flow.step(at);
        let own = match (&step.action, step.timeout) {
            (_, Some(time)) => Deadline { time, by: DeadlineBy::Step },
            (plan::Action::Call(call), None) => {
                let target = slowest(call)?;
                Deadline { time: target.timeout.unwrap_or(NO_LIMIT), by: DeadlineBy::Call(target.timeout_by) }
            }
            (plan::Action::Each(_) | plan::Action::Group(_), None) => return None,
        };
        let mut nearest = own;
        let mut tighten = |time: Duration, by| {
            if time < nearest.time {
                nearest = Deadline { time, by };
            }
        };
        let mut around = self.flow.around(at);
        while let Some(block) = around {
            self.flow.step(block).timeout.iter().for_each(|time| tighten(*time, DeadlineBy::Around));
            around = self.flow.around(block);
        }
        tighten(self.whole.timeout, DeadlineBy::Answer);
        Some(nearest)
    }
}

/// Over what a step runs, and how many at a time.
fn items(each: &plan::Each, (outside, inside): (&Naming<'_, '_>, &Naming<'_, '_>)) -> Items {
    let max = most_items(each);
    Items {
        name: each.name.to_string(),
        list: expression(&each.list, outside),
        key: each.key.as_ref().map(|key| expression(key, inside)),
        max,
        cut: each.over == Over::Cut,
        parallel: (each.parallel as u64).min(max),
    }
}
