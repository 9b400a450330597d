//! The drawing of steps: blocks in one another, and in each the order in which steps can start.

use std::time::Duration;

use super::call::{decision, duration_text, items, refusal, replacement};
use super::layout::{Row, StepRow};
use super::naming::Naming;
use super::print::Drawing;
use crate::plan::analysis::{At, Flow};
use crate::plan::analysis::{Condition, Schedule};
use crate::plan::analysis::{is_block, waits};
use crate::plan::{Action, Each, Guard};

/// Columns by which what is inside something stands further right.
const INDENT: usize = 2;

/// When a step starts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Start {
    waits: Vec<At>,
    conditions: Vec<Condition>,
}

impl Drawing<'_, '_> {
    /// The rows of all steps that run, and of those that never do.
    pub(super) fn rows(&self, naming: &Naming<'_, '_>) -> Vec<Row> {
        let mut rows = self.block(None, naming, INDENT);
        let idle: Vec<At> = self.flow.all().filter(|at| self.is_idle(*at)).collect();
        if !idle.is_empty() {
            rows.push(Row::Heading { indent: INDENT, text: "never: nothing needs it".to_owned() });
            let name = naming.steps(idle);
            rows.push(Row::Step(StepRow { indent: 2 * INDENT, name, ..StepRow::default() }));
        }
        rows
    }

    /// Whether nothing asks for a step although what is around it runs.
    fn is_idle(&self, at: At) -> bool {
        !self.schedule.runs(at) && self.flow.around(at).is_none_or(|around| self.schedule.runs(around))
    }

    /// The rows of the steps directly inside a step, or of the outermost.
    fn block(&self, around: Option<At>, naming: &Naming<'_, '_>, indent: usize) -> Vec<Row> {
        let starts = self.starts(around);
        let plain = matches!(&starts[..], [(start, _)] if around.is_some() && start.is_at_once());
        let mut rows = Vec::new();
        for (start, steps) in starts {
            if !plain {
                rows.push(Row::Heading { indent, text: start.text(naming) });
            }
            let indent = if plain { indent } else { indent + INDENT };
            steps.into_iter().for_each(|at| rows.extend(self.step(at, naming, indent)));
        }
        rows
    }

    /// The steps directly inside a step by when they start, the first first.
    fn starts(&self, around: Option<At>) -> Vec<(Start, Vec<At>)> {
        let mut starts: Vec<(Start, Vec<At>)> = Vec::new();
        for at in self.flow.inside(around).into_iter().filter(|at| self.schedule.runs(*at)) {
            let conditions = self.schedule.conditions(at);
            let said = |condition: &Condition| *condition == Condition::Holds(at) || self.is_around(*condition, at);
            let conditions = conditions.into_iter().filter(|condition| !said(condition)).collect();
            let start = Start { waits: waits(self.flow, at), conditions };
            match starts.iter_mut().find(|(known, _)| *known == start) {
                Some((_, steps)) => steps.push(at),
                None => starts.push((start, vec![at])),
            }
        }
        starts.sort_by_key(|(_, steps)| steps.iter().map(|at| self.time(*at)).min());
        starts
    }

    /// Whether a condition is that of a step around another.
    fn is_around(&self, condition: Condition, at: At) -> bool {
        let mut around = self.flow.around(at);
        while let Some(block) = around {
            if condition == Condition::Holds(block) {
                return true;
            }
            around = self.flow.around(block);
        }
        false
    }

    fn time(&self, at: At) -> u64 {
        let composition = matches!(self.flow.step(at).action, Action::Group(_)) && is_block(self.flow, at);
        if composition { self.schedule.decided(at) } else { self.schedule.start(at) }
    }

    /// The rows of one step and of what is inside it.
    fn step(&self, at: At, naming: &Naming<'_, '_>, indent: usize) -> Vec<Row> {
        let row = StepRow { indent, name: naming.step(at), mark: self.mark(at), ..StepRow::default() };
        match &self.flow.step(at).action {
            Action::Each(each) => self.each((at, each), row, naming),
            Action::Group(guards) => self.group((at, guards), row, naming),
            Action::Call(_) => vec![Row::Step(self.call((at, Vec::new()), row, naming))],
        }
    }

