//! After a bound field is over: which objects the bound fields below it hang on.

use super::{Execution, complete};
use crate::base::value::{Held, Value};
use crate::plan::operation::{Answers, PlannedField, PlannedSelection};
use crate::plan::schema::TypeRef;

/// A bound field and one more object that it hangs on.
type Parent<'p> = (usize, &'p PlannedField, Held);

impl<'p> Execution<'p> {
    /// Starts the groups right below one that is over: all their parents are known now.
    pub(super) fn descend(&mut self, group: usize) {
        let Some(field) = self.groups[group].field else { return };
        if !field.selection.runs {
            return;
        }
        let mut parents: Vec<Parent<'p>> = Vec::new();
        for held in self.groups[group].results.iter().flatten() {
            self.walk(&held.value(), &field.field.ty, &field.selection, &mut parents);
        }
        let mut started: Vec<usize> = Vec::new();
        for (group, field, parent) in parents {
            let below = &mut self.groups[group];
            below.field = Some(field);
            below.parents.push(parent);
            if !started.contains(&group) {
                started.push(group);
            }
        }
        for group in started {
            self.start(group);
            if !self.groups[group].results.is_empty() {
                // It was refused before it ran; there is nothing below it.
                continue;
            }
        }
    }

    /// Finds the objects in a value, lists in lists included.
    fn walk(&self, value: &Value<'_>, ty: &TypeRef, selection: &'p PlannedSelection, parents: &mut Vec<Parent<'p>>) {
        if value.is_null() {
            return;
        }
        if let Some(item) = ty.item() {
            for element in value.elements().into_iter().flatten() {
                self.walk(&element, item, selection, parents);
            }
            return;
        }
        let Some(object) = complete::concrete_type(self, value, ty.named()) else { return };
        let fields = selection.fields.iter().filter(|field| field.field.applies_to(object));
        for field in fields.filter(|field| field.is_included(self.inputs.variables)) {
            match &field.answers {
                Answers::Bound { group, .. } => {
                    if let Ok(parent) = Held::keep(value) {
                        parents.push((*group, field, parent));
                    }
                }
                Answers::Member(name) if field.selection.runs => {
                    if let Some(member) = value.member(name) {
                        self.walk(&member, &field.field.ty, &field.selection, parents);
                    }
                }
                _ => {}
            }
        }
    }
}
