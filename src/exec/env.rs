//! What the variables of expressions read at run time.

use std::cell::RefCell;
use std::sync::Arc;

use http::HeaderMap;

use super::client::ClientRequest;
use super::frame::{At, End, FrameId, Frames, Stage};
use super::repeat::Repeated;
use crate::base::call::Reply;
use crate::base::failure::{Cause, Failure};
use crate::base::id::StepId;
use crate::base::value::{Held, Kind, Sink, Text, Value, View};
use crate::expr::{self, Budget, ErrorKind, EvalError, Failures, Instead, Node, PromiseId, Var};
use crate::observe::drift::{Drift, Found};
use crate::plan::{RequestPart, Source};

/// Everything that an expression of one frame can read.
#[derive(Clone, Copy)]
pub(super) struct Env<'r> {
    pub(super) request: &'r ClientRequest,
    pub(super) sources: &'r [Source],
    /// The object of arguments.
    pub(super) args: &'r Held,
    /// What the request may still spend on expressions.
    pub(super) budget: &'r Budget,
    /// Parts of results that could not be computed and gave null.
    pub(super) leaves: &'r RefCell<Failures>,
    /// Who counts what replies do not keep; `None` where no replies are read.
    pub(super) drift: Option<&'r Drift>,
    /// The frame; `None` for expressions that stand outside any (arguments' defaults, proxies).
    pub(super) frame: Option<(&'r Frames<'r>, FrameId)>,
    /// The reply that is being judged.
    pub(super) reply: Option<&'r Reply>,
    /// The body of that reply.
    pub(super) reply_body: &'r Held,
    /// The keys of a batch.
    pub(super) keys: &'r Held,
    /// The item of a `for_each` scope that has no frame yet, and that scope's depth.
    pub(super) item: Option<(u16, &'r Held)>,
    /// The row of a batched reply, and its position or key.
    pub(super) row: Option<(&'r Held, &'r Value<'r>)>,
    /// What the call that is being made or judged has got so far, if it is repeated.
    pub(super) repeated: Option<&'r Repeated>,
}

impl Env<'_> {
    /// The same with an item of a scope that has no frame yet.
    pub(super) fn with_item<'s>(&'s self, depth: u16, item: &'s Held) -> Env<'s> {
        Env { item: Some((depth, item)), ..*self }
    }

    /// Evaluates a condition.
    pub(super) fn holds(&self, node: &Node) -> Result<bool, Failure> {
        match self.eval(node)? {
            Value::Bool(value) => Ok(value),
            other => Err(Failure::new(
                Cause::ExpressionFailed,
                format!("a condition gave {:?} instead of true or false", other.kind()),
            )),
        }
    }

    /// Evaluates an expression.
    pub(super) fn eval<'a>(&'a self, node: &'a Node) -> Result<Value<'a>, Failure> {
        expr::eval(node, self, &mut self.leaves.borrow_mut()).map_err(|error| failure(&error))
    }

    /// Evaluates an expression and keeps what it gives. Replies that it passes on are shared.
    pub(super) fn keep(&self, node: &Node) -> Result<Held, Failure> {
        if let Node::Path { .. } = node {
            let value = self.eval(node)?;
            return Held::keep(&value).map_err(|_| Failure::new(Cause::ExpressionFailed, "not a number of JSON"));
        }
        let mut out = crate::base::value::DocBuilder::default();
        self.write(node, &mut out)?;
        Ok(if out.is_empty() { Held::Null } else { Held::whole(out.finish()) })
    }

    /// Evaluates an expression straight into a sink.
    pub(super) fn write<S: Sink>(&self, node: &Node, out: &mut S) -> Result<(), Failure> {
        expr::write(node, self, out, &mut self.leaves.borrow_mut()).map(drop).map_err(|error| failure(&error))
    }

    fn step(&self, depth: u16, step: StepId) -> Option<(&Frames<'_>, At)> {
        let (frames, frame) = self.frame?;
        Some((frames, At { frame: frames.around(frame, depth), step }))
    }

    fn slot_value(&self, source: &Source) -> Option<Value<'_>> {
        Some(match source {
            Source::Step(depth, step) => {
                let (frames, at) = self.step(*depth, *step)?;
                frames.slot(at).held.value()
            }
            Source::Status(depth, step) => {
                let (frames, at) = self.step(*depth, *step)?;
                match frames.slot(at).status {
                    0 => Value::Null,
                    status => Value::Int(status.into()),
                }
            }
            Source::Headers(depth, step) => {
                let (frames, at) = self.step(*depth, *step)?;
                frames.slot(at).headers.as_deref().map_or(Value::Null, |fields| headers_value(fields.map()))
            }
            Source::Error(depth, step) => {
                let (frames, at) = self.step(*depth, *step)?;
                frames.slot(at).failure.as_deref().map_or(Value::Null, failure_value)
            }
            Source::Skipped(depth, step) => {
                let (frames, at) = self.step(*depth, *step)?;
                Value::Bool(frames.slot(at).end == End::Skipped)
            }
            Source::Cut(depth, step) => {
                let (frames, at) = self.step(*depth, *step)?;
                Value::Bool(frames.slot(at).cut)
            }
            Source::Succeeded(depth, step) => {
                let (frames, at) = self.step(*depth, *step)?;
                let slot = frames.slot(at);
                Value::Bool(slot.stage == Stage::Done && slot.end == End::Regular)
            }
            Source::Item(depth) => self.item_of(*depth)?.value(),
            _ => return None,
        })
    }

    fn item_of(&self, depth: u16) -> Option<&Held> {
        if let Some((_, item)) = self.item.filter(|(of, _)| *of == depth) {
            return Some(item);
        }
        let (frames, frame) = self.frame?;
        Some(&frames.frame(frames.around(frame, depth)).item)
    }

    fn request_value(&self, part: RequestPart) -> Value<'_> {
        let request = self.request;
        match part {
            RequestPart::Method => Value::text(request.head.method.as_str()),
            RequestPart::Path => Value::text(request.path()),
            RequestPart::Headers => request.headers().value(),
            RequestPart::Query => request.query().value(),
            RequestPart::QueryAll => request.query_all().value(),
            RequestPart::Cookies => request.cookies().value(),
            RequestPart::Body => request.body.value(),
            RequestPart::ClientIp => Value::text(request.client_ip()),
            RequestPart::Id => Value::text(request.id_text()),
            RequestPart::Time => Value::Timestamp(request.timestamp()),
        }
    }
}

