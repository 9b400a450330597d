//! Failures at run time and the one table that says what each means to a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::attempt::Event;
use super::value::Doc;

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The client sent something wrong.
    Client,
    /// A backend failed.
    Backend,
    /// The gateway could not, or the composition does not fit its backends.
    Gateway,
}

macro_rules! causes {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $status:literal, $grpc:literal, $fault:ident, $retry:literal, $client:literal;)*) => {
        /// Why something failed. One row each of `docs/ERRORS.md`, which is made from this table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Cause {
            $($(#[doc = $doc])* $name,)*
        }

        impl Cause {
            /// Every cause, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable code that clients read.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status of an answer that failed for this cause.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The gRPC status of the same (google.rpc.Code).
            pub fn grpc_status(self) -> u8 {
                match self { $(Self::$name => $grpc,)* }
            }

            /// Whose fault it is.
            pub fn fault(self) -> Fault {
                match self { $(Self::$name => Fault::$fault,)* }
            }

            /// Whether the same request may succeed later.
            pub fn retry_may_help(self) -> bool {
                match self { $(Self::$name => $retry,)* }
            }

            /// What the client may read: one sentence that names no backend and no address.
            pub fn client_text(self) -> &'static str {
                match self { $(Self::$name => $client,)* }
            }

            /// What the cause is, for the manual.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*),)* }
            }
        }
    };
}

