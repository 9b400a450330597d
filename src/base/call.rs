//! A backend call, rendered and ready, and what came back.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, RETRY_AFTER};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use tokio::time::Instant;

use super::anchor::Anchor;
use super::attempt::Event;
use super::failure::Fault;
use super::fields::Fields;
use super::id::{BackendId, KeepingId, MethodId, OperationId, PoliciesId};
use super::upload::Upload;
use super::value::Held;

/// The header fields that prove who asks. What is kept for one caller is told apart by them.
pub const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];

/// One backend call with everything filled in: two equal calls ask the backend the same thing.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whom to ask.
    pub backend: BackendId,
    /// What to ask.
    pub request: Request,
    /// Header fields (REST) or metadata (gRPC) that the composition declares.
    pub headers: HeaderMap,
    /// When the answer is of no use any more: the call's own timeout within its request's.
    pub deadline: Instant,
    /// The time that the composition gives it; nothing where it gives no time of its own. A call that has much less is
    /// in a hurry, which is not its backend's fault.
    pub given: Duration,
    /// What stands around it.
    pub policies: PoliciesId,
    /// Whether it is made for a request that is itself another attempt: then it is made once, for of all that stand one
    /// behind the other only one is to try again.
    pub is_attempted_once: bool,
    /// Calls that agree in this go to the same address of their backend.
    pub affinity: Option<u64>,
    /// Where those of one client stay.
    pub anchor: Option<Arc<Anchor>>,
    /// What its `fail` rules say of a reply.
    pub judge: Option<Arc<dyn Judge>>,
    /// How its reply may be shared and kept; `None`: not at all.
    pub keeping: Option<Box<Keeping>>,
}

/// How the reply to a call may be shared and kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// By which rule of the plan.
    pub rule: KeepingId,
    /// What of the reply is kept.
    pub share: Share,
    /// The beginning of its key: what tells it from calls that ask the same, for whom it is made and what its rules read,
    /// behind [`Keeping::HEAD`] bytes that are free.
    pub apart: Vec<u8>,
    /// Names by which its reply can be thrown away.
    pub tags: Box<[Box<str>]>,
    /// How long fetching it may take, whoever waits for it.
    pub time: Duration,
}

impl Keeping {
    /// Bytes of a key for what does not depend on the request.
    pub const HEAD: usize = 18;
}

/// What is kept of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    Whole,
    /// Its rows, each by its own key; calls for the same rows are one while they are under way.
    Rows,
}

/// The `fail` rules of a call, with the values that they read beside the reply.
pub trait Judge: fmt::Debug + Send + Sync {
    /// Whose fault the reply is, if it is a failure.
    fn fault(&self, reply: &Reply) -> Option<Fault>;
}

/// What a call asks, in its backend's protocol.
#[derive(Clone, Debug)]
pub enum Request {
    /// An HTTP request.
    Rest(RestRequest),
    /// A gRPC call with one message.
    Grpc {
        /// The rpc, with its message tables.
        method: MethodId,
        /// The message as JSON, by the rules of ProtoJSON.
        message: Bytes,
        /// What is held of the reply.
        take: Take,
    },
}

/// What a step holds of the messages of a gRPC reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// The message of a rpc that answers once.
    Message,
    /// The data of the `google.api.HttpBody` that the message is, as it came, with its media type as that of the reply.
    Data,
    /// A list of the messages of a stream.
    List(Collect),
}

/// How many messages of a stream make one reply, which is a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collect {
    /// Messages at most.
    pub max: usize,
    /// What happens beyond them.
    pub over: Over,
}

/// What happens beyond `max` items, calls or messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The step fails, with `too_many_items` or `repeat_limit`.
    Fail,
    /// What lies beyond is left out, and `steps.NAME.cut` is true.
    Cut,
}

/// An HTTP request with path and query as they go on the wire.
#[derive(Clone, Debug)]
pub struct RestRequest {
    /// The HTTP method.
    pub method: Method,
    /// Percent-encoded path and query.
    pub target: PathAndQuery,
    /// The body, with its media type in the call's headers; `None` sends no body.
    pub body: Option<Content>,
    /// The operation of a contract that says which numbers of the reply are integers.
    pub operation: Option<OperationId>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum Content {
    /// Bytes.
    Whole(Bytes),
    /// What a client uploads, between bytes that are there.
    Upload {
        /// What goes out first.
        before: Bytes,
        /// What the client sends.
        upload: Upload,
        /// What goes out behind it.
        after: Bytes,
    },
}

/// Which HTTP statuses are success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// 200 to 299.
    #[default]
    Success,
    /// Exactly these.
    Only(Arc<[u16]>),
}

impl Expect {
    /// Whether `status` is success.
    pub fn accepts(&self, status: u16) -> bool {
        match self {
            Self::Success => (200..300).contains(&status),
            Self::Only(statuses) => statuses.contains(&status),
        }
    }
}

/// What is percent-encoded in one component of a path, a query or a form: everything but the unreserved
/// characters. Source: RFC 3986 section 2.3.
pub const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether a header field, by its lower-case name, frames a message or concerns one connection: only
/// the gateway itself writes it. Source: RFC 9110 section 7.6.1, RFC 9112 section 6.
pub fn frames(name: &str) -> bool {
    const FRAMING: [&str; 9] = [
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    FRAMING.contains(&name)
}

/// How long a gRPC backend asks to be left alone, in milliseconds; anything else asks for no retry.
const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// A backend's reply to one call, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status; for gRPC the one that the gRPC status maps to.
    pub status: u16,
    /// Header fields, or metadata and trailers.
    pub headers: Arc<Fields>,
    /// The body as the step holds it; null when there was none (204, 205, or empty).
    pub body: Held,
    /// Whether it is a list of messages that was cut at its `max`.
    pub is_cut: bool,
    /// The gRPC status (google.rpc.Code) of a reply over gRPC.
    pub code: Option<u8>,
}

impl Reply {
    /// The bytes that it takes in memory, about.
    pub fn size(&self) -> usize {
        self.headers.size() + self.body.size()
    }

    /// The same without what it shares with the connection that it came by, so that keeping it keeps no more than itself.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { headers: Arc::new(self.headers.detached()), body: self.body.detached(), ..self.clone() }
    }

    /// How an attempt ended that came to this reply.
    pub fn event(&self) -> Event {
        self.code.map_or(Event::Status(self.status), Event::Grpc)
    }

    /// How long the backend asks to be left alone; beyond any deadline where it asks for no retry at all.
    ///
    /// Source: RFC 9110 section 10.2.3 (`Retry-After`), gRFC A6 (`grpc-retry-pushback-ms`).
    pub fn pause(&self) -> Option<Duration> {
        // Nothing but these needs the fields as a map, which is made when it is first asked for.
        if self.code.is_none_or(|code| code == 0) && !matches!(self.status, 429 | 503) {
            return None;
        }
        if let Some(pushback) = self.headers.map().get(PUSHBACK) {
            let millis = pushback.to_str().ok().and_then(|text| text.trim().parse().ok());
            return Some(millis.map_or(Duration::MAX, Duration::from_millis));
        }
        let text = self.headers.map().get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(text).ok()?;
        Some(until.duration_since(SystemTime::now()).unwrap_or_default())
    }
}