impl expr::Env for Env<'_> {
    fn var(&self, var: Var) -> Value<'_> {
        let source = &self.sources[var.0 as usize];
        match source {
            Source::Args => self.args.value(),
            Source::Body => self.request.body.value(),
            Source::Request(part) => self.request_value(*part),
            Source::Reply => self.reply_body.value(),
            Source::ReplyStatus => self.reply.map_or(Value::Null, |reply| Value::Int(reply.status.into())),
            Source::ReplyHeaders => self.reply.map_or(Value::Null, |reply| headers_value(reply.headers.map())),
            Source::Keys => self.keys.value(),
            Source::Last => self.repeated.map_or(Value::Null, |repeated| repeated.last.value()),
            Source::Replies => self.repeated.map_or(Value::Null, |repeated| repeated.replies.value()),
            Source::Row => self.row.map_or(Value::Null, |(row, _)| row.value()),
            Source::RowIndex => self.row.map_or(Value::Null, |(_, index)| index.clone()),
            of_a_step => self.slot_value(of_a_step).unwrap_or(Value::Null),
        }
    }

    fn view(&self, var: Var) -> Option<View<'_>> {
        match &self.sources[var.0 as usize] {
            Source::Args => self.args.view(),
            Source::Body => self.request.body.view(),
            Source::Reply => self.reply_body.view(),
            Source::Row => self.row.and_then(|(row, _)| row.view()),
            Source::Last => self.repeated.and_then(|repeated| repeated.last.view()),
            Source::Step(depth, step) => {
                let (frames, at) = self.step(*depth, *step)?;
                frames.slot(at).held.view()
            }
            Source::Item(depth) => self.item_of(*depth)?.view(),
            _ => None,
        }
    }

    fn budget(&self) -> &Budget {
        self.budget
    }

    fn drifted(&self, promise: PromiseId, instead: Instead) {
        if let Some(drift) = self.drift {
            drift.note(promise.0 as usize, found(instead));
        }
    }
}

/// A header map as an object of texts; a field that came several times is joined with commas.
pub(super) fn headers_value(headers: &HeaderMap) -> Value<'_> {
    let entry = |name: &'_ http::HeaderName| {
        let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        (Text::from(name.as_str().to_owned()), Text::from(values.join(", ")))
    };
    Value::Map(headers.keys().map(entry).map(|(name, value)| (Value::Text(name), Value::Text(value))).collect())
}

/// `steps.NAME.error`.
fn failure_value(failure: &Failure) -> Value<'_> {
    let body = match &failure.body {
        Some(doc) => doc.root().value(),
        None => Value::Null,
    };
    Value::Map(Arc::new([
        (Value::text("code"), Value::text(failure.code())),
        (Value::text("status"), failure.backend_status.map_or(Value::Null, |status| Value::Int(status.into()))),
        (Value::text("detail"), Value::text(failure.client_text())),
        (Value::text("body"), body),
    ]))
}

/// What a reply holds instead of what is promised, as it is counted.
fn found(instead: Instead) -> Found {
    match instead {
        Instead::Nothing => Found::Nothing,
        Instead::NoObject => Found::NoObject,
        Instead::Unlisted => Found::UnknownValue,
        Instead::Of(kind) => match kind {
            Kind::Null => Found::Null,
            Kind::True | Kind::False => Found::Boolean,
            Kind::Array => Found::List,
            Kind::Object => Found::Object,
            Kind::Number | Kind::Int | Kind::Uint | Kind::Double => Found::Number,
            _ => Found::Text,
        },
    }
}

/// What a failed expression means for the step that it stands in.
pub(super) fn failure(error: &EvalError) -> Failure {
    let cause = match error.kind() {
        ErrorKind::MissingValue => Cause::MissingValue,
        ErrorKind::Budget => Cause::ExpressionBudget,
        ErrorKind::Clash => Cause::MergeConflict,
        ErrorKind::Required => Cause::NullInNonNull,
        _ => Cause::ExpressionFailed,
    };
    Failure::new(cause, error.to_string())
}
