//! What a game is, made from its number alone.

use std::time::Duration;

use fastrand::Rng;

/// A game.
#[derive(Clone, Debug)]
pub(crate) struct Game {
    pub(crate) seed: u64,
    /// How long a message takes at most; it takes any time up to that.
    pub(crate) latency: Duration,
    /// Clients that ask at the same time.
    pub(crate) clients: u32,
    /// What happens, in its order.
    pub(crate) events: Vec<(Duration, Event)>,
}

/// Something that happens to the network or to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing passes between the gateway and the host, and what is sent is lost.
    Cut(&'static str),
    /// Nothing passes, and what is sent arrives when it is over.
    Held(&'static str),
    /// One in ten of the messages to and from it is lost.
    Lossy(&'static str),
    /// Messages to and from it take so long.
    Far(&'static str, Duration),
    /// The host is gone, as is everything that it knew.
    Gone(&'static str),
    /// What backends do with calls from now on.
    Mood(&'static str, Mood),
    /// The gateway takes up the other edition of its project.
    Reload,
    /// Whatever was wrong with a host is over.
    Well(&'static str),
}

/// How a backend behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It answers.
    Calm,
    /// It answers as often as it fails, by its status.
    Moody,
    /// It fails.
    Broken,
    /// It takes any time up to half a second.
    Slow,
    /// It takes [`LATE`].
    Late,
    /// It takes calls and says nothing.
    Mute,
    /// It breaks off somewhere in its answer.
    Abrupt,
    /// What it says is no answer.
    Mad,
}

/// Hosts that things happen to; what happens to D would be nobody's fault.
const HOSTS: [&str; 4] = ["a1", "a2", "b", "c"];

/// Longer than a call waits for room, and than one that is made twice does for its first answer.
pub(crate) const LATE: Duration = Duration::from_millis(150);

/// When whatever was wrong is over; when clients ask no more but one, for whom breakers have had the time to close; by when
/// that one must have had whole answers: an HTTP/2 connection that the network lost is given up two seconds after a call on
/// it was, and a breaker may open once more meanwhile.
const HEALED: Duration = Duration::from_millis(1_400);
pub(crate) const QUIET: Duration = Duration::from_millis(2_150);
pub(crate) const END: Duration = Duration::from_millis(4_600);

impl Game {
    /// The game of a number.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut events = Vec::new();
        for _ in 0..random.u32(1..=6) {
            let host = HOSTS[random.usize(0..HOSTS.len())];
            let from = Duration::from_millis(random.u64(50..1_200));
            let until = (from + Duration::from_millis(random.u64(50..900))).min(HEALED);
            events.push((from, Event::any(host, &mut random)));
            events.push((until, Event::Well(host)));
        }
        if random.bool() {
            events.push((Duration::from_millis(random.u64(0..1_400)), Event::Reload));
        }
        events.extend(HOSTS.map(|host| (HEALED, Event::Well(host))));
        events.sort_by_key(|(at, _)| *at);
        Self { seed, latency: Duration::from_millis(random.u64(2..20)), clients: random.u32(1..=4), events }
    }
}

impl Event {
    fn any(host: &'static str, random: &mut Rng) -> Self {
        match random.u32(0..10) {
            0 => Self::Cut(host),
            1 => Self::Held(host),
            2 => Self::Lossy(host),
            3 => Self::Far(host, Duration::from_millis(random.u64(40..400))),
            4 => Self::Gone(host),
            _ => Self::Mood(host, Mood::ANY[random.usize(0..Mood::ANY.len())]),
        }
    }
}

impl Mood {
    const ANY: [Self; 6] = [Self::Moody, Self::Broken, Self::Slow, Self::Mute, Self::Abrupt, Self::Mad];
}
