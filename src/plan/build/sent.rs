//! Bodies of calls that go out as they are, and uploads: what a client sends goes to exactly one call, once.

use super::names::Names;
use super::types;
use super::unit::{Root, Unit};
use crate::base::diagnostic::Place;
use crate::expr::{Node, Type};
use crate::plan::{Action, Body, Composed, Content, FormPart, Request, RequestPart, Scope, Source, quoted};
use crate::spec::{self, RestCall, Scalar};

impl Unit<'_, '_> {
    /// Compiles `raw` or `multipart` of a call; `None` if neither is written.
    pub(super) fn sent_as_it_is(&self, call: &RestCall, names: &Names<'_, '_>, path: &str) -> Option<Body> {
        if let Some(raw) = &call.raw {
            return Some(Body::Raw(self.raw(raw, names, path)));
        }
        let parts: Box<[FormPart]> = call.multipart.iter().map(|part| self.form_part(part, names)).collect();
        (!parts.is_empty()).then_some(Body::Multipart(parts))
    }

    fn raw(&self, raw: &Scalar, names: &Names<'_, '_>, path: &str) -> Content {
        let value = self.planner.scalar(raw, names, &format!("{path}.raw"));
        if self.is_upload(&value.node) {
            return Content::Upload(value.node);
        }
        if matches!(value.ty.present(), Type::List(_) | Type::Map(_) | Type::Object(_)) {
            let message = format!("`raw` sends text, bytes or an upload, and this is {}", value.ty);
            let help = "write it in `body`, which sends JSON".to_owned();
            self.planner.report.error("wrong-type", (&raw.place, path), message, help);
        }
        Content::Value(value.node)
    }

    fn form_part(&self, part: &spec::Named<spec::FormPart>, names: &Names<'_, '_>) -> FormPart {
        let about =
            |scalar: &Option<Scalar>| scalar.as_ref().map(|scalar| self.planner.scalar(scalar, names, &part.path).node);
        let node = self.planner.template(&part.value.value, names, &part.path).node;
        FormPart {
            name: quoted(&part.name.value).into(),
            content: if self.is_upload(&node) { Content::Upload(node) } else { Content::Value(node) },
            file_name: about(&part.value.file_name),
            media_type: about(&part.value.media_type),
        }
    }

    /// Whether a program is just the upload of the request.
    fn is_upload(&self, node: &Node) -> bool {
        let Node::Path { var, steps } = node else { return false };
        self.takes_upload() && steps.is_empty() && is_body(&self.sources()[var.0 as usize])
    }

    fn takes_upload(&self) -> bool {
        matches!(self.root, Root::Endpoint { body: Some(ty), .. } if types::is_upload(ty))
    }

    /// A call that may be made several times cannot send what a client sends once.
    pub(super) fn check_repeated_upload(&self, (level, step): (usize, &spec::Step), request: &Request, path: &str) {
        let spec::Action::Rest(call) = &step.action else { return };
        let Some(place) = place(call).filter(|_| sent(request).next().is_some()) else { return };
        let depth = self.tree.frames[self.tree.levels[level].frame].depth;
        let several = [
            ("batch", step.batch.is_some()),
            ("for_each", step.for_each.is_some() || depth > 0),
            ("repeat", step.repeat.is_some()),
        ];
        if let Some((key, _)) = several.iter().find(|(_, is_there)| *is_there) {
            let message = format!("an upload comes once, and with `{key}` the call may be made several times");
            let help = "send it in a step of its own, which is made once".to_owned();
            self.planner.report.error("misplaced", (place, path), message, help);
        }
    }

    /// An upload goes to exactly one step, and nothing else can see it.
    pub(super) fn check_upload(&self, composed: &Composed, around: &[&Node], (place, path): (&Place, &str)) {
        if !self.takes_upload() {
            return;
        }
        let mut found = Found::default();
        found.scope(&composed.composition.scope, &composed.composition.sources);
        let at = (place, &*format!("{path}.body"));
        let mut others = found.others;
        others.extend(around.iter().any(|node| mentions(node, &composed.composition.sources)).then_some("the answer"));
        if let Some(other) = others.first() {
            let message = format!("an upload is passed on as it comes: {other} cannot read it");
            let help = "send it with `raw: \"${args.body}\"`, or as a part of `multipart`".to_owned();
            self.planner.report.error("upload", at, message, help);
        }
        match &found.takers[..] {
            [_] => {}
            [] if !others.is_empty() => {}
            [] => {
                let message = "no step takes the upload".to_owned();
                let help = "send it with `raw: \"${args.body}\"`, or as a part of `multipart`".to_owned();
                self.planner.report.error("upload", at, message, help);
            }
            [one, other, ..] => {
                let message = format!("an upload goes to one step, once: `{one}` takes it, and `{other}` too");
                let help = "keep it with one call, and let the others fetch it from there".to_owned();
                self.planner.report.error("upload", at, message, help);
            }
        }
    }
}

/// Which steps take an upload, and what else mentions it.
#[derive(Default)]
struct Found<'p> {
    /// One for each time that it is sent.
    takers: Vec<&'p str>,
    others: Vec<&'p str>,
}

impl<'p> Found<'p> {
    fn scope(&mut self, scope: &'p Scope, sources: &[Source]) {
        for step in &scope.steps {
            let mut nodes = step.nodes();
            match &step.action {
                Action::Group(_) => {}
                Action::Each(each) => self.scope(&each.scope, sources),
                Action::Call(call) => {
                    let sent: Vec<&Node> = sent(&call.request).map(Content::node).collect();
                    self.takers.extend(std::iter::repeat_n(&*step.name, sent.len()));
                    nodes.retain(|node| !sent.iter().any(|sent| std::ptr::eq(*sent, *node)));
                }
            }
            if nodes.iter().any(|node| mentions(node, sources)) {
                self.others.push(&step.name);
            }
        }
    }
}

/// The contents of a request that are an upload.
fn sent(request: &Request) -> impl Iterator<Item = &Content> {
    let body = match request {
        Request::Rest { body, .. } => body.as_ref(),
        Request::Grpc { .. } => None,
    };
    body.into_iter().flat_map(Body::contents).filter(|content| matches!(content, Content::Upload(_)))
}

/// Where a call says what it sends as it is; `None` if it sends no such body.
pub(super) fn place(call: &RestCall) -> Option<&Place> {
    let raw = call.raw.as_ref().map(|raw| &raw.place);
    raw.or_else(|| call.multipart.first().map(|part| part.value.value.place()))
}

fn mentions(node: &Node, sources: &[Source]) -> bool {
    let mut mentioned = false;
    node.vars(&mut |var| mentioned |= is_body(&sources[var.0 as usize]));
    mentioned
}

fn is_body(source: &Source) -> bool {
    matches!(source, Source::Body | Source::Request(RequestPart::Body))
}
