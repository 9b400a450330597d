//! Messages of gRPC calls, checked against their proto while they are compiled.

use crate::descriptor::{MessageDescriptor, MethodDescriptor};

use super::misfits::Written;
use super::tree::{Body, Declared};
use super::unit::Unit;
use super::{types, wanted};
use crate::expr::{Node, Scope, Type};
use crate::plan::fit::{self, Declared as Declaration};
use crate::spec::{Action, Step, Template};

impl Unit<'_, '_> {
    /// Compiles a message: every member must be a field, every value must fit it.
    pub(super) fn message(
        &self,
        template: &Template,
        message: &MessageDescriptor,
        scope: &dyn Scope,
        path: &str,
    ) -> Node {
        let ty = types::of_message(message.clone());
        let value = wanted::expected(self.planner.template(template, scope, path), &ty);
        let misfits = fit::misfits(&value.node, &value.ty, &fit::of_message(message));
        self.planner.report_misfits(Written::Template(template), path, &misfits);
        let value = wanted::held(value, &ty);
        fit::passed_on(value.node, &value.ty)
    }

    /// A default that stands for the message of a reply has its fields, as far as it has any.
    pub(super) fn check_default(&self, (level, step): (usize, &Declared<'_>), default: &Template, spec: &Step) {
        let Action::Grpc(call) = &spec.action else { return };
        let is_reply = matches!(step.body, Body::Call(_)) && call.result.is_none() && spec.batch.is_none();
        let Some(rpc) = self.planner.find_rpc(call).filter(|_| is_reply) else { return };
        let value = self.planner.template(default, &self.names_of(level), "");
        let (ty, declared) = reply(&rpc);
        let value = wanted::expected(value, &ty);
        // A step may also hold something else altogether then.
        let is_alike =
            matches!((value.ty.present(), rpc.is_server_streaming()), (Type::Object(_), false) | (Type::List(_), true));
        if !is_alike {
            return;
        }
        let declared = Declaration::Nullable(declared.into());
        let misfits = fit::misfits(&value.node, &value.ty, &declared);
        self.planner.report_misfits(Written::Template(default), &format!("{}.default", step.path), &misfits);
    }
}

/// What a call of a rpc gives: its message, or the list of those of a stream.
fn reply(rpc: &MethodDescriptor) -> (Type, Declaration) {
    let (ty, declared) = (types::of_message(rpc.output()), fit::of_message(&rpc.output()));
    match rpc.is_server_streaming() {
        true => (Type::list(ty), Declaration::List(declared.into())),
        false => (ty, declared),
    }
}
