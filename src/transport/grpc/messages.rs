//! The messages of a reply, one at a time: no more is taken from the backend than whoever asks for them takes.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;

use super::super::body::{Unread, decoded};
use super::super::coding::Coding;
use super::super::http2;
use super::{ENCODING, PREFIX, status};
use crate::base::failure::{Cause, Failure};
use crate::base::room::{Room, Taken};

/// A reply that is being read. Dropped before its end, it cancels the call, as its body does.
#[derive(Debug)]
pub(super) struct Messages<B> {
    body: B,
    /// The status and what stands beside it, where the head of the reply was all there is.
    only_trailers: Option<HeaderMap>,
    /// What messages are in that say that they are in a coding; `Err` is the name of one that was not offered.
    coding: Result<Coding, Box<str>>,
    /// What came last, as far as no message of it was taken.
    piece: Bytes,
    /// The beginning of a message whose rest has not come yet.
    part: BytesMut,
    /// Bytes that came, and that messages had with their coding taken off.
    size: usize,
    /// Where there is room for them; `None` for what a backend says of itself, which is bounded and soon gone.
    room: Option<Arc<Room>>,
    taken: Taken,
}

/// What comes next in a reply.
#[derive(Debug)]
pub(super) enum Next {
    /// A message, as it is on the wire.
    Message(Bytes),
    /// The end of all messages.
    End(End),
}

/// How a reply ended.
#[derive(Debug)]
pub(super) struct End {
    /// The gRPC status.
    pub(super) code: u32,
    /// What the trailers hold, the status included.
    pub(super) trailers: HeaderMap,
}

impl<B> Messages<B>
where
    B: Body<Data = Bytes, Error = h2::Error> + Unpin,
{
    /// The messages behind a reply's head.
    pub(super) fn new(head: &HeaderMap, body: B) -> Self {
        let only_trailers = head.contains_key(status::STATUS).then(|| head.clone());
        let coding = match head.get(ENCODING).map(|name| name.to_str().unwrap_or("?")) {
            Some("gzip") => Ok(Coding::Gzip),
            Some(other) => Err(other.into()),
            None => Err("none is named".into()),
        };
        let (piece, part, taken) = Default::default();
        Self { body, only_trailers, coding, piece, part, size: 0, room: None, taken }
    }

    /// The same, with room for everything that comes.
    pub(super) fn within(self, room: &Arc<Room>) -> Self {
        Self { room: Some(room.clone()), ..self }
    }

    /// What was taken for everything that came.
    pub(super) fn into_taken(self) -> Taken {
        self.taken
    }

    /// Waits for the next message, or for the end.
    ///
    /// # Errors
    /// `reply_too_large` for a message of more than `most` bytes, before it is read; `overloaded` when there is no room;
    /// `bad_reply` for broken framing and for a reply that is cut short or ends without a status.
    pub(super) async fn next(&mut self, most: u64) -> Result<Next, Failure> {
        if let Some(trailers) = self.only_trailers.take() {
            return self.end(trailers);
        }
        loop {
            let message = self.take(most)?;
            if let Some(room) = &self.room {
                self.taken.reach(room, self.size).await?;
            }
            if let Some(message) = message {
                return Ok(Next::Message(message));
            }
            let Some(frame) = self.body.frame().await else {
                return Err(Failure::new(Cause::BadReply, "the reply ended without trailers"));
            };
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => {
                    self.size += data.len();
                    self.piece = data;
                }
                Ok(Err(frame)) => return self.end(frame.into_trailers().unwrap_or_default()),
                Err(error) => {
                    let reason = http2::reset(&error).ok_or_else(|| Failure::from(Unread::Broken(error)))?;
                    let (code, trailers) = status::reset(reason);
                    return Ok(Next::End(End { code, trailers }));
                }
            }
        }
    }

    /// The next message if it is there to its end. Of one that is not, what came is put aside.
    fn take(&mut self, most: u64) -> Result<Option<Bytes>, Failure> {
        let framed = match self.part.is_empty() {
            true => {
                let prefix = Prefix::of(&self.piece, most)?.filter(|prefix| prefix.end <= self.piece.len());
                match prefix {
                    // A message that came in one piece is handed on without a copy.
                    Some(prefix) => Some((prefix, self.piece.split_to(prefix.end))),
                    None => {
                        self.part.extend_from_slice(&std::mem::take(&mut self.piece));
                        None
                    }
                }
            }
            false => self.join(most)?,
        };
        let Some((prefix, framed)) = framed else { return Ok(None) };
        let message = framed.slice(PREFIX..);
        match &self.coding {
            _ if !prefix.is_coded => Ok(Some(message)),
            Ok(coding) => {
                let decoded = decoded::<h2::Error>(&message, *coding, most)?;
                self.size += decoded.len();
                Ok(Some(decoded))
            }
            Err(other) => Err(broken(&format!("the message is in a coding that was not offered: {other}"))),
        }
    }

    /// Adds to the message that has begun what of it came since.
    fn join(&mut self, most: u64) -> Result<Option<(Prefix, Bytes)>, Failure> {
        loop {
            let prefix = Prefix::of(&self.part, most)?;
            let missing = prefix.map_or(PREFIX, |prefix| prefix.end) - self.part.len();
            if let (Some(prefix), 0) = (prefix, missing) {
                return Ok(Some((prefix, self.part.split().freeze())));
            }
            if self.piece.is_empty() {
                self.part.reserve(missing);
                return Ok(None);
            }
            self.part.extend_from_slice(&self.piece.split_to(missing.min(self.piece.len())));
        }
    }

    /// The end, if what came before it is whole. A status that says failure says more than a message that breaks off.
    fn end(&self, trailers: HeaderMap) -> Result<Next, Failure> {
        let code = status::read(&trailers)
            .ok_or_else(|| Failure::new(Cause::BadReply, "the trailers hold no readable grpc-status"))?;
        if code == 0 && !self.part.is_empty() {
            return Err(broken("the message is cut short"));
        }
        Ok(Next::End(End { code, trailers }))
    }
}

