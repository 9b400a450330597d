//! What a step does: a REST or gRPC call, a part, a composition of its own, or a guard.

use crate::spec::constant::holds_expression;
use crate::spec::keys::{Definition, Entries, FieldDoc, FromNode, Keys, ObjectDoc, Reader, Shape, keys};
use crate::spec::name::is_name;
use crate::spec::not_yet;
use crate::spec::yaml::{Node, Scalar};

use super::{CallCookies, Composition, Headers, Located, Named, Pairs, Parameters, Period, Template};

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// `backend` and a verb.
    Rest(Box<RestCall>),
    /// `backend` and `rpc`.
    Grpc(Box<GrpcCall>),
    /// `part`.
    Part(PartUse),
    /// `steps` and/or `result`; `args` is always empty.
    Compose(Composition),
    /// Only `fail`: a guard.
    Guard,
}

keys! {
    /// A call to a REST backend.
    pub struct RestCall: "a REST call", as in "{ backend: catalog, get: \"/products/${args.id}\" }" {
        /// The backend.
        backend: Located<String>,
        /// The variant of the backend, where that is not for `choose` to say.
        variant: Option<Located<String>>,
        /// The method and the path.
        verb: Verb = ..,
        /// The query string.
        query: Option<Parameters>,
        /// Header fields.
        headers: Option<Headers>,
        /// Cookies.
        cookies: Option<CallCookies>,
        /// The body, sent as JSON.
        body: Option<Template>,
        /// The body, sent as a form (`application/x-www-form-urlencoded`).
        form: Option<Parameters>,
        /// The body, sent as the parts of a form (`multipart/form-data`), by name.
        multipart: Vec<Named<FormPart>>,
        /// The body, sent as it comes: an upload, or text.
        raw: Option<Scalar>,
        /// Which statuses are success; without it, 200 to 299.
        expect: Option<Vec<Located<u16>>>,
        /// Whether the call changes nothing, whatever its method.
        read: Option<Located<bool>>,
        /// Whether a write may be made twice, so that it may be tried again.
        idempotent: Option<Located<bool>>,
        /// What the step's name holds, made from `reply` and `meta`; without it, the reply's body.
        result: Option<Template>,
    }
    then RestCall::check
}

keys! {
    /// A part of a form. A bare value is short for `{ value: … }`.
    pub struct FormPart: "a part of a form", as in "{ value: \"${args.body}\", file_name: picture.png, type: image/png }", or FormPart::of_value {
        /// What it holds.
        value: Template,
        /// The name of the file that it is.
        file_name: Option<Scalar>,
        /// Its media type.
        media_type: Option<Scalar> = "type",
    }
}

/// `get: /path` and its like.
#[derive(Clone, Debug)]
pub struct Verb {
    /// The method; the place is that of the key.
    pub method: Located<http::Method>,
    /// The path, beginning with `/`; text that may hold expressions.
    pub target: Scalar,
}

keys! {
    /// A call to a gRPC backend.
    pub struct GrpcCall: "a gRPC call", as in "{ backend: reviews, rpc: store.reviews.v1.Reviews/List }" {
        /// The backend.
        backend: Located<String>,
        /// The variant of the backend, where that is not for `choose` to say.
        variant: Option<Located<String>>,
        /// The method, as `package.Service/Method`.
        rpc: Located<String>,
        /// The message, in the shape of proto3 JSON; without it, the empty message.
        message: Option<Template>,
        /// Metadata.
        metadata: Option<Headers>,
        /// Whether the call changes nothing.
        read: Option<Located<bool>>,
        /// Whether a write may be made twice, so that it may be tried again.
        idempotent: Option<Located<bool>>,
        /// What the step's name holds, made from `reply` and `meta`; without it, the reply's message.
        result: Option<Template>,
    }
    then GrpcCall::check
}

keys! {
    /// The use of a part.
    pub struct PartUse: "the use of a part", as in "{ part: seller, args: { id: \"${product.seller_id}\" } }" {
        /// The name of the part.
        part: Located<String>,
        /// What it is called with.
        args: Vec<Named<Template>>,
    }
}

