//! What happens around a call: cache, retry, hedge, breaker, concurrency.

use std::time::Duration;

use crate::base::attempt::Event;
use crate::base::diagnostic::did_you_mean;
use crate::base::unit::parse_duration;
use crate::spec::keys::{Definition, Entries, Form, FromNode, FromScalar, Reader, Shape, keys, words};
use crate::spec::yaml::{Node, Scalar};

use super::{Credentials, FieldName, Located, Named, Period, Share, Switch, Within, WordOr};

keys! {
    /// What happens around a call, beside its `timeout`; the nearest counts, member by member: the call's, the
    /// backend's, that of `gateway.calls`. `none` turns one off.
    pub struct CallPolicies: "the policies of a call", as in "{ cache: 30s, retry: { attempts: 2 } }" {
        /// Keep the replies of reads, and serve them to whoever makes the same call.
        cache: Option<Switch<Cache>>,
        /// Whether equal reads that are under way at the same time are one, although their reply is not kept; those
        /// whose reply is kept always are. Nothing that tells callers apart may be in them.
        coalesce: Option<Located<bool>>,
        /// Make a call again after a failure that another try may mend. Reads only, and writes with `idempotent: true`.
        retry: Option<Switch<Retry>>,
        /// Make a read a second time when its answer is late, and take whichever comes first.
        hedge: Option<Switch<Hedge>>,
        /// Stop asking a backend that fails, and try it again after a while.
        breaker: Option<Switch<Breaker>>,
        /// How many calls may be under way at the same time.
        concurrency: Option<Switch<Concurrency>>,
        /// What proves to the backend who asks.
        auth: Option<Switch<Credentials>>,
        /// Which ends of a call mean something else here than the table of verdicts says: HTTP statuses, gRPC codes,
        /// `connect`, `reset`, `timeout`, `bad_reply`.
        verdicts: Option<Vec<Named<Judged>>>,
    }
}

keys! {
    /// How replies are kept. `cache: 30s` is short for `cache: { ttl: 30s }`, `cache: http` for `cache: { ttl: http }`.
    pub struct Cache: "a cache", as in "{ ttl: 30s, stale: 1m, on_error: 10m }", or Cache::of_ttl {
        /// How long a reply is fresh; `http`: for as long as its header fields say to shared caches (RFC 9111), which
        /// say for how long it serves beyond that as well.
        ttl: Located<Lasting>,
        /// How much longer it is served while a newer one is fetched.
        stale: Option<Located<Period>>,
        /// How much longer it is served when the backend fails.
        on_error: Option<Located<Period>>,
        /// How long it is kept that there is nothing (404, 410, NOT_FOUND); without it, not at all.
        negative: Option<Located<Period>>,
        /// Names by which replies can be thrown away together; expressions may stand in them.
        tags: Vec<Scalar>,
        /// Whom a kept reply serves among those whose call is the same: `public` everybody, `caller` only who asked
        /// first, an expression those for whom it gives the same. Without it, `public` if nothing of the caller is in
        /// the call, else `caller`.
        scope: Option<WordOr<Sharing>>,
        /// Header fields of the client that tell replies apart although the call is the same.
        vary: Vec<Located<FieldName>>,
    }
    then Cache::check
}

/// How long a reply is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// This long.
    For(Duration),
    /// As long as it says itself.
    AsSaid,
}

words! {
    /// Whom a kept reply serves.
    pub enum Sharing {
        /// Only the caller for whom it was fetched.
        Caller = "caller",
        /// Everybody.
        Public = "public",
    }
}

keys! {
    /// How a call is made again.
    pub struct Retry: "a retry", as in "{ attempts: 3, on: [connect, unavailable], backoff: 25ms }" {
        /// How many times the call is made at most, the first included; 2 unless said.
        attempts: Option<Located<Within<2, 5>>>,
        /// After which failures; `connect`, `reset` and `unavailable` unless said.
        on: Vec<Located<RetryCause>>,
        /// How long to wait before the second attempt; doubled before each further one, and varied.
        backoff: Option<Backoff>,
        /// Which share of the calls to the backend may be attempts beyond the first; 20% unless said.
        budget: Option<Located<Share>>,
        /// How long one attempt may take; as long as the call unless said.
        timeout: Option<Located<Period>>,
    }
}

words! {
    /// A failure that another try may mend.
    pub enum RetryCause {
        /// No connection: refused, timed out, or the handshake failed. Nothing was sent.
        Connect = "connect",
        /// The connection ended before the reply began.
        Reset = "reset",
        /// No reply within the call's `timeout`.
        Timeout = "timeout",
        /// 502, 503, 504; UNAVAILABLE.
        Unavailable = "unavailable",
        /// Any other status from 500; INTERNAL, UNKNOWN, DATA_LOSS.
        ServerError = "server_error",
        /// 429, RESOURCE_EXHAUSTED; not before the time that the backend names.
        RateLimited = "rate_limited",
    }
}