/// What stands before a message.
#[derive(Clone, Copy)]
struct Prefix {
    /// Whether the message is in the coding that the head of the reply names.
    is_coded: bool,
    /// Where the message ends, counted from the beginning of the prefix.
    end: usize,
}

impl Prefix {
    /// The prefix at the beginning of `bytes`; `None` while it has not come to its end.
    fn of(bytes: &[u8], most: u64) -> Result<Option<Self>, Failure> {
        let Some(&[flags, ref length @ ..]) = bytes.first_chunk::<PREFIX>() else { return Ok(None) };
        if flags > 1 {
            return Err(broken("an unknown flag"));
        }
        let length = u32::from_be_bytes(*length);
        if u64::from(length) > most {
            return Err(Unread::<h2::Error>::TooLarge(most).into());
        }
        Ok(Some(Self { is_coded: flags == 1, end: length as usize + PREFIX }))
    }
}

/// A reply whose messages cannot be told apart.
pub(super) fn broken(why: &str) -> Failure {
    Failure::new(Cause::BadReply, format!("broken gRPC framing: {why}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bytes::{BufMut as _, Bytes};
    use futures_util::FutureExt as _;
    use http::{HeaderMap, HeaderValue};
    use http_body::Frame;
    use http_body_util::{BodyExt as _, StreamBody};

    use super::{ENCODING, Messages, Next, status};
    use crate::base::failure::{Cause, Failure};

    /// Bytes framed by hand.
    fn framed(flags: u8, length: u32, message: &[u8]) -> Vec<u8> {
        let mut out = vec![flags];
        out.put_u32(length);
        out.put_slice(message);
        out
    }

    fn trailers(code: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(status::STATUS, HeaderValue::from_static(code))])
    }

    /// The messages of a body that comes in these pieces and ends with a status, and that status.
    fn read(pieces: &[&[u8]], code: &'static str, most: u64) -> Result<(Vec<Bytes>, u32), Failure> {
        read_behind(&HeaderMap::new(), pieces, (code, most))
    }

    fn read_behind(
        head: &HeaderMap,
        pieces: &[&[u8]],
        (code, most): (&'static str, u64),
    ) -> Result<(Vec<Bytes>, u32), Failure> {
        let data = pieces.iter().map(|piece| Frame::data(Bytes::copy_from_slice(piece)));
        let frames: Vec<Result<_, h2::Error>> = data.chain([Frame::trailers(trailers(code))]).map(Ok).collect();
        let mut messages = Messages::new(head, StreamBody::new(futures_util::stream::iter(frames)));
        let mut read = Vec::new();
        loop {
            match messages.next(most).now_or_never().expect("everything is there")? {
                Next::Message(message) => read.push(message),
                Next::End(end) => return Ok((read, end.code)),
            }
        }
    }

    #[test]
    fn messages_are_the_same_wherever_their_bytes_are_cut() {
        let messages: [&[u8]; 4] = [b"first", b"", b"third message", b"4"];
        let wire: Vec<u8> = messages.iter().flat_map(|one| framed(0, one.len() as u32, one)).collect();
        for first in 0..wire.len() {
            for second in first..wire.len() {
                let pieces = [&wire[..first], &wire[first..second], &wire[second..]];
                let (read, code) = read(&pieces, "0", 100).expect("valid framing");
                assert_eq!((read.as_slice(), code), (&messages.map(Bytes::from_static)[..], 0), "{first} {second}");
            }
        }
        let bytes: Vec<&[u8]> = wire.chunks(1).collect();
        assert_eq!(read(&bytes, "5", 100).map(|(read, code)| (read.len(), code)).ok(), Some((4, 5)));
    }

    #[test]
    fn framing_that_is_broken_is_refused() {
        for wrong in [framed(0, 3, b"ab"), framed(1, 2, b"ab"), framed(9, 2, b"ab"), vec![0, 0]] {
            assert_eq!(read(&[&wrong], "0", 100).map_err(|failure| failure.cause).err(), Some(Cause::BadReply));
        }
    }

    #[test]
    fn a_message_over_the_cap_is_refused_before_it_is_there() {
        let announced = framed(0, 101, b"");
        assert_eq!(read(&[&announced], "0", 100).map_err(|failure| failure.cause).err(), Some(Cause::ReplyTooLarge));
        assert_eq!(read(&[&framed(0, 2, b"ab")], "0", 2).map(|(read, _)| read.len()).ok(), Some(1));
    }

    #[test]
    fn a_message_in_gzip_is_read_up_to_the_cap() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&[7; 1_000]).expect("memory takes everything");
        let gzip = gzip.finish().expect("memory takes everything");
        let message = framed(1, u32::try_from(gzip.len()).expect("it is short"), &gzip);
        let read = |named: &'static str, message: &[u8], most| {
            let head = HeaderMap::from_iter([(ENCODING, HeaderValue::from_static(named))]);
            read_behind(&head, &[&message[..9], &message[9..]], ("0", most)).map_err(|failure| failure.cause)
        };
        assert_eq!(read("gzip", &message, 1_000), Ok((vec![Bytes::from_static(&[7; 1_000])], 0)));
        assert_eq!(read("gzip", &message, 999).err(), Some(Cause::ReplyTooLarge));
        assert_eq!(read("identity", &message, 1_000).err(), Some(Cause::BadReply));
        assert_eq!(read("gzip", &framed(1, 5, b"abcde"), 1_000).err(), Some(Cause::BadReply));
    }

    #[test]
    fn a_status_of_failure_says_more_than_a_message_that_breaks_off() {
        assert_eq!(read(&[&framed(0, 9, b"ab")], "14", 100).map(|(_, code)| code).ok(), Some(14));
        assert!(read(&[], "none", 100).is_err());
    }

    #[test]
    fn a_head_that_is_all_there_is_ends_the_reply() {
        let body = http_body_util::Empty::<Bytes>::new().map_err(|never| match never {});
        let mut messages = Messages::new(&trailers("5"), body);
        let next = messages.next(1).now_or_never().expect("the end is known");
        assert!(matches!(next, Ok(Next::End(end)) if end.code == 5));
    }
}
