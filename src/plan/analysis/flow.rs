//! The steps of a composition in one list, those of `for_each` items included, and which asks for which.

use crate::expr::Node;
use crate::plan::{Action, Call, Each, Expr, Need, OnFailure, Scope, Source, Step};

/// A composition laid out: every step stands once, whatever scope it runs in.
#[derive(Debug)]
pub(crate) struct Flow<'p> {
    /// What the variables of its expressions read.
    pub(crate) sources: &'p [Source],
    scopes: Vec<Placed<'p>>,
    steps: Vec<(ScopeAt, &'p Step)>,
    roots: Vec<At>,
}

/// A step of a flow. Steps that are written earlier come first, those of items after all outer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(usize);

/// A scope of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScopeAt(usize);

/// For what a step asks for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// To decide its `when`.
    Decide,
    /// To do what it does; asked for once `when` is true.
    Act,
    /// To run for its items.
    Items,
    /// For its `else`; asked for once `when` is false.
    Else,
    /// For its `default`; asked for once it has failed.
    Default,
}

#[derive(Debug)]
struct Placed<'p> {
    scope: &'p Scope,
    /// The `for_each` step whose items it runs for.
    owner: Option<At>,
    /// The position of its first step.
    first: usize,
}

impl At {
    /// The position in lists that hold one entry for each step.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

impl<'p> Flow<'p> {
    /// Lays out a scope. `needs` are the steps that its value waits for; needs of scopes around it
    /// are left out.
    pub(crate) fn new(sources: &'p [Source], scope: &'p Scope, needs: &[Need]) -> Self {
        let mut flow = Self { sources, scopes: Vec::new(), steps: Vec::new(), roots: Vec::new() };
        flow.add(scope, None);
        flow.roots = flow.wanted(ScopeAt(0), scope, needs);
        flow
    }

    fn add(&mut self, scope: &'p Scope, owner: Option<At>) {
        let (place, first) = (ScopeAt(self.scopes.len()), self.steps.len());
        self.scopes.push(Placed { scope, owner, first });
        self.steps.extend(scope.steps.iter().map(|step| (place, step)));
        for (index, step) in scope.steps.iter().enumerate() {
            if let Action::Each(each) = &step.action {
                self.add(&each.scope, Some(At(first + index)));
            }
        }
    }

    /// Every step.
    pub(crate) fn all(&self) -> impl Iterator<Item = At> + use<> {
        (0..self.steps.len()).map(At)
    }

    /// What runs in any case: what the value waits for, writes and guards.
    pub(crate) fn roots(&self) -> &[At] {
        &self.roots
    }

    /// The plan of a step.
    pub(crate) fn step(&self, at: At) -> &'p Step {
        self.steps[at.0].1
    }

    /// The scope that a step stands in.
    pub(crate) fn scope(&self, at: At) -> ScopeAt {
        self.steps[at.0].0
    }

    /// The outermost scope.
    pub(crate) fn outermost(&self) -> ScopeAt {
        ScopeAt(0)
    }

    /// The `for_each` step whose items a scope runs for.
    pub(crate) fn owner(&self, scope: ScopeAt) -> Option<At> {
        self.scopes[scope.0].owner
    }

    /// The scope of a step's items.
    pub(crate) fn items_scope(&self, at: At) -> Option<ScopeAt> {
        self.scopes.iter().position(|placed| placed.owner == Some(at)).map(ScopeAt)
    }

    /// The scope at a depth, seen from one that is as deep or deeper.
    pub(crate) fn scope_at_depth(&self, mut scope: ScopeAt, depth: u16) -> Option<ScopeAt> {
        while self.scopes[scope.0].scope.depth > depth {
            scope = self.scope(self.owner(scope)?);
        }
        Some(scope)
    }