keys! {
    /// How long to wait between attempts. `backoff: 25ms` is short for `backoff: { base: 25ms }`.
    pub struct Backoff: "a backoff", as in "{ base: 25ms, max: 250ms }", or Backoff::of_base {
        /// Before the second attempt.
        base: Located<Period>,
        /// Before any attempt at most; ten times `base` unless said.
        max: Option<Located<Period>>,
    }
    then Backoff::check
}

keys! {
    /// How a late read is made a second time. `hedge: 50ms` is short for `hedge: { after: 50ms }`.
    pub struct Hedge: "a hedge", as in "{ after: p95, budget: 5% }", or Hedge::of_after {
        /// When an answer is late: after a time, or later than most answers were, as in `p95`.
        after: Located<Lateness>,
        /// Which share of the calls to the backend may be such second calls; 5% unless said.
        budget: Option<Located<Share>>,
    }
}

/// When an answer is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// After this time.
    After(Duration),
    /// Later than this many of a hundred answers were.
    Percentile(u8),
}

keys! {
    /// When a backend is not asked any more.
    pub struct Breaker: "a breaker", as in "{ failures: 50%, of: 20, within: 10s, open: 5s }" {
        /// Which share of the calls must fail; 50% unless said.
        failures: Option<Located<Share>>,
        /// How many calls there must be before the share counts; 20 unless said.
        of: Option<Located<u32>>,
        /// Of which time calls are counted; `10s` unless said.
        within: Option<Located<Period>>,
        /// How many failures in a row are enough; 5 unless said.
        consecutive: Option<Located<u32>>,
        /// Which calls are too slow, and how many of them are too many.
        slow: Option<Slow>,
        /// For how long the backend is not asked; `5s` unless said, and longer each time.
        open: Option<Located<Period>>,
        /// For how long at most; `60s` unless said.
        max_open: Option<Located<Period>>,
        /// How many calls may try it again at the same time after that; 1 unless said. Two that succeed close it.
        probes: Option<Located<Within<1, 10>>>,
    }
    then Breaker::check
}

keys! {
    /// When slow calls stop a backend from being asked. `slow: 1s` is short for `slow: { over: 1s }`.
    pub struct Slow: "a limit of slow calls", as in "{ over: 800ms, share: 50% }", or Slow::of_over {
        /// A call that takes longer is slow.
        over: Located<Period>,
        /// Which share of the calls must be slow; 50% unless said.
        share: Option<Located<Share>>,
    }
    then Slow::check
}

words! {
    /// What an end of a call says of its backend.
    pub enum Opinion {
        /// The backend works.
        Success = "success",
        /// It failed.
        Failure = "failure",
        /// It asks for fewer calls.
        Overload = "overload",
        /// Nothing.
        Neutral = "neutral",
    }
}

/// What one end of a call says of its backend.
#[derive(Clone, Debug)]
pub struct Judged {
    /// How the call ended.
    pub event: Event,
    /// What that says.
    pub opinion: Located<Opinion>,
}

keys! {
    /// How many calls may be under way. `concurrency: 50` is short for `concurrency: { limit: 50 }`.
    pub struct Concurrency: "a limit of concurrency", as in "{ limit: 50, wait: 20ms }", or Concurrency::of_limit {
        /// How many; more fail at once.
        limit: Option<Located<u32>>,
        /// In place of `limit`: as many as the backend is found to bear.
        adaptive: Option<Adaptive>,
        /// How long a call may wait for another to end; without it, not at all.
        wait: Option<Located<Period>>,
    }
    then Concurrency::check
}

keys! {
    /// Between which bounds the limit of concurrency goes up while calls make use of it, and down when the backend does not
    /// answer in time or asks for less.
    pub struct Adaptive: "an adaptive limit", as in "{ min: 20, max: 200 }" {
        /// How many calls there may be always, and at the beginning; 20 unless said, or `max` where that is less.
        min: Option<Located<u32>>,
        /// How many there may be at most; ten times `min` unless said.
        max: Option<Located<u32>>,
    }
    then Adaptive::check
}

impl Cache {
    fn of_ttl(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("ttl"), None, reader)
    }

    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        let times = [("stale", &self.stale), ("on_error", &self.on_error), ("negative", &self.negative)];
        let written = times.into_iter().filter_map(|(key, time)| Some((key, time.as_ref()?)));
        for (key, time) in written.filter(|_| self.ttl.value == Lasting::AsSaid) {
            let message = format!("with `ttl: http` the reply itself says what `{key}` would");
            let diagnostic = reader.error("misplaced-key", &time.place, message);
            reader.report(diagnostic.help(format!("leave `{key}` out, or write how long a reply is fresh")));
        }
    }
}

