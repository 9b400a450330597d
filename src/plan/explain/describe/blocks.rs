//! Where the steps of a flow stand in an explanation: parts and inner compositions become blocks
//! again, and a `for_each` over a single call becomes one step.

use std::collections::BTreeMap;

use super::super::way;
use crate::plan::Action;
use crate::plan::analysis::{At, Flow, Schedule, is_block};

/// The steps of an explanation.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Blocks before what is inside them, else in the order in which steps can start.
    pub(super) entries: Vec<Entry>,
    /// The entry of each step of the flow.
    positions: BTreeMap<At, usize>,
}

/// One step of an explanation.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its way.
    pub(super) way: String,
    /// The block around it.
    pub(super) inside: Option<usize>,
    /// The step that decides and waits; `None` for a composition that is put into what is around it.
    pub(super) outer: Option<At>,
    /// The step that acts: that of an item for a `for_each`, else the same.
    pub(super) inner: Option<At>,
    /// The calls that are answered one after another before it can start; for a composition that
    /// decides nothing itself, before something inside it can.
    pub(super) turn: u64,
}

impl Blocks {
    /// Lays out the steps that run.
    pub(super) fn of(flow: &Flow<'_>, schedule: &Schedule<'_, '_>) -> Self {
        let mut written = Self::default();
        written.lay(None, None, (flow, schedule));
        written.sorted()
    }

    /// Where a step of the flow stands.
    pub(super) fn position(&self, at: At) -> Option<usize> {
        self.positions.get(&at).copied()
    }

    /// Adds the steps directly inside a step of the flow to a block.
    fn lay(&mut self, around: Option<At>, block: Option<usize>, (flow, schedule): (&Flow<'_>, &Schedule<'_, '_>)) {
        for at in flow.inside(around).into_iter().filter(|at| schedule.runs(*at)) {
            let way = &*flow.step(at).name;
            let inside = self.block_of(way::parent(way), block);
            let inner = only_item(flow, at).unwrap_or(at);
            let composition = matches!(flow.step(at).action, Action::Group(_)) && is_block(flow, at);
            let turn = match composition {
                true if flow.step(at).when.is_none() => u64::MAX,
                true => schedule.decided(at),
                false => schedule.start(at),
            };
            let entry = Entry { way: way.to_owned(), inside, outer: Some(at), inner: Some(inner), turn };
            let position = self.add(entry);
            self.positions.extend([(at, position), (inner, position)]);
            self.lay(Some(inner), Some(position), (flow, schedule));
        }
    }

    /// The block of a way, which is made if there is none yet. `outer` is the nearest that is a step.
    fn block_of(&mut self, way: &str, outer: Option<usize>) -> Option<usize> {
        if way.len() <= outer.map_or(0, |outer| self.entries[outer].way.len()) {
            return outer;
        }
        if let Some(known) = self.entries.iter().position(|entry| entry.way == way) {
            return Some(known);
        }
        let inside = self.block_of(way::parent(way), outer);
        Some(self.add(Entry { way: way.to_owned(), inside, outer: None, inner: None, turn: u64::MAX }))
    }

    fn add(&mut self, entry: Entry) -> usize {
        let mut around = entry.inside;
        while let Some(block) = around {
            self.entries[block].turn = self.entries[block].turn.min(entry.turn);
            around = self.entries[block].inside;
        }
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// The same in the order of the explanation.
    fn sorted(self) -> Self {
        let mut inside: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for (position, entry) in self.entries.iter().enumerate() {
            inside.entry(entry.inside).or_default().push(position);
        }
        inside.values_mut().for_each(|steps| steps.sort_by_key(|step| self.entries[*step].turn));
        let mut order = Vec::with_capacity(self.entries.len());
        let mut next: Vec<usize> = inside.get(&None).into_iter().flatten().rev().copied().collect();
        while let Some(position) = next.pop() {
            order.push(position);
            next.extend(inside.get(&Some(position)).into_iter().flatten().rev());
        }
        let mut moved = vec![0; order.len()];
        order.iter().enumerate().for_each(|(to, from)| moved[*from] = to);
        let entry = |from: &usize| {
            let entry = self.entries[*from].clone();
            Entry { inside: entry.inside.map(|block| moved[block]), ..entry }
        };
        let positions = self.positions.iter().map(|(at, position)| (*at, moved[*position])).collect();
        Self { entries: order.iter().map(entry).collect(), positions }
    }
}

/// What an item does, where that is one step, which has no name of its own.
fn only_item(flow: &Flow<'_>, at: At) -> Option<At> {
    let Action::Each(_) = &flow.step(at).action else { return None };
    match flow.inside(Some(at))[..] {
        [only] if flow.step(only).name == flow.step(at).name => Some(only),
        _ => None,
    }
}
