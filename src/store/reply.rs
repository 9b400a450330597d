//! A kept reply as bytes: its times on the wall, so that every replica keeps to them, what it may be thrown away by, and the
//! reply itself, compressed.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::time::Instant;

use super::names::{Label, Name};
use crate::base::call::Reply;
use crate::base::packed::{Packer, Unpacker};
use crate::base::value::Held;
use crate::policy::cache::{Kept, Times, Turn};

/// The largest reply that is written: beyond it the backend is asked as soon as the store.
const LARGEST: usize = 4 << 20;
/// The same when it is compressed, so that no answer of the store holds up those behind it for long.
const LARGEST_COMPRESSED: usize = 512 << 10;
/// The level of zstd: its lowest is nearly as small for JSON.
const LEVEL: i32 = 1;

/// What a label holds: another one after each purge.
pub(super) type Token = [u8; 8];

/// What a reply may be thrown away by, as it stood when its fetch began.
pub(super) type Sealed = Vec<(Label, Token)>;

/// A moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    instant: Instant,
    wall: SystemTime,
}

/// A kept reply as it was read.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) sealed: Sealed,
    /// When it came.
    pub(super) came: SystemTime,
    times: Times,
    payload: Bytes,
    length: usize,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { instant: Instant::now(), wall: SystemTime::now() }
    }

    /// Milliseconds since 1970 at a moment of this process.
    fn written(&self, instant: Instant) -> u64 {
        let wall = match instant.checked_duration_since(self.instant) {
            Some(ahead) => self.wall.checked_add(ahead),
            None => self.wall.checked_sub(self.instant - instant),
        };
        let since = wall.and_then(|wall| wall.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// The moment of this process that is so many milliseconds after 1970.
    fn read(&self, written: u64) -> Option<Instant> {
        let wall = UNIX_EPOCH.checked_add(Duration::from_millis(written))?;
        match wall.duration_since(self.wall) {
            Ok(ahead) => self.instant.checked_add(ahead),
            Err(behind) => self.instant.checked_sub(behind.duration()),
        }
    }

    /// When something of this process happened, on the wall.
    pub(super) fn wall(&self, instant: Instant) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.written(instant))
    }
}

/// A reply under a name; `None` for one that is too large.
pub(super) fn pack(kept: &Kept, (name, sealed): (&Name, &Sealed), now: Moment) -> Option<Vec<u8>> {
    let payload = payload(kept);
    if payload.len() > LARGEST {
        return None;
    }
    let compressed = zstd::bulk::compress(&payload, LEVEL).ok().filter(|bytes| bytes.len() <= LARGEST_COMPRESSED)?;
    let mut out = Packer::default();
    out.fixed(&name.proof);
    let Times { created, fresh, stale, on_error, askable, took } = kept.times;
    [created, fresh, stale, on_error, askable].into_iter().for_each(|instant| out.number(now.written(instant)));
    out.number(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    out.number(sealed.len() as u64);
    for (label, token) in sealed {
        out.fixed(&label.0);
        out.fixed(token);
    }
    out.number(payload.len() as u64);
    out.fixed(&compressed);
    Some(out.finish())
}

/// Reads what stands under a name, as far as it must be known whether it is of use; `None` for the reply to another call.
pub(super) fn open(bytes: Bytes, name: &Name, now: Moment) -> Option<Stored> {
    let mut bytes = Unpacker::new(bytes);
    if bytes.fixed()? != name.proof {
        return None;
    }
    let came = bytes.number()?;
    // A clock that is behind does not make a reply come after it was read.
    let created = now.read(came)?.min(now.instant);
    let (fresh, stale, on_error) = (now.read(bytes.number()?)?, now.read(bytes.number()?)?, now.read(bytes.number()?)?);
    let (askable, took) = (now.read(bytes.number()?)?, Duration::from_micros(bytes.number()?));
    let times = Times { created, fresh, stale, on_error, askable, took };
    let sealed = bytes.list(|bytes| Some((Label(bytes.fixed()?), bytes.fixed()?)))?;
    let length = usize::try_from(bytes.number()?).ok().filter(|length| *length <= LARGEST)?;
    let came = UNIX_EPOCH.checked_add(Duration::from_millis(came))?;
    Some(Stored { sealed, came, times, payload: bytes.rest(), length })
}

impl Stored {
    pub(super) fn labels(&self) -> impl Iterator<Item = Label> {
        self.sealed.iter().map(|(label, _)| *label)
    }

    /// The reply, for a memory that stands at `turn` among its purges.
    pub(super) fn kept(self, turn: Turn) -> Option<Kept> {
        let payload = zstd::bulk::decompress(&self.payload, self.length).ok()?;
        let mut bytes = Unpacker::new(payload.into());
        let (backend, tags) = (bytes.text()?, bytes.list(Unpacker::text)?.into());
        let reply = reply(&mut bytes)?;
        bytes.rest().is_empty().then_some(Kept { reply, times: self.times, backend, tags, turn })
    }
}

fn payload(kept: &Kept) -> Vec<u8> {
    let mut out = Packer::default();
    out.part(kept.backend.as_bytes());
    out.number(kept.tags.len() as u64);
    kept.tags.iter().for_each(|tag| out.part(tag.as_bytes()));
    let Reply { status, headers, body, is_cut, code } = &kept.reply;
    out.number((*status).into());
    out.option(*code, Packer::byte);
    out.byte(u8::from(*is_cut));
    out.fields(headers.map());
    body.pack(&mut out);
    out.finish()
}

fn reply(bytes: &mut Unpacker) -> Option<Reply> {
    let status = bytes.number()?.try_into().ok()?;
    let code = bytes.option(Unpacker::byte)?;
    let is_cut = bytes.byte()? == 1;
    let headers = Arc::new(bytes.fields()?.into());
    Some(Reply { status, headers, body: Held::unpack(bytes)?, is_cut, code })
}

#[cfg(test)]
mod tests;