/// One call that stands alone.
#[derive(Clone, Debug)]
pub enum OneCall {
    /// `backend` and a verb.
    Rest(Box<RestCall>),
    /// `backend` and `rpc`.
    Grpc(Box<GrpcCall>),
}

keys! {
    /// A call that takes a write back.
    pub struct Undo: "an undo", as in "{ backend: files, delete: \"/files/${args.id}\" }" {
        /// The call.
        call: OneCall = ..,
        /// How long it may take, however little time the request has left; `5s` unless said.
        timeout: Option<Located<Period>>,
    }
}

keys! {
    /// A call whose reply is a stream: of gRPC, of server-sent events, or of lines of JSON.
    pub struct Stream: "a stream", as in "{ backend: stock, rpc: store.Stock/Watch, message: { sku: \"${args.sku}\" } }" {
        /// The call.
        call: OneCall = ..,
    }
}

/// The keys that name a method.
const VERBS: [(&str, http::Method); 6] = [
    ("get", http::Method::GET),
    ("post", http::Method::POST),
    ("put", http::Method::PUT),
    ("patch", http::Method::PATCH),
    ("delete", http::Method::DELETE),
    ("head", http::Method::HEAD),
];

/// What a step's keys say that it is.
#[derive(Clone, Copy)]
enum Sort {
    Rest,
    Grpc,
    Part,
    Compose,
    Guard,
}

impl Keys for Action {
    const DOC: ObjectDoc = ObjectDoc {
        name: "Action",
        title: "a step",
        doc: "What a step does: a REST call, a gRPC call, a part, or a composition of its own.",
        example: "{ backend: catalog, get: \"/products/${args.id}\" }",
        fields: &[],
        alternatives: &[&RestCall::DOC, &GrpcCall::DOC, &PartUse::DOC, &Composition::DOC],
    };

    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(sort) = sort_of(entries, reader) else {
            entries.skip(&Self::DOC);
            return None;
        };
        let (action, own) = match sort {
            Sort::Rest => (RestCall::take(entries, reader).map(|call| Self::Rest(Box::new(call))), &RestCall::DOC),
            Sort::Grpc => (GrpcCall::take(entries, reader).map(|call| Self::Grpc(Box::new(call))), &GrpcCall::DOC),
            Sort::Part => (PartUse::take(entries, reader).map(Self::Part), &PartUse::DOC),
            Sort::Compose => {
                let why = "steps inside see the names around them; `args` belongs to the use of a `part`";
                let composition = Composition::take_without_args(entries, reader, why);
                (composition.map(Self::Compose), &Composition::DOC)
            }
            Sort::Guard => (Some(Self::Guard), &Composition::DOC),
        };
        refuse_keys_of_others(entries, reader, own);
        action
    }
}

impl Keys for OneCall {
    const DOC: ObjectDoc = ObjectDoc {
        name: "OneCall",
        title: "a call",
        doc: "One call: a backend with a verb, or with an rpc.",
        example: "{ backend: catalog, get: \"/products/${args.id}\" }",
        fields: &[],
        alternatives: &[&RestCall::DOC, &GrpcCall::DOC],
    };

    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let names_call = VERBS.iter().map(|(key, _)| *key).chain(["backend", "rpc"]);
        if !entries.has_any(&names_call.collect::<Vec<_>>()) {
            let diagnostic = reader
                .error("missing-key", entries.place(), "a call stands here: a `backend` with a verb or `rpc`")
                .help(format!("write it as in `{}`", Self::DOC.example));
            reader.report(diagnostic);
            return Self::unread(entries, reader);
        }
        let (call, own) = match sort_of(entries, reader) {
            Some(Sort::Rest) => {
                (RestCall::take(entries, reader).map(|call| Self::Rest(Box::new(call))), &RestCall::DOC)
            }
            Some(Sort::Grpc) => {
                (GrpcCall::take(entries, reader).map(|call| Self::Grpc(Box::new(call))), &GrpcCall::DOC)
            }
            // That it is something else beside a call was said.
            _ => return Self::unread(entries, reader),
        };
        refuse_keys_of_others(entries, reader, own);
        if call.is_none() {
            reader.note_unread(reader.path().to_owned());
        }
        call
    }
}