    fn call(&self, (at, items): (At, Vec<String>), row: StepRow, naming: &Naming<'_, '_>) -> StepRow {
        let step = self.flow.step(at);
        let Action::Call(call) = &step.action else { return row };
        let backend = self.plan.backends[call.backend.index()].name.to_string();
        let timeout = duration_text(self.deadline(at, step.timeout.unwrap_or(call.timeout)));
        let mut lines = self.request(call, naming);
        lines.extend(items);
        lines.extend(self.reply(call, naming));
        lines.extend(decision(step, naming));
        lines.extend(replacement(step, naming));
        StepRow { call: Some((backend, timeout)), lines, ..row }
    }

    fn group(&self, (at, guards): (At, &[Guard]), mut row: StepRow, naming: &Naming<'_, '_>) -> Vec<Row> {
        let step = self.flow.step(at);
        let block = is_block(self.flow, at);
        row.lines.extend(guards.iter().map(|guard| format!("fails with {}", refusal(guard, naming))));
        row.lines.extend(decision(step, naming));
        row.lines.extend(replacement(step, naming));
        if let (true, Some(timeout)) = (block, step.timeout) {
            row.lines.push(format!("within {} together", duration_text(self.deadline(at, timeout))));
        }
        let indent = row.indent + INDENT;
        let mut rows = vec![Row::Step(row)];
        rows.extend(self.block(Some(at), &naming.inside(at), indent));
        rows
    }

    fn each(&self, (at, each): (At, &Each), row: StepRow, naming: &Naming<'_, '_>) -> Vec<Row> {
        let inside = naming.inside(at);
        let step = self.flow.step(at);
        let mut lines = vec![items(each, naming, &inside)];
        lines.extend(decision(step, naming));
        // What an item does may be one step, which then has no name of its own.
        let inner = self.flow.inside(Some(at));
        let only = inner.first().filter(|only| inner.len() == 1 && self.flow.step(**only).name == step.name);
        match only.map(|only| (*only, &self.flow.step(*only).action)) {
            Some((only, Action::Call(_))) => {
                let row = StepRow { mark: self.mark(only), ..row };
                vec![Row::Step(self.call((only, lines), row, &inside))]
            }
            Some((only, Action::Group(guards))) => self.group((only, guards), StepRow { lines, ..row }, &inside),
            _ => {
                let indent = row.indent + INDENT;
                let mut rows = vec![Row::Step(StepRow { lines, ..row })];
                rows.extend(self.block(Some(at), &inside, indent));
                rows
            }
        }
    }

    fn mark(&self, at: At) -> String {
        match &self.flow.step(at).action {
            Action::Group(guards) if !guards.is_empty() && !is_block(self.flow, at) => "guard".to_owned(),
            Action::Call(_) => match self.writes.iter().position(|write| *write == at) {
                Some(_) if self.writes.len() == 1 => "write".to_owned(),
                Some(position) => format!("write {}", position + 1),
                None => String::new(),
            },
            _ => String::new(),
        }
    }

    /// The time that a step may take at most: its own, that of what is around it, that of the answer.
    fn deadline(&self, at: At, own: Duration) -> Duration {
        let mut least = own.min(self.subject.timeout);
        let mut around = self.flow.around(at);
        while let Some(block) = around {
            least = self.flow.step(block).timeout.map_or(least, |timeout| timeout.min(least));
            around = self.flow.around(block);
        }
        least
    }
}

impl Start {
    fn is_at_once(&self) -> bool {
        self.waits.is_empty() && self.conditions.is_empty()
    }

    fn text(&self, naming: &Naming<'_, '_>) -> String {
        let after = (!self.waits.is_empty()).then(|| format!("after {}", naming.steps(self.waits.iter().copied())));
        let only = (!self.conditions.is_empty()).then(|| {
            let conditions = self.conditions.iter().map(|condition| match condition {
                Condition::Holds(at) => format!("{} is called", naming.step(*at)),
                Condition::Skipped(at) => format!("{} is not called", naming.step(*at)),
                Condition::Failed(at) => format!("{} fails", naming.step(*at)),
            });
            format!("only if {}", conditions.collect::<Vec<_>>().join(" or "))
        });
        let parts: Vec<String> = after.into_iter().chain(only).collect();
        if parts.is_empty() { "at once".to_owned() } else { parts.join(", ") }
    }
}

/// The calls that are writes, in the order in which they can start.
pub(super) fn writes(flow: &Flow<'_>, schedule: &Schedule<'_, '_>) -> Vec<At> {
    let is_write = |at: &At| flow.step(*at).write && matches!(flow.step(*at).action, Action::Call(_));
    let mut writes: Vec<At> = flow.all().filter(|at| schedule.runs(*at) && is_write(at)).collect();
    writes.sort_by_key(|at| schedule.start(*at));
    writes
}
