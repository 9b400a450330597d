//! Answers kept by the `Idempotency-Key` of their requests: a request that is sent again gets the answer of the first, and
//! nothing is written twice. They are kept in memory, and in the store that replicas share.
//!
//! Source: draft-ietf-httpapi-idempotency-key-header, sections 2.1 to 2.7. [`begin`], [`Begun::finish`] and the drop of a
//! [`Begun`] are all that others know of where answers are kept.

mod answer;
mod shared;

pub use shared::begin;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use tokio::time::Instant;

use super::client::ClientRequest;
use super::endpoint::Answered;
use crate::base::failure::{Cause, Failure};
use crate::base::value::{Held, JsonWriter, Sink as _};
use crate::plan::Idempotency;
use crate::store::Claim;

/// What says that two requests are one.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Bytes of all answers that are kept.
const ROOM: usize = 64 << 20;
/// Bytes that an answer takes beside its body and header fields.
const AROUND: usize = 256;
/// Characters of a key at most.
const LENGTH: usize = 255;

/// The answers that are kept, for all workers together.
#[derive(Debug)]
pub struct Kept {
    /// Two halves of what a key is known by, and what its request is compared by. Nobody outside can know them.
    hashers: [RandomState; 3],
    room: usize,
    entries: Mutex<Entries>,
}

/// What an answer is known by: endpoint, caller and key together.
type Id = (u64, u64);

#[derive(Debug, Default)]
struct Entries {
    by_id: HashMap<Id, Entry>,
    /// Those that were answered, the oldest first.
    answered: VecDeque<(Id, u64)>,
    bytes: usize,
    /// The number of the next one.
    number: u64,
}

#[derive(Debug)]
struct Entry {
    /// Tells it from others of the same id, before it and after it.
    number: u64,
    /// What the request asks for.
    asked: u64,
    /// `None` while it is under way.
    answer: Option<Answer>,
}

#[derive(Debug)]
struct Answer {
    outcome: Arc<Result<Answered, Failure>>,
    until: Instant,
    bytes: usize,
}

/// What a key says of the request that came with it.
#[derive(Debug)]
pub enum Once {
    /// It is the first.
    First(Begun),
    /// It was answered before, with this.
    Again(Arc<Result<Answered, Failure>>),
}

/// The first request with its key. Dropped without an answer, it never was.
#[derive(Debug)]
pub struct Begun {
    kept: Arc<Kept>,
    id: Id,
    number: u64,
    keep: Duration,
    /// The same in the store that replicas share.
    claim: Option<Claim>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { hashers: Default::default(), room: ROOM, entries: Mutex::default() }
    }
}

impl Kept {
    /// Begins a request to the endpoint `name` as far as memory knows; `None` when it came without a key, and needs none.
    ///
    /// # Errors
    /// The key is missing, or is none (400); its first request asked for something else (422), or is under way (409).
    fn begin(
        self: &Arc<Self>,
        (name, rules): (&str, &Idempotency),
        client: &ClientRequest,
    ) -> Result<Option<Once>, Failure> {
        let Some(key) = key(client)? else {
            return match rules.required {
                true => Err(Failure::told(Cause::InvalidArgument, "The header field Idempotency-Key is missing.")),
                false => Ok(None),
            };
        };
        let id = (self.id(0, name, (client, key)), self.id(1, name, (client, key)));
        let asked = self.asked(client);
        let mut entries = self.entries();
        entries.forget_old(id, Instant::now());
        match entries.by_id.get(&id) {
            Some(known) if known.asked != asked => Err(reused()),
            Some(Entry { answer: Some(answer), .. }) => Ok(Some(Once::Again(answer.outcome.clone()))),
            Some(_) => Err(under_way()),
            None => {
                entries.number += 1;
                let number = entries.number;
                entries.by_id.insert(id, Entry { number, asked, answer: None });
                Ok(Some(Once::First(Begun { kept: self.clone(), id, number, keep: rules.keep, claim: None })))
            }
        }
    }