impl OneCall {
    fn unread(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        entries.skip(&Action::DOC);
        reader.note_unread(reader.path().to_owned());
        None
    }
}

/// What a step is; `None` when it is nothing or several things, which is reported.
fn sort_of(entries: &Entries<'_>, reader: &mut Reader<'_>) -> Option<Sort> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| entries.find(key));
    let verbs: Vec<_> = VERBS.iter().filter_map(|(key, _)| entries.find(key)).chain(entries.find("rpc")).collect();
    if let [one, other, ..] = verbs[..] {
        report_conflict(one, other, "a call has one verb, or `rpc`", reader);
        return None;
    }
    let call = first(&["backend"]).or(verbs.first().copied());
    let part = first(&["part"]);
    let composition = first(if call.is_some() { &["steps"] } else { &["steps", "result"] });
    let sorts: Vec<_> = [call, part, composition].into_iter().flatten().collect();
    if let [one, other, ..] = sorts[..] {
        report_conflict(one, other, "a step is a call, a part, or a composition of its own", reader);
        return None;
    }
    match (call, part, composition) {
        (Some(_), ..) if verbs.is_empty() => {
            let diagnostic = reader
                .error("missing-key", entries.place(), "a call needs a verb or `rpc`")
                .help("write one of `get: /path`, `post:`, `put:`, `patch:`, `delete:`, `head:`, or `rpc: package.Service/Method`");
            reader.report(diagnostic);
            None
        }
        (Some(_), ..) if entries.find("rpc").is_some() => Some(Sort::Grpc),
        (Some(_), ..) => Some(Sort::Rest),
        (_, Some(_), _) => Some(Sort::Part),
        (_, _, Some(_)) => Some(Sort::Compose),
        _ if entries.find("fail").is_some() => Some(Sort::Guard),
        _ => {
            // A step that only holds what this version lacks is not empty to its writer.
            if !entries.untaken().any(|key| not_yet::covers("Step", &key.value)) {
                let help =
                    "write a call (`backend` with a verb or `rpc`), a `part`, `steps`, a `result`, or a guard (`fail`)";
                let diagnostic = reader.error("empty", entries.place(), "this step does nothing").help(help);
                reader.report(diagnostic);
            }
            None
        }
    }
}

fn report_conflict(one: &Located<String>, other: &Located<String>, rule: &str, reader: &mut Reader<'_>) {
    let (first, second) = if one.place.bytes.start <= other.place.bytes.start { (one, other) } else { (other, one) };
    let diagnostic = reader
        .error(
            "conflicting-keys",
            &second.place,
            format!("{rule}: `{}` and `{}` exclude each other", first.value, second.value),
        )
        .help("make two steps of it")
        .related(first.place.clone(), format!("`{}` stands here", first.value));
    reader.report(diagnostic);
}

/// Says of keys that other sorts of step take to which sort they belong.
fn refuse_keys_of_others(entries: &mut Entries<'_>, reader: &mut Reader<'_>, own: &'static ObjectDoc) {
    for other in Action::DOC.alternatives.iter().filter(|other| other.name != own.name) {
        for key in other.fields.iter().map(|field| field.key).filter(|key| !key.is_empty()) {
            let Some((key, _)) = entries.take(key) else { continue };
            let message = format!("`{}` belongs to {}, and this is {}", key.value, other.title, own.title);
            let diagnostic = reader.error("misplaced-key", &key.place, message).help(instead(&key.value, own));
            reader.report(diagnostic);
        }
    }
}

/// What serves in `own` for a key of another sort of step.
fn instead(key: &str, own: &ObjectDoc) -> &'static str {
    match (key, own.name) {
        ("headers", "GrpcCall") => "write `metadata`",
        ("metadata", "RestCall") => "write `headers`",
        ("body" | "query", "GrpcCall") => "write `message`",
        ("message", "RestCall") => "write `body` or `query`",
        _ => "leave it out",
    }
}

