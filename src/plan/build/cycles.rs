//! Steps that wait for each other in a circle.

use std::collections::BTreeSet;

use super::tree::{Body, Tree};
use super::unit::{Unit, slot_name};
use crate::base::id::StepId;
use crate::plan::{Action, Need, OnFailure, Scope, Step};

/// A step of the unit: its frame and its slot.
pub(super) type Point = (usize, StepId);

impl Unit<'_, '_> {
    /// Says which steps of a compiled unit wait for each other in a circle.
    pub(super) fn check_cycles(&self, scope: &Scope) {
        let mut edges = Vec::new();
        collect(&self.tree, (0, scope), &mut edges);
        let mut done = BTreeSet::new();
        let mut said = BTreeSet::new();
        for (from, _) in &edges {
            let mut way = Vec::new();
            if let Some(circle) = visit(*from, &edges, &mut way, &mut done)
                && said.insert(circle.iter().copied().collect::<BTreeSet<_>>())
            {
                self.report_cycle(&circle);
            }
        }
    }

    fn report_cycle(&self, circle: &[Point]) {
        let named = |(frame, slot): &Point| slot_name(&self.tree, *frame, *slot);
        let names: Vec<String> = circle
            .iter()
            .chain(circle.first())
            .filter_map(named)
            .map(|(level, index)| format!("`{}`", self.tree.levels[level].steps[index].name))
            .collect();
        let Some((level, index)) = circle.first().and_then(named) else { return };
        let step = &self.tree.levels[level].steps[index];
        let message = format!("these steps wait for each other: {}", names.join(" → "));
        let help = "let one of them need something else; a write waits for the writes written above it".to_owned();
        self.planner.report.error("cycle", (&step.place, &step.path), message, help);
    }
}

/// Every step with the steps that it may wait for, inner frames included.
pub(super) fn collect(tree: &Tree<'_>, (frame, scope): (usize, &Scope), edges: &mut Vec<(Point, Vec<Point>)>) {
    for (index, step) in scope.steps.iter().enumerate() {
        let slot = StepId::from(index);
        let mut to: Vec<Point> = waits(step).into_iter().map(|need| locate(tree, frame, need)).collect();
        if let Action::Each(each) = &step.action {
            let inner = inner_frame(tree, frame, slot);
            let Some(inner) = inner else { continue };
            let before = edges.len();
            collect(tree, (inner, &each.scope), edges);
            // What the items wait for outside, the step waits for.
            let outside = edges[before..]
                .iter()
                .flat_map(|(_, to)| to)
                .filter(|(at, _)| tree.frames[*at].depth < each.scope.depth);
            to.extend(outside.copied().collect::<Vec<_>>());
            to.extend(
                each.value
                    .needs
                    .iter()
                    .filter(|need| need.depth < each.scope.depth)
                    .map(|need| locate(tree, frame, *need)),
            );
        }
        edges.push(((frame, slot), to));
    }
}

fn waits(step: &Step) -> Vec<Need> {
    let mut needs = step.needs.to_vec();
    needs.extend(step.when.iter().chain(&step.otherwise).flat_map(|expr| expr.needs.iter().copied()));
    if let OnFailure::Default(default) = &step.on_failure {
        needs.extend(default.needs.iter().copied());
    }
    needs
}

/// The step that a need means, seen from a frame.
pub(super) fn locate(tree: &Tree<'_>, mut frame: usize, need: Need) -> Point {
    while tree.frames[frame].depth > need.depth {
        let Some(parent) = tree.frames[frame].parent else { break };
        frame = parent;
    }
    (frame, need.step)
}

fn inner_frame(tree: &Tree<'_>, frame: usize, slot: StepId) -> Option<usize> {
    let levels = tree.levels.iter().filter(|level| level.frame == frame);
    levels.flat_map(|level| &level.steps).find_map(|step| match step.body {
        Body::Each(id, inner) if id == slot => Some(tree.levels[inner].frame),
        _ => None,
    })
}

/// Walks on from a point; the circle that it finds, if there is one.
fn visit(
    at: Point,
    edges: &[(Point, Vec<Point>)],
    way: &mut Vec<Point>,
    done: &mut BTreeSet<Point>,
) -> Option<Vec<Point>> {
    if let Some(start) = way.iter().position(|point| *point == at) {
        return Some(way[start..].to_vec());
    }
    if !done.insert(at) {
        return None;
    }
    way.push(at);
    let next = edges.iter().find(|(from, _)| *from == at);
    for to in next.into_iter().flat_map(|(_, to)| to) {
        if let Some(circle) = visit(*to, edges, way, done) {
            return Some(circle);
        }
    }
    way.pop();
    None
}