causes! {
    /// The request could not be parsed, or a header contradicts another.
    BadRequest = "bad_request", 400, 3, Client, false, "The request could not be understood.";
    /// An argument is missing, of the wrong type, or outside its declared bounds.
    InvalidArgument = "invalid_argument", 400, 3, Client, false, "An argument of the request is missing or invalid.";
    /// The body is not what the endpoint takes: not JSON, not UTF-8, or of the wrong shape.
    InvalidBody = "invalid_body", 400, 3, Client, false, "The request body is not what this endpoint takes.";
    /// No endpoint has this path.
    NotFound = "not_found", 404, 5, Client, false, "There is nothing at this path.";
    /// An endpoint has this path, but not with this method.
    MethodNotAllowed = "method_not_allowed", 405, 12, Client, false, "This path does not take this method.";
    /// The body is larger than the endpoint takes.
    BodyTooLarge = "body_too_large", 413, 8, Client, false, "The request body is too large.";
    /// The request target is longer than the gateway takes.
    UriTooLong = "uri_too_long", 414, 3, Client, false, "The request target is too long.";
    /// The body is of a media type that the endpoint does not take.
    UnsupportedMediaType = "unsupported_media_type", 415, 3, Client, false, "The endpoint does not take this media type.";
    /// The header fields are larger or more than the gateway takes.
    HeadersTooLarge = "headers_too_large", 431, 8, Client, false, "The request's header fields are too large.";
    /// The client did not send the request to its end in time.
    RequestTimeout = "request_timeout", 408, 4, Client, true, "The request was not sent in time.";
    /// The client left before the answer was ready. Only logs and metrics show it.
    ClientLeft = "client_left", 499, 1, Client, true, "The client left.";
    /// A guard of the composition refused, with the code and status that it declares.
    Refused = "refused", 422, 9, Client, false, "The request was refused.";
    /// The first request with this `Idempotency-Key` had other arguments or another body.
    IdempotencyKeyReused = "idempotency_key_reused", 422, 3, Client, false, "The idempotency key belongs to another request.";
    /// The first request with this `Idempotency-Key` is still under way.
    IdempotencyUnderWay = "idempotency_under_way", 409, 10, Client, true, "A request with this idempotency key is under way.";
    /// The endpoint's or a required call's time ran out.
    Timeout = "timeout", 504, 4, Backend, true, "The answer took too long.";
    /// The client takes only what the gateway keeps (`Cache-Control: only-if-cached`), and nothing that it keeps answers.
    NotCached = "not_cached", 504, 5, Client, true, "Nothing is kept that answers the request.";
    /// No connection to the backend could be made, or it broke before a reply came.
    ConnectFailed = "connect_failed", 502, 14, Backend, true, "A service behind this endpoint could not be reached.";
    /// The backend asks for fewer calls: 429, RESOURCE_EXHAUSTED, or 503 with `Retry-After`.
    BackendBusy = "backend_busy", 503, 8, Backend, true, "A service behind this endpoint is busy.";
    /// The backend is not asked for a while, because it failed too often: its circuit breaker is open.
    BreakerOpen = "breaker_open", 503, 14, Backend, true, "A service behind this endpoint is not available at the moment.";
    /// As many calls to the backend are under way as its `concurrency` allows.
    TooManyCalls = "too_many_calls", 503, 8, Gateway, true, "A service behind this endpoint is busy.";
    /// More is to be done than the gateway can: `gateway.overload` and `priority` say whose turn it is to be refused.
    Overloaded = "overloaded", 503, 8, Gateway, true, "There are too many requests at the moment.";
    /// The backend answered with a status that is not success.
    BackendStatus = "backend_status", 502, 2, Backend, true, "A service behind this endpoint failed.";
    /// The backend's reply is not valid: broken JSON, broken gRPC framing, no trailers, cut short.
    BadReply = "bad_reply", 502, 13, Backend, true, "A service behind this endpoint sent an invalid reply.";
    /// The backend's reply is larger than the cap.
    ReplyTooLarge = "reply_too_large", 502, 8, Backend, false, "A service behind this endpoint sent too large a reply.";
    /// The reply says failure in its body, by a `fail` rule of the call or backend.
    ReplyFailed = "reply_failed", 502, 2, Backend, true, "A service behind this endpoint reported a failure.";
    /// Two rows of a batched reply stand for one key although `many` is not set.
    BatchDuplicate = "batch_duplicate", 502, 13, Backend, false, "A service behind this endpoint sent a contradictory reply.";
    /// A batched reply has no row for a key and `missing: error` is set.
    BatchMissing = "batch_missing", 502, 5, Backend, false, "A service behind this endpoint left out a part of its reply.";
    /// What a composition wrote could not be taken back when it failed.
    UndoFailed = "undo_failed", 502, 2, Backend, false, "A change could not be taken back.";
    /// A value needed to make a call, or to fill text, was null or absent.
    MissingValue = "missing_value", 502, 13, Gateway, false, "A value needed for this answer is missing.";
    /// An expression failed: null in an operator, overflow, division by zero, a missing index.
    ExpressionFailed = "expression_failed", 502, 13, Gateway, false, "A part of this answer could not be computed.";
    /// The expressions of one request took more than a million steps, or made more than 8 MiB of values.
    ExpressionBudget = "expression_budget", 502, 8, Gateway, false, "This answer takes too much to compute.";
    /// Two parts of a `$merge` have a value for the same member, and `$prefer` does not choose.
    MergeConflict = "merge_conflict", 502, 13, Gateway, false, "Two services behind this endpoint contradict each other.";
    /// `choose` of a backend gave null, or a name that none of its variants has.
    NoVariant = "no_variant", 502, 5, Gateway, false, "No service stands behind this endpoint for this request.";
    /// A JSON value does not fit the proto message it was to become.
    InvalidMessage = "invalid_message", 502, 13, Gateway, false, "A value does not fit the service behind this endpoint.";
    /// A list has more items than `max` allows and `over: fail` is in force.
    TooManyItems = "too_many_items", 502, 11, Gateway, false, "A list has more items than this endpoint handles.";
    /// A repeated call was made `max` times and its `until` did not come true.
    RepeatLimit = "repeat_limit", 502, 14, Backend, true, "A service behind this endpoint did not come to an end.";
    /// A result is null where the schema, or what an endpoint `returns`, says it cannot be.
    NullInNonNull = "null_in_non_null", 502, 13, Backend, false, "A required value is missing.";
    /// A value is not of the type that the schema promises.
    TypeMismatch = "type_mismatch", 502, 13, Backend, false, "A value is not of the type that the schema promises.";
    /// The GraphQL document does not parse.
    GraphqlParse = "graphql_parse_failed", 400, 3, Client, false, "The GraphQL document could not be parsed.";
    /// The GraphQL document does not fit the schema.
    GraphqlValidation = "graphql_validation_failed", 400, 3, Client, false, "The GraphQL document is not valid for this schema.";
    /// The GraphQL document goes over a limit: depth, aliases, tokens.
    GraphqlLimit = "graphql_limit_exceeded", 400, 8, Client, false, "The GraphQL document goes over a limit of this gateway.";
    /// A variable is missing or of the wrong type.
    GraphqlVariable = "graphql_variable_invalid", 400, 3, Client, false, "A variable of the request is missing or invalid.";
    /// No operation was named, or the named one does not exist.
    GraphqlOperation = "graphql_operation_unknown", 400, 3, Client, false, "The document has no such operation.";
    /// A fault of the gateway itself.
    Internal = "internal", 500, 13, Gateway, false, "The gateway failed.";
}

