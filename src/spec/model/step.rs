//! `steps.NAME`: what runs, when, how often, and what a failure means.

use std::time::Duration;

use crate::base::diagnostic::Place;
use crate::spec::constant::holds_expression;
use crate::spec::keys::{Definition, Entries, FromNode, Keys as _, Reader, Shape, keys, words};
use crate::spec::yaml::{Kind, Node, Scalar};

use super::{Action, CallPolicies, Located, Size, Switch, Template, Undo};

keys! {
    /// A step: a call, a part, a composition of its own, a value, or a guard.
    pub struct Step: "a step", as in "{ backend: catalog, get: \"/products/${args.id}\" }" {
        /// What it does.
        action: Action = ..,
        /// It is not run unless this is true.
        when: Option<Scalar>,
        /// What its name holds when `when` is false; without it, null.
        otherwise: Option<Template> = "else",
        /// Run once per item of a list.
        for_each: Option<ForEach>,
        /// With `for_each`: the step holds an object by this key, and runs once per distinct key.
        key: Option<Scalar>,
        /// With `for_each`: how many run at the same time.
        parallel: Option<Located<u32>>,
        /// With `for_each`: how many items are taken. On a rpc that streams: how many messages make its list.
        max: Option<Located<u32>>,
        /// What happens when there are more items, or messages, than `max`.
        over: Option<Located<Over>>,
        /// One call for many keys.
        batch: Option<Batch>,
        /// A read again until it holds.
        repeat: Option<Repeat>,
        /// Steps that must be done before, instead of the writes written above.
        after: Option<Vec<Located<String>>>,
        /// A failure leaves null and is reported; the rest is served.
        optional: Option<Located<bool>>,
        /// What stands for the result after a failure.
        default: Option<Template>,
        /// On a call: replies that are failures. On any other step: guards.
        fail: Vec<Fail>,
        /// How long the step may take; `none`, on a call: as long as the request, whatever the backend says.
        timeout: Option<Switch<Located<Duration>>>,
        /// On a call: what happens around it.
        policies: CallPolicies = ..,
        /// On a write: tags of kept replies that are thrown away once it has succeeded; expressions may stand in them, and
        /// mention its reply.
        invalidates: Vec<Scalar>,
        /// On a write: the call that takes it back when the composition fails later. It may mention its own step and
        /// everything before it.
        undo: Option<Undo>,
    }
    then Step::check
}

/// `for_each: ${list}` or `for_each: { line: "${list}" }`.
#[derive(Clone, Debug)]
pub struct ForEach {
    /// The name of the item; without it, `item`.
    pub name: Option<Located<String>>,
    /// The list.
    pub list: Scalar,
    /// Where it is written.
    pub place: Place,
}

words! {
    /// What happens beyond a limit of items or calls.
    pub enum Over {
        /// The step fails.
        Fail = "fail",
        /// What lies beyond is left out, and `steps.NAME.cut` is true.
        Cut = "cut",
    }
}

keys! {
    /// One call for many keys, whose reply is dealt out again.
    pub struct Batch: "a batch", as in "{ key: \"${parent.id}\", from: \"${reply}\", by: \"${item.id}\" }" {
        /// The key of one parent or item; an object makes a composite key.
        key: Template,
        /// The list, or object, of rows in the reply.
        from: Scalar,
        /// The key that a row belongs to.
        by: Scalar,
        /// Whether a key may have many rows; then each key gets a list.
        many: Option<Located<bool>>,
        /// How many keys one call may carry.
        max: Option<Located<u32>>,
        /// How long the URL of one call may become.
        max_url: Option<Located<Size>>,
        /// What a key without a row gets.
        missing: Option<Located<Missing>>,
    }
}

keys! {
    /// A read again until it holds: pages, polling. `last` is the reply before, `replies` are all of them.
    pub struct Repeat: "a repeat", as in "{ until: \"${reply.next == null}\", max: 20 }" {
        /// It is not called again once this is true of a reply.
        until: Scalar,
        /// How many calls are made at most.
        max: Option<Located<u32>>,
        /// How long to wait between a reply and the next call; without it, not at all.
        every: Option<Located<Duration>>,
        /// What happens when `until` does not hold after `max` calls.
        over: Option<Located<Over>>,
    }
}

words! {
    /// What a key without a row gets.
    pub enum Missing {
        /// Null.
        Null = "null",
        /// The failure `batch_missing`.
        Error = "error",
    }
}

