//! Arguments of parts: what a use hands over, and whether the part declares it so.

use std::rc::Rc;

use super::Planner;
use super::misfits::Written;
use super::names::Table;
use super::tree::{Body, Declared, Handed};
use super::unit::{Unit, Value};
use crate::base::diagnostic::did_you_mean;
use crate::expr::{self, Binding, Node, Type};
use crate::plan::fit::{self, Rule};
use crate::spec::{Arg, Named};

impl Planner<'_> {
    /// An argument of a part is handed over and carried by no request: nothing bounds its text.
    pub(super) fn check_declared_arg(&self, declared: &Named<Arg>) {
        let Arg { source, name, min, max, pattern, values, .. } = &declared.value;
        let written = [
            ("in", source.as_ref().map(|source| &source.place)),
            ("name", name.as_ref().map(|name| &name.place)),
            ("min", min.as_ref().map(|min| &min.place)),
            ("max", max.as_ref().map(|max| &max.place)),
            ("pattern", pattern.as_ref().map(|pattern| &pattern.place)),
            ("enum", values.as_ref().and_then(|values| values.first()).map(|value| &value.place)),
        ];
        for (key, place) in written.into_iter().filter_map(|(key, place)| Some((key, place?))) {
            let message = format!("`{key}` is about what a request carries, and this argument is handed over");
            let help = "write it at the endpoint's argument, or a guard in the part".to_owned();
            self.report.error("misplaced", (place, &declared.path), message, help);
        }
    }
}

impl<'s> Unit<'_, 's> {
    /// The arguments that a part was called with.
    pub(super) fn part_args(&self, part: usize, handed: &Handed<'s>) -> Rc<Table> {
        let made = || Rc::new(self.by_owner(part, || self.compile_args(part, handed)));
        // What is handed over stands outside the part, so it cannot mention it.
        self.args.of(part, made).unwrap_or_default()
    }

    fn compile_args(&self, part: usize, handed: &Handed<'s>) -> Table {
        let caller = self.names_of(handed.caller);
        let mut members = Vec::new();
        for declared in handed.declared {
            let name = &declared.name.value;
            let given = handed.given.iter().find(|given| given.name.value == *name);
            let declared_type = self.planner.type_named(&declared.value.type_name, &declared.path);
            let value = if let Some(given) = given {
                self.planner.template(&given.value, &caller, &given.path)
            } else if let (true, Ok(Binding::Scope { scope, .. })) =
                (handed.same_names, expr::Scope::resolve(&caller, "args"))
            {
                match scope.resolve(name) {
                    Ok(Binding::Node { node, ty }) => Value { node, ty },
                    Ok(Binding::Var { var, ty }) => Value { node: Node::Path { var, steps: Box::default() }, ty },
                    _ => self.default_arg(part, declared),
                }
            } else {
                self.default_arg(part, declared)
            };
            let ty = match value.ty.present() {
                Type::Dyn => declared_type,
                // The part was promised a value: what it makes of null all the same is a failure at run time.
                given if declared.value.type_name.value.ends_with('!') => given.clone(),
                _ => value.ty,
            };
            members.push((name.clone(), Binding::Node { node: value.node, ty }));
        }
        members.extend(self.unread_args(part));
        Table(members)
    }

    fn default_arg(&self, part: usize, declared: &crate::spec::Named<crate::spec::Arg>) -> Value {
        match &declared.value.default {
            Some(default) => self.planner.template(default, &self.names_of(part), &declared.path),
            None => Value { node: Node::NULL, ty: Type::Null },
        }
    }

    /// Arguments must be declared, and required ones given.
    pub(super) fn check_part_args(&self, part: usize, handed: &Handed<'_>) {
        let level = &self.tree.levels[part];
        self.check_kinds(handed);
        for given in handed.given {
            if !handed.declared.iter().any(|declared| declared.name.value == given.name.value) {
                let known = handed.declared.iter().map(|declared| declared.name.value.as_str());
                let message = format!("the part has no argument `{}`", given.name.value);
                let help = did_you_mean(&given.name.value, known);
                self.planner.report.error("unknown-name", (&given.name.place, &given.path), message, help);
            }
        }
        for declared in handed.declared {
            let required = declared.value.type_name.value.ends_with('!') && declared.value.default.is_none();
            let given = handed.same_names || handed.given.iter().any(|given| given.name.value == declared.name.value);
            if required && !given {
                let message = format!("the argument `{}` of the part is required", declared.name.value);
                let caller = self.caller_place(part).unwrap_or_else(|| (level.place.clone(), level.path.clone()));
                let help = format!("write `args: {{ {}: … }}`", declared.name.value);
                self.planner.report.error("missing-argument", (&caller.0, &caller.1), message, help);
            }
        }
    }

    /// Where the step stands that uses a part.
    fn caller_place(&self, part: usize) -> Option<(crate::base::diagnostic::Place, String)> {
        let uses =
            |step: &&Declared<'_>| matches!(step.body, Body::Value(inner) | Body::Gated(_, inner) if inner == part);
        let step = self.tree.levels.iter().flat_map(|level| &level.steps).find(uses)?;
        Some((step.place.clone(), step.path.clone()))
    }

    /// What is handed over must be of the declared kind. That it may be null is no mistake: `!` promises the
    /// part a value, and not every contract can.
    fn check_kinds(&self, handed: &Handed<'_>) {
        let caller = self.names_of(handed.caller);
        for given in handed.given {
            let Some(declared) = handed.declared.iter().find(|declared| declared.name.value == given.name.value) else {
                continue;
            };
            let value = self.planner.template(&given.value, &caller, &given.path);
            let declared = self.planner.declared(&declared.value.type_name, &declared.path);
            let mut misfits = fit::misfits(&value.node, &value.ty, &declared);
            misfits.retain(|misfit| !matches!(misfit.rule, Rule::Null | Rule::Unset));
            self.planner.report_misfits(Written::Template(&given.value), &given.path, &misfits);
        }
    }
}
