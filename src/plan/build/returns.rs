//! `returns`: the result of an endpoint is what it declares.

use super::Planner;
use super::endpoints::named_in;
use super::misfits::Written;
use super::unit::Unit;
use crate::expr::Node;
use crate::plan::contract;
use crate::plan::fit::{self, Declared};
use crate::spec::{self, Located, TypeUse};

impl Planner<'_> {
    /// Checks the result of an endpoint against the type that it declares, and gives the program that sees to the rest
    /// while it runs.
    pub(super) fn returned(
        &self,
        (endpoint, returns): (&spec::Endpoint, &TypeUse),
        (unit, result): (&Unit<'_, '_>, Node),
        path: &str,
    ) -> Node {
        if endpoint.answers_nothing() {
            let message = "an answer without a body has no type".to_owned();
            let help = "leave `returns` out, or write a result".to_owned();
            self.report.error("misplaced", (returns.place(), path), message, help);
            return result;
        }
        let declared_at = format!("{path}.returns");
        let declared = match returns {
            TypeUse::Named(name) => {
                let declared = self.declared(name, &declared_at);
                self.refuse_input(name, &declared_at);
                declared
            }
            TypeUse::Upload(upload) => {
                let message = "an answer is no upload".to_owned();
                let help = "leave `returns` out: `Upload` is what a body may be".to_owned();
                self.report.error("misplaced", (&upload.place, &declared_at), message, help);
                return result;
            }
            TypeUse::Schema(written) => match self.json_schema(written, "the answer", &declared_at) {
                Some((schemas, id)) => contract::schema::declared(&schemas, id),
                None => Declared::Anything,
            },
        };
        // A level that needs itself was reported as a cycle.
        let Ok(value) = unit.result(0) else { return result };
        let misfits = fit::misfits(&value.node, &value.ty, &declared);
        let written = endpoint.composition.result.as_ref();
        let written = written.map_or(Written::Elsewhere(returns.place()), Written::Template);
        self.report_misfits(written, &format!("{path}.result"), &misfits);
        fit::kept(result, &value.ty, &declared)
    }

    /// What the name of a type declares: a type of the schema, or the ProtoJSON of a message or an enum.
    pub(super) fn declared(&self, text: &Located<String>, path: &str) -> Declared {
        if let Some(message) = self.message_named(named_in(&text.value)) {
            return around(&text.value, fit::of_message(&message));
        }
        if let Some(of) = self.enum_named(named_in(&text.value)) {
            return around(&text.value, fit::of_enum(&of));
        }
        self.type_ref(text, path).map_or(Declared::Anything, |ty| fit::of_output(&self.schema, &ty))
    }

    fn refuse_input(&self, text: &Located<String>, path: &str) {
        let Ok(ty) = self.schema.type_ref(&text.value) else { return };
        let named = &self.schema[ty.named()];
        if !named.kind.is_output() {
            let message = format!("`{}` is {}, which no answer is", named.name, named.kind.noun());
            let help = "write an output type, or a proto message".to_owned();
            self.report.error("unknown-type", (&text.place, path), message, help);
        }
    }
}

/// Puts the lists and marks of `text` around what its name declares.
fn around(text: &str, named: Declared) -> Declared {
    if let Some(inner) = text.strip_suffix('!') {
        return match around(inner, named) {
            Declared::Nullable(inner) => Declared::clone(&inner),
            other => other,
        };
    }
    let bare = match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(item) => Declared::List(around(item.trim(), named).into()),
        None => named,
    };
    Declared::Nullable(bare.into())
}