impl FromScalar for Lasting {
    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Duration, Shape::Word(&["http"])])
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        match scalar.text() {
            Some("http") => Some(Self::AsSaid),
            Some(text) if text.starts_with(|first: char| first.is_ascii_alphabetic()) => {
                reader.expected_scalar("a duration such as `30s`, or `http`", scalar);
                None
            }
            _ => Period::from_scalar(scalar, reader).map(|Period(period)| Self::For(period)),
        }
    }
}

impl Backoff {
    fn of_base(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("base"), None, reader)
    }

    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        refuse_reversed(("base", Some(&self.base)), ("max", self.max.as_ref()), reader);
    }
}

impl Hedge {
    fn of_after(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("after"), None, reader)
    }
}

impl FromScalar for Lateness {
    fn shape() -> Shape {
        Shape::OneOf(vec![
            Shape::Duration,
            Shape::Form(Form { pattern: "^p[1-9][0-9]$", wanted: "a duration such as `50ms`, or `p95`" }),
        ])
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let text = scalar.text().unwrap_or_default();
        let percentile = text.strip_prefix('p').filter(|digits| digits.len() == 2);
        if let Some(percentile) = percentile.and_then(|digits| digits.parse().ok()).filter(|of| (10..=99).contains(of))
        {
            return Some(Self::Percentile(percentile));
        }
        match parse_duration(text) {
            Ok(after) if !after.is_zero() => Some(Self::After(after)),
            _ => {
                reader.expected_scalar("a duration such as `50ms`, or `p95` for the time of 95 of 100 answers", scalar);
                None
            }
        }
    }
}

impl Breaker {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        refuse_reversed(("open", self.open.as_ref()), ("max_open", self.max_open.as_ref()), reader);
        refuse_nothing("failures", self.failures.as_ref(), reader);
    }
}

impl Slow {
    fn of_over(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("over"), None, reader)
    }

    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        refuse_nothing("share", self.share.as_ref(), reader);
    }
}

impl Definition for Judged {
    const KIND: &'static str = "end of a call";

    fn shape() -> Shape {
        <Located<Opinion> as FromNode>::shape()
    }

    fn define(name: &Located<String>, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let event = Event::named(&name.value);
        if event.is_none() {
            let message = format!("no call ends in `{}`", name.value);
            let help = "write an HTTP status such as `404`, a gRPC code such as `NOT_FOUND`, or one of `connect`, `reset`, `timeout`, `bad_reply`";
            let close = did_you_mean(&name.value, Event::NAMES.iter().map(|(name, _)| *name));
            let diagnostic = reader.error("unknown-name", &name.place, message);
            reader.report(diagnostic.help(if close.starts_with("did") { close } else { help.to_owned() }));
        }
        let opinion = Located::read(node, reader)?;
        Some(Self { event: event?, opinion })
    }
}

impl Concurrency {
    fn of_limit(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Entries::read(&node.under("limit"), None, reader)
    }

    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        entries.expect_one(&["limit", "adaptive"], reader);
    }
}

impl Adaptive {
    fn check(&self, _: &Entries<'_>, reader: &mut Reader<'_>) {
        let (Some(min), Some(max)) = (&self.min, &self.max) else { return };
        if max.value < min.value {
            let diagnostic = reader
                .error("empty-range", &max.place, "`max` is less than `min`")
                .help("write a larger number, or leave it out")
                .related(min.place.clone(), "`min` stands here");
            reader.report(diagnostic);
        }
    }
}

pub(super) type Written<'a, T> = (&'static str, Option<&'a Located<T>>);

/// Refuses a greatest time that is less than the first.
pub(super) fn refuse_reversed(first: Written<'_, Period>, most: Written<'_, Period>, reader: &mut Reader<'_>) {
    let ((first_key, Some(first)), (most_key, Some(most))) = (first, most) else { return };
    if most.value < first.value {
        let message = format!("`{most_key}` is less than `{first_key}`");
        let diagnostic = reader
            .error("empty-range", &most.place, message)
            .help("write a longer time, or leave it out")
            .related(first.place.clone(), format!("`{first_key}` stands here"));
        reader.report(diagnostic);
    }
}

/// Refuses a share of nothing where it would always, or never, be reached.
pub(super) fn refuse_nothing(key: &str, share: Option<&Located<Share>>, reader: &mut Reader<'_>) {
    if let Some(share) = share.filter(|share| share.value.0 == 0.0) {
        let diagnostic = reader.error("empty-range", &share.place, format!("`{key}` needs a share above 0%"));
        reader.report(diagnostic.help("write one, or turn the policy off with `none`"));
    }
}
