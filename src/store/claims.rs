//! Requests that are answered once, whichever replica they come to: the first takes a *claim*, and puts its answer in the
//! claim's place.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::Pipeline;
use tokio::time::{Instant, sleep, timeout};

use super::link::Link;
use super::names::{Digest, text};
use super::{PATIENCE, Store};
use crate::base::packed::{Packer, Unpacker};

/// How long a claim outlives the time of its request: what a failed one takes back comes after that.
const AFTER: Duration = Duration::from_secs(30);
/// The pause before an answer is told again that the store did not take.
const PAUSE: Duration = Duration::from_millis(200);
/// The level of zstd.
const LEVEL: i32 = 1;
/// The largest answer that is read.
const LARGEST: usize = 256 << 20;

/// Puts an answer in the place of a claim, or where nothing is; another's stays.
const ANSWER: &str = "local held = redis.call('GET', KEYS[1]) \
    if not held or held == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end";
/// Gives a claim up; another's stays.
const GIVE_UP: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end";

/// What the store says of a request.
#[derive(Debug)]
pub enum Claimed {
    /// It is the first, as far as the store knows: it may be away.
    First(Claim),
    /// Another came first.
    Taken {
        /// What that asked for.
        asked: Digest,
        /// What it was answered; `None` while it is under way.
        answer: Option<Bytes>,
    },
}

/// That a request is the first. Dropped without an answer, it never was.
#[derive(Debug)]
pub struct Claim {
    link: Arc<Link>,
    name: String,
    asked: Digest,
    /// What stands in the store: nobody else's is like it.
    held: Vec<u8>,
    /// When somebody else may take it.
    until: Instant,
    /// Whether there is nothing to give up.
    is_answered: bool,
}

impl Store {
    /// Takes the claim of a request that is known by `id`, asks for `asked` and may take `time`.
    pub async fn claim(&self, (id, asked): (Digest, Digest), time: Duration) -> Claimed {
        let lease = time + AFTER;
        let mut held = Packer::default();
        held.byte(UNDER_WAY);
        held.fixed(&asked);
        held.fixed(&fastrand::u128(..).to_le_bytes());
        let (name, held, until) = (text("once", &id), held.finish(), Instant::now() + lease);
        // Made before it is taken: whoever leaves meanwhile gives it up.
        let mut claim = Claim { link: self.link.clone(), name, asked, held, until, is_answered: false };
        let mut told = Pipeline::new();
        let name = &claim.name;
        told.cmd("SET").arg(name).arg(&claim.held).arg("NX").arg("PX").arg(lease.as_millis() as u64).ignore();
        told.cmd("GET").arg(name);
        let found: Option<(Option<Vec<u8>>,)> = self.link.ask(&told, Instant::now() + PATIENCE).await;
        let other = found.and_then(|(found,)| found).filter(|found| *found != claim.held);
        match other.and_then(|found| read(found.into())) {
            Some((asked, answer)) => {
                claim.is_answered = true;
                Claimed::Taken { asked, answer }
            }
            // Whether the store took it is not always known: what is told later is held to what stands there.
            None => Claimed::First(claim),
        }
    }
}

impl Claim {
    /// Puts an answer in its place, which is given to others for as long as `keep`. It is told again until the store takes
    /// it; whoever answers the request waits no longer than for anything else.
    pub async fn answer(mut self, answer: &[u8], keep: Duration) {
        self.is_answered = true;
        let Ok(compressed) = zstd::bulk::compress(answer, LEVEL) else { return };
        let mut bytes = Packer::default();
        bytes.byte(ANSWERED);
        bytes.fixed(&self.asked);
        bytes.number(answer.len() as u64);
        bytes.fixed(&compressed);
        let told = told(ANSWER, &self, |told| {
            told.arg(bytes.finish()).arg(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX).max(1));
        });
        let (link, until) = (self.link.clone(), self.until);
        let telling = tokio::spawn(async move {
            while link.tell::<()>(&told).await.is_none() && Instant::now() < until {
                sleep(PAUSE).await;
            }
        });
        // Whether it was in time makes no difference to the answer.
        let _ = timeout(PATIENCE, telling).await;
    }
}

/// The next who asks is the first.
impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (link, told) = (self.link.clone(), told(GIVE_UP, self, |_| {}));
        runtime.spawn(async move { link.tell::<()>(&told).await });
    }
}

fn told(script: &str, claim: &Claim, more: impl FnOnce(&mut Pipeline)) -> Pipeline {
    let mut told = Pipeline::new();
    told.cmd("EVAL").arg(script).arg(1).arg(&claim.name).arg(&claim.held);
    more(&mut told);
    told.ignore();
    told
}

/// The first byte of what stands under a name.
const UNDER_WAY: u8 = 0;
const ANSWERED: u8 = 1;

/// What was asked for, and the answer if there is one.
fn read(bytes: Bytes) -> Option<(Digest, Option<Bytes>)> {
    let mut bytes = Unpacker::new(bytes);
    match (bytes.byte()?, bytes.fixed()?) {
        (UNDER_WAY, asked) => Some((asked, None)),
        (ANSWERED, asked) => {
            let length = usize::try_from(bytes.number()?).ok().filter(|length| *length <= LARGEST)?;
            Some((asked, Some(zstd::bulk::decompress(&bytes.rest(), length).ok()?.into())))
        }
        _ => None,
    }
}