impl Keys for Verb {
    const DOC: ObjectDoc = ObjectDoc {
        name: "Verb",
        title: "a verb",
        doc: "The method and the path of a REST call: exactly one of these.",
        example: "get: \"/products/${args.id}\"",
        fields: &[verb("get"), verb("post"), verb("put"), verb("patch"), verb("delete"), verb("head")],
        alternatives: &[],
    };

    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        entries.allow(&Self::DOC);
        let (key, method) = VERBS.iter().find_map(|(key, method)| Some((entries.find(key)?, method)))?;
        let target = entries.field::<Scalar>(&key.value, reader)?;
        reader.within(&key.value, |reader| check_target(&target, reader));
        Some(Self { method: Located { value: method.clone(), place: key.place.clone() }, target })
    }
}

const fn verb(key: &'static str) -> FieldDoc {
    FieldDoc {
        key,
        doc: "The path at the backend, beginning with `/`; values in it are percent-encoded.",
        required: false,
        shape: <Scalar as FromNode>::shape,
    }
}

/// A target is a path: scheme, host and port are the backend's to say.
fn check_target(target: &Scalar, reader: &mut Reader<'_>) {
    let Some(text) = target.text() else {
        reader.expected_scalar("a path such as `/products/${args.id}`", target);
        return;
    };
    let (message, help) = if text.contains("://") && !text.starts_with('/') {
        ("a call says the path only; the address is the backend's", "write what follows the host, beginning with `/`")
    } else if !text.starts_with('/') {
        ("a path begins with `/`", "write it as in `/products/${args.id}`")
    } else if text.contains('#') && !holds_expression(text) {
        ("a path has no `#`", "leave the fragment out; it never reaches a backend")
    } else {
        return;
    };
    reader.report(reader.error("malformed-path", &target.place, message).help(help));
}

impl RestCall {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        let bodies = ["body", "form", "multipart", "raw"];
        entries.expect_one_at_most(&bodies, reader);
        if let http::Method::GET | http::Method::HEAD = self.verb.method.value
            && let Some(body) = bodies[1..].iter().find_map(|key| entries.written(key))
        {
            let message = format!("{} has no body", self.verb.method.value);
            let help = "write it in `query`, or use another method with `read: true`";
            reader.report(reader.error("misplaced-key", &body.place, message).help(help));
        }
        if let (Some(parts), Some(Pairs::Each(headers, _))) = (entries.written("multipart"), &self.headers)
            && let Some(header) = headers.iter().find(|header| header.name.value == "content-type")
        {
            let diagnostic = reader
                .error("conflicting-keys", &header.name.place, "`multipart` writes the field `content-type`")
                .help("leave it out: it names the boundary of the parts")
                .related(parts.place.clone(), "`multipart` stands here");
            reader.report(diagnostic);
        }
        if let (Some(cookies), Some(Pairs::Each(headers, _))) = (self.cookies.as_ref().map(Pairs::place), &self.headers)
            && let Some(header) = headers.iter().find(|header| header.name.value == "cookie")
        {
            let diagnostic = reader
                .error("conflicting-keys", &header.name.place, "`cookies` write the field `cookie`")
                .help("name the cookie under `cookies`")
                .related(cookies.clone(), "`cookies` stand here");
            reader.report(diagnostic);
        }
    }
}

impl FormPart {
    fn of_value(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("value"), None, reader)
    }
}

impl Definition for FormPart {
    const KIND: &'static str = "part";

    fn shape() -> Shape {
        <Self as FromNode>::shape()
    }

    fn define(_: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read(node, reader)
    }
}

impl GrpcCall {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        let rpc = &self.rpc.value;
        let valid =
            rpc.split_once('/').is_some_and(|(service, method)| service.split('.').all(is_name) && is_name(method));
        if !valid {
            let message = format!("`{rpc}` is no rpc");
            let help = "write it as `package.Service/Method`";
            reader.within("rpc", |reader| {
                reader.report(reader.error("malformed-rpc", &self.rpc.place, message).help(help))
            });
        }
    }
}

/// An argument that a part is called with.
impl Definition for Template {
    const KIND: &'static str = "argument";

    fn shape() -> Shape {
        Shape::Template
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.checked_name(Self::KIND, name);
        Self::read(node, reader)
    }
}
