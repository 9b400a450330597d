//! Working with programs at load: selection, pruning, walking.

use super::{Conditional, Demand, Member, Node, Promised, Step, TextPart, Var, Wanted};
use crate::base::value::Value;
use crate::expr::eval::walk;

impl Node {
    /// The constant null.
    pub const NULL: Self = Self::Const(Value::Null);

    /// Text known at load.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Const(Value::Text(text.into().into()))
    }

    /// The value, if it is known at load.
    pub fn as_constant(&self) -> Option<&Value<'static>> {
        match self {
            Self::Const(value) => Some(value),
            _ => None,
        }
    }

    /// The value, if it is known at load, also where nothing may show it.
    pub fn known(&self) -> Option<&Value<'static>> {
        match self {
            Self::Named(named) => Some(&named.value),
            Self::Numeral(numeral) => Some(&numeral.value),
            other => other.as_constant(),
        }
    }

    /// Whether a text that nothing may show is somewhere in the program.
    pub fn holds_named(&self) -> bool {
        let mut found = matches!(self, Self::Named(_));
        self.children(&mut |child| found |= child.holds_named());
        found
    }

    /// Selects a member at load as far as it is known, so that the result mentions only what that
    /// member needs.
    #[must_use]
    pub fn member(self, name: &str) -> Self {
        self.promised_member(name, None)
    }

    /// The same of a member of which a contract promises something.
    #[must_use]
    pub fn promised_member(self, name: &str, promised: Option<Promised>) -> Self {
        match self {
            Self::Object(members) => match members.into_iter().find(|member| *member.name == *name) {
                Some(Member { when: None, value, .. }) => value,
                Some(Member { when: Some(when), value, .. }) => Self::when(when, value),
                None => Self::NULL,
            },
            Self::Outcome { var, done, otherwise } => Self::Outcome {
                var,
                done: Box::new(done.promised_member(name, promised.clone())),
                otherwise: Box::new(otherwise.promised_member(name, promised)),
            },
            Self::Conditional(conditional) => {
                let Conditional { when, then, otherwise, span } = *conditional;
                let (then, otherwise) =
                    (then.promised_member(name, promised.clone()), otherwise.promised_member(name, promised));
                Self::Conditional(Box::new(Conditional { when, then, otherwise, span }))
            }
            Self::Leaf(inner) => Self::Leaf(Box::new(inner.promised_member(name, promised))),
            Self::Merge(merge) => merge.member(name),
            // Only what is selected is passed on.
            Self::Inspected(inspected) if inspected.demand == Demand::default() => {
                inspected.node.promised_member(name, promised)
            }
            Self::Const(value) => Self::Const(known(&value, Step::member(name))),
            other => other.step(Step::Member(name.into(), promised)),
        }
    }

    /// Selects an element, of which a contract may promise something, at load as far as it is known.
    #[must_use]
    pub fn element(self, index: i64, promised: Option<Promised>) -> Self {
        match self {
            Self::Const(value) => Self::Const(known(&value, Step::Index(index, None))),
            other => other.step(Step::Index(index, promised)),
        }
    }

    /// Calls `visit` for every variable that the program mentions, once for each mention.
    pub fn vars(&self, visit: &mut dyn FnMut(Var)) {
        if let Self::Path { var, .. } | Self::Outcome { var, .. } = self {
            visit(*var);
        }
        self.children(&mut |child| child.vars(visit));
    }

    /// The program for only a part of its value: objects keep the wanted members.
    #[must_use]
    pub fn pruned(&self, wanted: &Wanted) -> Self {
        if *wanted == Wanted::All {
            return self.clone();
        }
        match self {
            Self::Object(members) => Self::Object(members.iter().filter_map(|m| m.pruned(wanted)).collect()),
            Self::Each { list, local, when, body } => Self::Each {
                list: list.clone(),
                local: local.clone(),
                when: when.clone(),
                body: Box::new(body.pruned(wanted)),
            },
            Self::Items(items) => Self::Items(items.iter().map(|item| item.pruned(wanted)).collect()),
            Self::Leaf(inner) => Self::Leaf(Box::new(inner.pruned(wanted))),
            Self::Merge(merge) => Self::Merge(Box::new(merge.pruned(wanted))),
            Self::Outcome { var, done, otherwise } => Self::Outcome {
                var: *var,
                done: Box::new(done.pruned(wanted)),
                otherwise: Box::new(otherwise.pruned(wanted)),
            },
            Self::Conditional(conditional) => Self::Conditional(Box::new(Conditional {
                when: conditional.when.clone(),
                then: conditional.then.pruned(wanted),
                otherwise: conditional.otherwise.pruned(wanted),
                span: conditional.span,
            })),
            other => other.clone(),
        }
    }

    /// How many nodes there are, itself included: what evaluating it once costs of the budget.
    pub(crate) fn weight(&self) -> u32 {
        let mut weight = 1u32;
        self.children(&mut |child| weight = weight.saturating_add(child.weight()));
        weight
    }

    /// How many nodes stand inside one another.
    pub(crate) fn depth(&self) -> usize {
        let mut deepest = 0;
        self.children(&mut |child| deepest = deepest.max(child.depth()));
        deepest + 1
    }

    /// How many nodes it is made of, itself included.
    pub(crate) fn count(&self) -> usize {
        let mut total = 1;
        self.children(&mut |child| total += child.count());
        total
    }

    /// Calls `visit` for every node directly inside this one, in written order.
    pub(crate) fn children(&self, visit: &mut dyn FnMut(&Self)) {
        match self {
            Self::Const(_) | Self::Named(_) | Self::Numeral(_) | Self::Path { .. } | Self::Local { .. } => {}
            Self::Select { of, .. } => visit(of),
            Self::Not(inner, _) | Self::Negate(inner, _) | Self::Leaf(inner) => visit(inner),
            Self::Inspected(inspected) => visit(&inspected.node),
            Self::And(nodes, _) | Self::Or(nodes, _) | Self::Items(nodes) => nodes.iter().for_each(visit),
            Self::Index(index) => [&index.of, &index.index].into_iter().for_each(visit),
            Self::OptionalStep(step) => visit(&step.of),
            Self::Has(presence) => visit(&presence.of),
            Self::Arithmetic(chain) => {
                visit(&chain.first);
                chain.rest.iter().for_each(|(_, node)| visit(node));
            }
            Self::Relation(relation) => [&relation.left, &relation.right].into_iter().for_each(visit),
            Self::Conditional(node) => [&node.when, &node.then, &node.otherwise].into_iter().for_each(visit),
            Self::Fallback(fallback) => [&fallback.value, &fallback.otherwise].into_iter().for_each(visit),
            Self::Bind(bind) => [&bind.value, &bind.body].into_iter().for_each(visit),
            Self::Call(call) => call.arguments.iter().for_each(visit),
            Self::Matches(matches) => visit(&matches.text),
            Self::Comprehension(node) => {
                [Some(&node.range), node.when.as_ref(), Some(&node.body)].into_iter().flatten().for_each(visit);
            }
            Self::List(elements) => elements.iter().for_each(|element| visit(&element.value)),
            Self::Map(entries, _) => entries.iter().for_each(|entry| {
                visit(&entry.key);
                visit(&entry.value);
            }),
            Self::Object(members) => {
                members.iter().flat_map(|m| m.when.iter().chain([&m.value])).for_each(visit);
            }
            Self::Each { list, when, body, .. } => {
                [Some(&**list), when.as_deref(), Some(&**body)].into_iter().flatten().for_each(visit);
            }
            Self::Merge(merge) => merge.parts.iter().for_each(|part| visit(&part.node)),
            Self::Text(parts) => parts.iter().for_each(|part| match part {
                TextPart::Literal(_) => {}
                TextPart::Value(node) => visit(node),
            }),
            Self::Outcome { done, otherwise, .. } => [done, otherwise].into_iter().for_each(|node| visit(node)),
        }
    }

    /// `value` where `when` holds, else null: a conditional member that was selected.
    fn when(when: Self, value: Self) -> Self {
        Self::Conditional(Box::new(Conditional { when, then: value, otherwise: Self::NULL, span: None }))
    }

    /// Appends a step to a path, or begins one.
    fn step(self, step: Step) -> Self {
        let append = |steps: Box<[Step]>, step| {
            let mut steps = steps.into_vec();
            steps.push(step);
            steps.into_boxed_slice()
        };
        match self {
            Self::Path { var, steps } => Self::Path { var, steps: append(steps, step) },
            Self::Local { id, steps } => Self::Local { id, steps: append(steps, step) },
            Self::Select { of, steps } => Self::Select { of, steps: append(steps, step) },
            other => Self::Select { of: Box::new(other), steps: Box::new([step]) },
        }
    }
}

/// A part of a value that is known at load, of which nothing is promised.
fn known(value: &Value<'static>, step: Step) -> Value<'static> {
    walk(value, &[step], &|_, _| {})
}

impl Member {
    /// The member as far as it is wanted; `None` when it is not.
    fn pruned(&self, wanted: &Wanted) -> Option<Self> {
        let wanted = wanted.of(&self.name)?;
        Some(Self {
            name: self.name.clone(),
            key: self.key.clone(),
            when: self.when.clone(),
            value: self.value.pruned(wanted),
        })
    }
}
