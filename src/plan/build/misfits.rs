//! Says of a written value what keeps it from being what is declared, where it is written.

use super::Planner;
use crate::base::diagnostic::{Diagnostic, Place};
use crate::plan::fit::{At, Misfit, Rule};
use crate::spec::Template;

/// Where a value is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written<'t> {
    /// Here, member by member.
    Template(&'t Template),
    /// Nowhere of its own: this place stands for it.
    Elsewhere(&'t Place),
}

impl Planner<'_> {
    /// Reports misfits of a value, which is written under `path`.
    pub(super) fn report_misfits(&self, value: Written<'_>, path: &str, misfits: &[Misfit]) {
        for misfit in misfits {
            let (place, written, inside) = match value {
                Written::Template(template) => place_of(template, misfit),
                Written::Elsewhere(place) => (place, &misfit.at[..0], &misfit.at[..]),
            };
            let code = match misfit.rule {
                Rule::UnknownMember => "unknown-field",
                Rule::MissingMember => "missing-member",
                Rule::Clash => "conflicting-keys",
                Rule::Kind | Rule::Null | Rule::Unset => "wrong-type",
            };
            let message = match inside {
                [] => misfit.message.clone(),
                inside => format!("in `{}`: {}", shown(inside).trim_start_matches('.'), misfit.message),
            };
            let path = format!("{path}{}", shown(written));
            let diagnostic = Diagnostic::error(code, place.clone(), path, message).help(misfit.help.clone());
            // No proto can say that a message is always set, so that this is no mistake of the project's.
            self.report.add(if misfit.rule == Rule::Unset { diagnostic.warning() } else { diagnostic });
        }
    }
}

/// The nearest place that is written, the steps that lead to it, and those that go on inside an expression.
fn place_of<'t, 'm>(template: &'t Template, misfit: &'m Misfit) -> (&'t Place, &'m [At], &'m [At]) {
    let mut here = template;
    let mut place = template.place();
    for (index, step) in misfit.at.iter().enumerate() {
        if let (Template::Merge(merge), At::Member(name)) = (here, step) {
            here = merge.parts.iter().find(|part| writes(part, name)).unwrap_or(here);
        }
        let next = match (here, step) {
            (Template::Object(object), At::Member(name)) => {
                let Some(entry) = object.entries.iter().find(|entry| entry.key.value == *name) else {
                    return (place, &misfit.at[..index], &misfit.at[index..]);
                };
                let last = index + 1 == misfit.at.len();
                place = match misfit.rule {
                    Rule::UnknownMember | Rule::Clash if last => &entry.key.place,
                    _ => entry.value.place(),
                };
                &entry.value
            }
            (Template::List(list), At::Item(Some(at))) if *at < list.items.len() => {
                place = list.items[*at].place();
                &list.items[*at]
            }
            (Template::Each(each), At::Item(None)) => {
                place = each.body.place();
                &each.body
            }
            _ => return (place, &misfit.at[..index], &misfit.at[index..]),
        };
        here = next;
    }
    (place, &misfit.at, &[])
}

/// Whether a template writes out a member.
fn writes(template: &Template, name: &str) -> bool {
    matches!(template, Template::Object(object) if object.entries.iter().any(|entry| entry.key.value == name))
}

fn shown(at: &[At]) -> String {
    let step = |at: &At| match at {
        At::Member(name) => format!(".{name}"),
        At::Item(Some(index)) => format!("[{index}]"),
        At::Item(None) => "[]".to_owned(),
    };
    at.iter().map(step).collect()
}