    /// The step around a step: the composition or the `for_each` that it is part of.
    pub(crate) fn around(&self, at: At) -> Option<At> {
        let (scope, step) = self.steps[at.0];
        let placed = &self.scopes[scope.0];
        step.group.map(|group| At(placed.first + group.index())).or(placed.owner)
    }

    /// The steps directly inside a step, or the outermost.
    pub(crate) fn inside(&self, around: Option<At>) -> Vec<At> {
        self.all().filter(|at| self.around(*at) == around).collect()
    }

    /// The step that a need means, seen from a scope; `None` when it stands outside the flow.
    pub(crate) fn locate(&self, from: ScopeAt, need: Need) -> Option<At> {
        let scope = self.scope_at_depth(from, need.depth)?;
        let placed = &self.scopes[scope.0];
        (placed.scope.depth == need.depth).then(|| At(placed.first + need.step.index()))
    }

    /// The steps that a step waits for before its `when` is decided.
    pub(crate) fn deciding(&self, at: At) -> Vec<At> {
        self.located(at, self.step(at).when.as_ref().map(|when| &*when.needs).unwrap_or_default())
    }

    /// The steps that it then waits for before it does what it does.
    pub(crate) fn acting(&self, at: At) -> Vec<At> {
        self.located(at, &self.step(at).needs)
    }

    /// The steps that each item of a `for_each` step waits for, those outside included.
    pub(crate) fn items(&self, at: At) -> Vec<At> {
        match (&self.step(at).action, self.items_scope(at)) {
            (Action::Each(each), Some(scope)) => self.wanted(scope, &each.scope, &each.value.needs),
            _ => Vec::new(),
        }
    }

    /// The steps that `else` and `default` of a step wait for.
    pub(crate) fn replacing(&self, at: At) -> (Vec<At>, Vec<At>) {
        let step = self.step(at);
        let needs = |expr: Option<&Expr>| expr.map(|expr| self.located(at, &expr.needs)).unwrap_or_default();
        let default = match &step.on_failure {
            OnFailure::Default(default) => Some(default),
            OnFailure::Fail | OnFailure::Null => None,
        };
        (needs(step.otherwise.as_ref()), needs(default))
    }

    /// Every step that a step asks for, and for what.
    pub(crate) fn asks(&self, at: At) -> Vec<(At, Why)> {
        let (otherwise, default) = self.replacing(at);
        let lists = [
            (self.deciding(at), Why::Decide),
            (self.acting(at), Why::Act),
            (self.items(at), Why::Items),
            (otherwise, Why::Else),
            (default, Why::Default),
        ];
        lists.into_iter().flat_map(|(list, why)| list.into_iter().map(move |asked| (asked, why))).collect()
    }

    fn wanted(&self, place: ScopeAt, scope: &Scope, needs: &[Need]) -> Vec<At> {
        let always = scope.always.iter().map(|step| Need { depth: scope.depth, step: *step });
        needs.iter().copied().chain(always).filter_map(|need| self.locate(place, need)).collect()
    }

    fn located(&self, at: At, needs: &[Need]) -> Vec<At> {
        needs.iter().filter_map(|need| self.locate(self.scope(at), *need)).collect()
    }
}

/// The items of a `for_each` step at most: its `max`, or fewer where the list is written out.
pub(crate) fn most_items(each: &Each) -> u64 {
    let written = match &each.list {
        Node::Items(items) => Some(items.len()),
        Node::List(elements) => Some(elements.len()),
        Node::Const(list) => list.elements().map(Iterator::count),
        _ => None,
    };
    each.max.min(written.unwrap_or(usize::MAX)) as u64
}

/// Calls that one run of a step makes one after another, at most.
pub(crate) fn most_calls(call: &Call) -> u64 {
    call.repeat.as_ref().map_or(1, |repeat| repeat.max as u64)
}

/// How often the items of a `for_each` step run one after another, `parallel` at a time.
pub(crate) fn rounds(each: &Each) -> u64 {
    most_items(each).div_ceil(each.parallel.max(1) as u64)
}
