//! What became of one attempt at a backend call, and what that says of the backend.

use std::time::Duration;

/// How an attempt ended, as far as policies tell ends apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// No connection: refused, unreachable, timed out, a name that does not resolve, a handshake that failed.
    Connect,
    /// The connection ended before the head of a reply had come.
    Reset,
    /// The backend did not take the call (REFUSED_STREAM, GOAWAY), or it never left the gateway.
    Unsent,
    /// No reply within the time that the composition gives.
    Timeout,
    /// No reply within what was left of the request's time: the client asked for less, or the call began late.
    Hurried,
    /// The reply was cut short, or is not what its protocol or media type says.
    BadReply,
    /// The reply is larger than the cap.
    TooLarge,
    /// A `fail` rule says that the reply is a failure of the backend.
    Failed,
    /// A `fail` rule says that the reply is a refusal of what the client asked.
    Refused,
    /// An HTTP status.
    Status(u16),
    /// A gRPC status (google.rpc.Code).
    Grpc(u8),
    /// The gateway itself could not make the call, or would not.
    Local,
    /// Nobody waits for the reply any more.
    Left,
}

impl Event {
    /// The gRPC codes and the ends without a status, as compositions name them. Source: google/rpc/code.proto.
    pub const NAMES: &[(&str, Self)] = &[
        ("CANCELLED", Self::Grpc(1)),
        ("UNKNOWN", Self::Grpc(2)),
        ("INVALID_ARGUMENT", Self::Grpc(3)),
        ("DEADLINE_EXCEEDED", Self::Grpc(4)),
        ("NOT_FOUND", Self::Grpc(5)),
        ("ALREADY_EXISTS", Self::Grpc(6)),
        ("PERMISSION_DENIED", Self::Grpc(7)),
        ("RESOURCE_EXHAUSTED", Self::Grpc(8)),
        ("FAILED_PRECONDITION", Self::Grpc(9)),
        ("ABORTED", Self::Grpc(10)),
        ("OUT_OF_RANGE", Self::Grpc(11)),
        ("UNIMPLEMENTED", Self::Grpc(12)),
        ("INTERNAL", Self::Grpc(13)),
        ("UNAVAILABLE", Self::Grpc(14)),
        ("DATA_LOSS", Self::Grpc(15)),
        ("UNAUTHENTICATED", Self::Grpc(16)),
        ("connect", Self::Connect),
        ("reset", Self::Reset),
        ("timeout", Self::Timeout),
        ("bad_reply", Self::BadReply),
    ];

    /// The event that a composition names; HTTP statuses by their number.
    pub fn named(name: &str) -> Option<Self> {
        let known = Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, event)| *event);
        known.or_else(|| name.parse().ok().filter(|status| (100..600).contains(status)).map(Self::Status))
    }
}

/// What an event says of the health of whom was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Success,
    /// It failed; counts in a row and in shares.
    Hard,
    /// It asks for less; counts in shares only.
    Soft,
    /// Nothing.
    Neutral,
}

/// What an event says of how many calls whom was asked can bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// As many as there were.
    Bearable,
    /// Fewer.
    TooMuch,
    /// Nothing.
    Unsaid,
}

/// Whether the same call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Always: nobody worked on it.
    Always,
    /// If it may be made twice: a read, or a write that says so.
    Idempotent,
    /// Never: it would end the same way, or nobody wants it.
    Never,
}

/// What a policy reads of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Of the backend.
    pub health: Health,
    /// Of what it can bear.
    pub load: Load,
    /// Of the call.
    pub again: Again,
}

/// An attempt that is over, as policies that count see it.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// What it says of the backend.
    pub health: Health,
    /// What it says of how many calls that can bear.
    pub load: Load,
    /// How long it took.
    pub took: Duration,
    /// How long the backend asks to be left alone.
    pub pause: Option<Duration>,
}