    /// Who asks for what under a key. Until a caller is known by name, what authorizes the request says who it is.
    fn id(&self, half: usize, name: &str, (client, key): (&ClientRequest, &str)) -> u64 {
        let mut hasher = self.hashers[half].build_hasher();
        (name, key).hash(&mut hasher);
        client.caller(&mut |part| part.hash(&mut hasher));
        hasher.finish()
    }

    /// What a request asks for.
    fn asked(&self, client: &ClientRequest) -> u64 {
        let mut hasher = self.hashers[2].build_hasher();
        asked(client, &mut |part| part.hash(&mut hasher));
        hasher.finish()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// Forgets the answer of `id` if its time is over, and others from the oldest on as long as theirs is.
    fn forget_old(&mut self, id: Id, now: Instant) {
        let is_over = |entry: &Entry| entry.answer.as_ref().is_some_and(|answer| answer.until <= now);
        if self.by_id.get(&id).is_some_and(is_over) {
            self.forget(id);
        }
        while let Some((id, number)) = self.answered.front().copied() {
            if self.by_id.get(&id).is_some_and(|entry| entry.number == number && !is_over(entry)) {
                return;
            }
            self.forget_first();
        }
    }

    /// Forgets answers from the oldest on until so many bytes fit beside the others.
    fn make_room(&mut self, bytes: usize, room: usize) {
        while self.bytes.saturating_add(bytes) > room && !self.answered.is_empty() {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some((id, number)) = self.answered.pop_front() else { return };
        if self.by_id.get(&id).is_some_and(|entry| entry.number == number) {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: Id) {
        if let Some(Entry { answer: Some(answer), .. }) = self.by_id.remove(&id) {
            self.bytes -= answer.bytes;
        }
    }
}

impl Begun {
    fn with(mut self, claim: Claim) -> Self {
        self.claim = Some(claim);
        self
    }

    /// Keeps the answer. One that says when to come back invites its client to ask again, and is not kept.
    pub async fn finish(mut self, outcome: &Result<Answered, Failure>) {
        if outcome.as_ref().is_err_and(|failure| failure.retry_after.is_some()) {
            return;
        }
        self.keep_in_memory(outcome);
        if let Some(claim) = self.claim.take() {
            claim.answer(&answer::packed(outcome), self.keep).await;
        }
    }

    fn keep_in_memory(&self, outcome: &Result<Answered, Failure>) {
        let bytes = AROUND
            + outcome.as_ref().map_or(0, |answered| {
                let fields = answered.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
                answered.body.as_ref().map_or(0, Bytes::len) + fields.sum::<usize>()
            });
        let mut entries = self.kept.entries();
        entries.make_room(bytes, self.kept.room);
        let until = Instant::now() + self.keep;
        if let Some(entry) = entries.by_id.get_mut(&self.id).filter(|entry| entry.number == self.number) {
            entry.answer = Some(Answer { outcome: Arc::new(detached(outcome)), until, bytes });
            entries.bytes += bytes;
            entries.answered.push_back((self.id, self.number));
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut entries = self.kept.entries();
        if entries.by_id.get(&self.id).is_some_and(|entry| entry.number == self.number && entry.answer.is_none()) {
            entries.by_id.remove(&self.id);
        }
    }
}

/// What a request asks for, part by part: its path, its arguments and its body.
fn asked(client: &ClientRequest, part: &mut dyn FnMut(&[u8])) {
    part(client.path().as_bytes());
    for held in [&client.args, &client.body] {
        match held {
            Held::Bytes(bytes) => part(bytes),
            held => {
                let mut out = JsonWriter::default();
                // Arguments and bodies were read from text: there is nothing in them that JSON has no words for.
                let _ = out.value(&held.value());
                part(&out.bytes);
            }
        }
    }
}

fn reused() -> Failure {
    let log = "the first request with this key had other arguments or another body";
    Failure::new(Cause::IdempotencyKeyReused, log)
}

fn under_way() -> Failure {
    let failure = Failure::new(Cause::IdempotencyUnderWay, "the first request with this key is under way");
    Failure { retry_after: Some(Duration::from_secs(1)), ..failure }
}

/// The same in memory of its own, without what nobody reads any more: keeping it keeps nothing of the replies that it was
/// made of, nor their room.
fn detached(outcome: &Result<Answered, Failure>) -> Result<Answered, Failure> {
    match outcome {
        Ok(answered) => {
            let body = answered.body.as_ref().map(|bytes| Bytes::copy_from_slice(bytes));
            Ok(Answered { body, ..answered.clone() })
        }
        Err(failure) => Err(Failure { body: None, ..failure.clone() }),
    }
}

/// The key that a request says: a string of structured fields (RFC 9651), or a bare token as many clients send it.
fn key(client: &ClientRequest) -> Result<Option<&str>, Failure> {
    let mut said = client.head.headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = said.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_key = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',' | b';');
    if said.next().is_some() || text.is_empty() || text.len() > LENGTH || !text.bytes().all(is_key) {
        let told = "The header field Idempotency-Key must hold one key of at most 255 visible characters.";
        return Err(Failure::told(Cause::InvalidArgument, told));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use http::{HeaderMap, HeaderValue, Request, StatusCode};

    use super::*;
    use crate::base::room::{Room, Taken};
    use crate::exec::Partial;

    const HOUR: Idempotency = Idempotency { required: false, keep: Duration::from_secs(3600) };

    fn client(headers: &[(&'static str, &'static str)]) -> ClientRequest {
        let mut request = Request::new(());
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        let (head, ()) = request.into_parts();
        ClientRequest::new(head, HeaderValue::from_static("r1"), IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    fn answered(body: &[u8]) -> Result<Answered, Failure> {
        let (headers, partial) = (HeaderMap::new(), Partial::default());
        Ok(Answered { status: StatusCode::CREATED, headers, body: Some(Bytes::copy_from_slice(body)), partial })
    }

    fn first(kept: &Arc<Kept>, client: &ClientRequest) -> Option<Begun> {
        match kept.begin(("POST /a", &HOUR), client) {
            Ok(Some(Once::First(begun))) => Some(begun),
            _ => None,
        }
    }

    fn again(kept: &Arc<Kept>, client: &ClientRequest) -> Option<Bytes> {
        match kept.begin(("POST /a", &HOUR), client) {
            Ok(Some(Once::Again(outcome))) => outcome.as_ref().as_ref().ok()?.body.clone(),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_kept_gives_the_room_of_its_reply_back() {
        let (room, mut taken, kept) = (Arc::<Room>::default(), Taken::default(), Arc::<Kept>::default());
        taken.reach(&room, 20 << 10).await.expect("there is no limit");
        let body = taken.around(Bytes::from(vec![b'1'; 20 << 10]));
        let outcome = answered(b"").map(|answered| Answered { body: Some(body), ..answered });
        let client = client(&[("idempotency-key", "k")]);
        first(&kept, &client).expect("it is the first").finish(&outcome).await;
        assert_eq!(room.taken(), 4 << 10);
        drop(outcome);
        assert_eq!((room.taken(), again(&kept, &client).map(|body| body.len())), (0, Some(20 << 10)));
    }

    fn code(kept: &Arc<Kept>, client: &ClientRequest) -> Option<Cause> {
        kept.begin(("POST /a", &HOUR), client).err().map(|failure| failure.cause)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_answer_is_given_again_as_long_as_it_is_kept() {
        let kept = Arc::<Kept>::default();
        let client = client(&[("idempotency-key", "\"k1\"")]);
        let begun = first(&kept, &client).expect("it is the first");
        assert_eq!(code(&kept, &client), Some(Cause::IdempotencyUnderWay));
        begun.finish(&answered(b"one")).await;
        assert_eq!(again(&kept, &client).as_deref(), Some(&b"one"[..]));
        tokio::time::advance(Duration::from_secs(3599)).await;
        assert_eq!(again(&kept, &client).as_deref(), Some(&b"one"[..]));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(first(&kept, &client).is_some());
        let entries = kept.entries();
        assert_eq!((entries.by_id.len(), entries.bytes), (0, 0));
    }

    #[tokio::test]
    async fn a_key_belongs_to_its_caller_and_its_endpoint() {
        let kept = Arc::<Kept>::default();
        let ann = client(&[("idempotency-key", "k"), ("authorization", "Bearer ann")]);
        let bob = client(&[("idempotency-key", "k"), ("authorization", "Bearer bob")]);
        let cookie = client(&[("idempotency-key", "k"), ("cookie", "Bearer ann")]);
        first(&kept, &ann).expect("it is the first").finish(&answered(b"ann")).await;
        assert!(first(&kept, &bob).is_some() && first(&kept, &cookie).is_some());
        assert!(matches!(kept.begin(("POST /b", &HOUR), &ann), Ok(Some(Once::First(_)))));
        assert_eq!(again(&kept, &ann).as_deref(), Some(&b"ann"[..]));
    }

    #[tokio::test]
    async fn another_request_under_the_same_key_is_refused() {
        let kept = Arc::<Kept>::default();
        let mut client = client(&[("idempotency-key", "k")]);
        let begun = first(&kept, &client);
        client.body = Held::Bytes(Bytes::from_static(b"other"));
        assert_eq!(code(&kept, &client), Some(Cause::IdempotencyKeyReused));
        drop(begun);
        assert!(first(&kept, &client).is_some(), "what broke off was never made");
    }

    #[tokio::test]
    async fn what_says_when_to_come_back_is_not_kept() {
        let kept = Arc::<Kept>::default();
        let client = client(&[("idempotency-key", "k")]);
        let busy = Failure { retry_after: Some(Duration::from_secs(1)), ..Failure::new(Cause::BackendBusy, "") };
        first(&kept, &client).expect("it is the first").finish(&Err(busy)).await;
        first(&kept, &client).expect("nothing was kept").finish(&Err(Failure::new(Cause::Refused, ""))).await;
        assert!(matches!(kept.begin(("POST /a", &HOUR), &client), Ok(Some(Once::Again(_)))));
    }

    #[tokio::test]
    async fn the_oldest_make_room() {
        let kept = Arc::new(Kept { room: 1000, ..Kept::default() });
        let clients = ["a", "b", "c"].map(|key| client(Box::leak(Box::new([("idempotency-key", key)]))));
        for client in &clients {
            first(&kept, client).expect("it is the first").finish(&answered(&[b'x'; 200])).await;
        }
        assert_eq!(again(&kept, &clients[0]), None);
        assert!(again(&kept, &clients[1]).is_some() && again(&kept, &clients[2]).is_some());
        assert_eq!(kept.entries().bytes, 2 * (200 + AROUND));
    }

    #[tokio::test]
    async fn a_key_is_visible_and_short() {
        let kept = Arc::<Kept>::default();
        for wrong in [&[("idempotency-key", "")][..], &[("idempotency-key", "a b")], &[("idempotency-key", "a\"b")]] {
            assert_eq!(code(&kept, &client(wrong)), Some(Cause::InvalidArgument), "{wrong:?}");
        }
        let twice = client(&[("idempotency-key", "a"), ("idempotency-key", "b")]);
        assert_eq!(code(&kept, &twice), Some(Cause::InvalidArgument));
        assert!(matches!(kept.begin(("POST /a", &HOUR), &client(&[])), Ok(None)));
        let required = Idempotency { required: true, ..HOUR };
        assert!(kept.begin(("POST /a", &required), &client(&[])).is_err());
    }
}