keys! {
    /// A reply or state that is a failure.
    pub struct Fail: "a fail rule", as in "{ when: \"${has(reply.error)}\", code: backend_error }" {
        /// It is a failure when this is true.
        when: Scalar,
        /// The code that the client reads.
        code: Option<Located<String>>,
        /// The HTTP status that the client gets.
        status: Option<Located<u16>>,
        /// The sentence that the client reads.
        detail: Option<Scalar>,
        /// Members that are added to the problem document.
        with: Option<Template>,
        /// Whose fault it is.
        blame: Option<Located<Blame>>,
    }
    then Fail::check
}

words! {
    /// Whose fault a declared failure is.
    pub enum Blame {
        /// The client sent something that the backend refuses.
        Client = "client",
        /// The backend failed: retries and breakers count it.
        Backend = "backend",
    }
}

impl Definition for Step {
    const KIND: &'static str = "step";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.checked_free_name(Self::KIND, name);
        Self::read(node, reader)
    }
}

impl Step {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        if let (None, Some(otherwise)) = (&self.when, &self.otherwise) {
            refuse_alone(otherwise.place(), "else", "when", reader);
        }
        if self.for_each.is_none() {
            let beside = [
                ("key", self.key.as_ref().map(|key| &key.place)),
                ("parallel", self.parallel.as_ref().map(|parallel| &parallel.place)),
            ];
            // Whether a rpc streams, so that its messages are bounded, is known when its proto is.
            let bounds = [
                ("max", self.max.as_ref().map(|max| &max.place)),
                ("over", self.over.as_ref().map(|over| &over.place)),
            ];
            let may_stream = matches!(self.action, Action::Grpc(_));
            for (key, place) in beside.into_iter().chain(bounds.into_iter().filter(|_| !may_stream)) {
                if let Some(place) = place {
                    refuse_alone(place, key, "for_each", reader);
                }
            }
        }
        if let Action::Part(_) | Action::Compose(_) | Action::Guard = self.action {
            let policies = CallPolicies::DOC.fields.iter().map(|field| field.key);
            let of_calls = policies.chain(["batch", "repeat", "undo", "invalidates"]);
            for key in of_calls.filter_map(|key| entries.written(key)) {
                let diagnostic = reader
                    .error("misplaced-key", &key.place, format!("`{}` belongs to a call", key.value))
                    .help("write it beside `backend`, on the step inside that makes the call");
                reader.report(diagnostic);
            }
            if let Some(Switch::Off(place)) = &self.timeout {
                let diagnostic = reader
                    .error("misplaced-key", place, "only a call has a timeout of its backend to turn off")
                    .help("leave it out, or write a duration");
                reader.report(diagnostic);
            }
        }
        if let (Some(repeat), Some(_)) = (&self.repeat, &self.batch) {
            let diagnostic = reader
                .error("misplaced-key", &repeat.place, "`repeat` cannot stand beside `batch`")
                .help("leave one of them out: a batch asks once for all keys");
            reader.report(diagnostic);
        }
    }
}

fn refuse_alone(place: &Place, key: &str, beside: &str, reader: &mut Reader<'_>) {
    let diagnostic = reader
        .error("misplaced-key", place, format!("`{key}` means something only beside `{beside}`"))
        .help(format!("add `{beside}`, or leave it out"));
    reader.report(diagnostic);
}

impl FromNode for ForEach {
    fn shape() -> Shape {
        named_list_shape()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let (name, list) = read_named_list(node, reader)?;
        Some(Self { name, list, place: node.place.clone() })
    }
}

/// What [`read_named_list`] reads.
pub(super) fn named_list_shape() -> Shape {
    Shape::OneOf(vec![Shape::Scalar, Shape::Map(Box::new(Shape::Scalar))])
}

/// `${list}` or `{ name: "${list}" }`.
pub(super) fn read_named_list(node: &Node, reader: &mut Reader<'_>) -> Option<(Option<Located<String>>, Scalar)> {
    const EXPECTED: &str = "a list such as `${items}`, or with a name for its item, `{ line: \"${items}\" }`";
    match &node.kind {
        Kind::Scalar(list) if list.text().is_some_and(holds_expression) => Some((None, list.clone())),
        Kind::Mapping(pairs) if pairs.len() == 1 => {
            let (name, list) = &pairs[0];
            reader.checked_free_name("item", name);
            Some((Some(name.clone()), reader.within(&name.value, |reader| Scalar::read(list, reader))?))
        }
        _ => {
            reader.expected(EXPECTED, node);
            None
        }
    }
}

impl Fail {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        if let Some(status) = &self.status
            && status.value < 400
        {
            let message = format!("{} is no status of a failure", status.value);
            let help = "write one from 400 to 599, such as `422`";
            reader.report(reader.error("bad-status", &status.place, message).help(help));
        }
    }
}