/// One failure on its way to a client and to the log.
///
/// What a client may read ([`Failure::code`], [`Failure::detail`]) and what only the log may read
/// ([`Failure::log`]) are different fields on purpose.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The row of the table.
    pub cause: Cause,
    /// A status that the composition declares for this failure instead of the table's.
    pub status: Option<u16>,
    /// A code that the composition declares instead of the table's.
    pub code: Option<Arc<str>>,
    /// Text for the client beyond [`Cause::client_text`]; about the client's own input, or declared.
    pub detail: Option<Arc<str>>,
    /// Members that the composition declares to be added to the problem document: a JSON object.
    pub with: Option<Arc<Doc>>,
    /// For the log only: places, addresses, a backend's own words.
    pub log: Arc<str>,
    /// The HTTP status of the backend's reply, or the one its gRPC status maps to, when it sent one.
    pub backend_status: Option<u16>,
    /// The body of the backend's failing reply, for `steps.NAME.error.body`.
    pub body: Option<Arc<Doc>>,
    /// How the attempt ended that failed, where that is more than its cause says.
    pub event: Option<Event>,
    /// After which time another try may help, if somebody said so.
    pub retry_after: Option<Duration>,
    /// The steps whose writes stand because their `undo` failed, if there are any.
    pub undo_failed: Option<Arc<[Box<str>]>>,
}

impl Failure {
    /// A failure with nothing for the client but the table's words.
    pub fn new(cause: Cause, log: impl Into<Arc<str>>) -> Self {
        Self {
            cause,
            status: None,
            code: None,
            detail: None,
            with: None,
            log: log.into(),
            backend_status: None,
            body: None,
            event: None,
            retry_after: None,
            undo_failed: None,
        }
    }

    /// A failure whose explanation the client may read, because it is about the client's input.
    pub fn told(cause: Cause, detail: impl Into<Arc<str>>) -> Self {
        let detail = detail.into();
        Self { detail: Some(detail.clone()), ..Self::new(cause, detail) }
    }

    /// The same with how the attempt ended.
    #[must_use]
    pub fn with_event(self, event: Event) -> Self {
        Self { event: Some(event), ..self }
    }

    /// How the attempt ended that failed with this.
    pub fn event(&self) -> Event {
        self.event.unwrap_or(match self.cause {
            Cause::ConnectFailed => Event::Connect,
            Cause::Timeout => Event::Timeout,
            Cause::BadReply => Event::BadReply,
            Cause::ReplyTooLarge => Event::TooLarge,
            Cause::ReplyFailed => Event::Failed,
            Cause::Refused => Event::Refused,
            _ => Event::Local,
        })
    }

    /// How little it tells among several of one answer: the least is the one that the client reads.
    ///
    /// What a composition declares comes first, then faults of the client, of backends, of the gateway;
    /// among these the order of the table counts.
    pub fn reticence(&self) -> (bool, Fault, usize) {
        let row = Cause::ALL.iter().position(|cause| *cause == self.cause).unwrap_or(usize::MAX);
        (self.code.is_none() && self.status.is_none(), self.cause.fault(), row)
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.cause.status())
    }

    /// The code that the client reads.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_else(|| self.cause.code())
    }

    /// The sentence that the client reads.
    pub fn client_text(&self) -> &str {
        self.detail.as_deref().unwrap_or_else(|| self.cause.client_text())
    }

    /// The same with the place put before the log text, as failures collect on the way up.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.log = format!("{place}: {}", self.log).into();
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.log)
    }
}

impl std::error::Error for Failure {}
