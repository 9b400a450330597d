//! Which bytes of a connection may reach the HTTP parser behind it.
//!
//! A proxy and a server that read the same bytes differently can be made to see different requests (request
//! smuggling). The parser behind this layer is lenient: it takes bare LF, `Content-Length` beside
//! `Transfer-Encoding`, a missing `Host`. This layer follows the framing of HTTP/1 (RFC 9112) byte by byte and
//! passes only what can be read in one way; at the first byte that cannot, it refuses. It decides on bytes
//! alone: no sockets, no time. HTTP/2 has one reading; at its preface the layer steps aside.
//!
//! **Invariant:** the verdict does not depend on how the bytes are cut into pieces.

use std::sync::Arc;

use super::chunked::Chunked;
use super::head::{Framing, Head};
use super::limits::Limits;
use super::refusal::Refusal;

/// What every HTTP/2 connection with prior knowledge begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The version of HTTP that a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// Follows the framing of one connection.
#[derive(Debug)]
pub(super) struct Strict {
    limits: Arc<Limits>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Too little came to tell HTTP/1 from the preface of HTTP/2.
    Opening,
    /// Between two requests, or inside the head of one.
    Head(Head),
    /// Inside a body of declared length.
    Sized { left: u64 },
    /// Inside a chunked body.
    Chunked(Chunked),
    /// HTTP/2: everything passes.
    Aside,
}

impl Strict {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        Self { limits, state: State::Opening }
    }

    /// Judges `bytes`: everything that came and did not pass yet, beginning with what earlier calls left.
    /// Returns how many of them may pass. Zero asks for more bytes. A head passes as a whole, and nothing
    /// passes beyond the end of the request that it belongs to.
    ///
    /// # Errors
    /// The next request, or the rest of this one, cannot be read in one way. Nothing more may pass.
    pub(super) fn accept(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        if self.recognise(bytes).is_none() {
            return Ok(0);
        }
        match &mut self.state {
            State::Opening => Ok(0),
            State::Head(head) => {
                let Some(end) = head.read(bytes, &self.limits)? else { return Ok(0) };
                self.state = match end.framing {
                    Framing::Sized(0) => State::Head(Head::default()),
                    Framing::Sized(left) => State::Sized { left },
                    Framing::Chunked => State::Chunked(Chunked::new(&self.limits)),
                };
                Ok(end.length)
            }
            State::Sized { .. } => {
                let length = self.opaque().min(bytes.len() as u64);
                self.pass(length);
                Ok(length as usize)
            }
            State::Chunked(chunked) => {
                let length = chunked.accept(bytes)?;
                if chunked.is_done() {
                    self.state = State::Head(Head::default());
                }
                Ok(length)
            }
            State::Aside => Ok(bytes.len()),
        }
    }

    /// The protocol, once the first `bytes` of the connection tell it.
    pub(super) fn recognise(&mut self, bytes: &[u8]) -> Option<Protocol> {
        if matches!(self.state, State::Opening) {
            let length = bytes.len().min(PREFACE.len());
            if bytes[..length] != PREFACE[..length] {
                self.state = State::Head(Head::default());
            } else if length == PREFACE.len() {
                self.state = State::Aside;
            }
        }
        match self.state {
            State::Opening => None,
            State::Aside => Some(Protocol::Http2),
            _ => Some(Protocol::Http1),
        }
    }

    /// How many of the next bytes are body whose content does not matter: they may pass unseen.
    pub(super) fn opaque(&self) -> u64 {
        match &self.state {
            State::Opening | State::Head(_) => 0,
            State::Sized { left } => *left,
            State::Chunked(chunked) => chunked.opaque(),
            State::Aside => u64::MAX,
        }
    }

    /// Takes note that `length` bytes passed unseen, at most [`Strict::opaque`].
    pub(super) fn pass(&mut self, length: u64) {
        match &mut self.state {
            State::Opening | State::Head(_) | State::Aside => {}
            State::Sized { left } => {
                *left = left.saturating_sub(length);
                if *left == 0 {
                    self.state = State::Head(Head::default());
                }
            }
            State::Chunked(chunked) => chunked.pass(length),
        }
    }

    /// Whether the next byte belongs to the head of a request.
    pub(super) fn is_at_head(&self) -> bool {
        matches!(self.state, State::Opening | State::Head(_))
    }

    /// Whether the next byte belongs to the body of a request.
    pub(super) fn is_in_body(&self) -> bool {
        matches!(self.state, State::Sized { .. } | State::Chunked(_))
    }
}

#[cfg(test)]
mod tests;
