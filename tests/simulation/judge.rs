//! What was seen of a game, and what must hold in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use selvedge::front::entrance::Entrance;
use selvedge::policy::breaker::{Seen as BreakerSeen, State};
use selvedge::policy::overload::Class;
use tokio::time::Instant;

use crate::game::Mood;
use crate::project::{ATTEMPTS, MAX_OPEN};

/// How much time passes in one step; hosts look at what came once in each.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// The time of the game.
pub(crate) fn now() -> Duration {
    turmoil::sim_elapsed().unwrap_or_default()
}

/// Everything that was seen, shared by all hosts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judge(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// How often a backend was asked the same thing: its addresses together, and a path or a key.
    calls: BTreeMap<(char, String), u32>,
    /// Hosts that are not calm.
    moods: BTreeMap<&'static str, Mood>,
    told: Vec<String>,
    wrong: Option<String>,
    /// Whether the gateway is to take up the other edition.
    reload: bool,
    /// Whether all clients have had their answers.
    is_quiet: bool,
    is_over: bool,
}

impl Judge {
    /// A backend was asked.
    pub(crate) fn called(&self, host: &str, (method, path): (&str, &str)) {
        let backend = host.chars().next().unwrap_or_default();
        let key = path.rsplit('/').next().unwrap_or_default().to_owned();
        let count = {
            let mut seen = self.seen();
            let count = seen.calls.entry((if method == "POST" { 'w' } else { backend }, key)).or_default();
            *count += 1;
            *count
        };
        self.tell(&format!("{host} is asked {method} {path}"));
        let most = match (method, backend) {
            ("POST", _) | (_, 'd') => 1,
            // An attempt may go out a second time when a kept connection is found closed, or a stream refused.
            (_, 'a' | 'b') => 2 * ATTEMPTS,
            _ => u32::MAX,
        };
        if count > most {
            self.wrong(&format!("{host} is asked {method} {path} for the {count}th time"));
        }
    }

    /// How often an order came.
    pub(crate) fn orders(&self, key: &str) -> u32 {
        self.seen().calls.get(&('w', key.to_owned())).copied().unwrap_or(0)
    }

    /// How a host behaves.
    pub(crate) fn mood(&self, host: &str) -> Mood {
        self.seen().moods.get(host).copied().unwrap_or(Mood::Calm)
    }

    /// A host behaves so from now on.
    pub(crate) fn be(&self, host: &'static str, mood: Mood) {
        self.seen().moods.insert(host, mood);
    }

    /// The gateway is to take up the other edition.
    pub(crate) fn reload(&self) {
        self.seen().reload = true;
    }

    /// Takes note of something, for whoever looks for the reason of something else.
    pub(crate) fn tell(&self, what: &str) {
        self.tell_at(now(), what);
    }

    /// The same outside of any host.
    pub(crate) fn tell_at(&self, at: Duration, what: &str) {
        self.seen().told.push(format!("{:>5} ms  {what}", at.as_millis()));
    }

    /// The game is lost, for the first such reason.
    pub(crate) fn wrong(&self, why: &str) {
        self.tell(&format!("WRONG: {why}"));
        let at = now();
        self.seen().wrong.get_or_insert_with(|| format!("{why}, at {at:?}"));
    }

    /// All clients have had their answers.
    pub(crate) fn quiet(&self) {
        self.seen().is_quiet = true;
    }

    /// Whether there is nothing left to see.
    pub(crate) fn is_over(&self) -> bool {
        let seen = self.seen();
        seen.is_over || seen.wrong.is_some()
    }

    /// What was told, or why the game is lost.
    pub(crate) fn verdict(&self) -> Result<Vec<String>, String> {
        let mut seen = self.seen();
        seen.wrong.take().map_or_else(|| Ok(std::mem::take(&mut seen.told)), Err)
    }

    /// Looks at the gateway from within, in every tick: breakers change as they may, and at the end nothing is held.
    pub(crate) async fn watch(self, entrance: Arc<Entrance>, other: Arc<selvedge::plan::Plan>) {
        let mut before: Vec<(String, BreakerSeen)> = Vec::new();
        while !self.is_over() {
            tokio::time::sleep(TICK / 2).await;
            if std::mem::take(&mut self.seen().reload) {
                drop(entrance.replace(entrance.doors().followed_by(&other)));
                self.tell("the other edition is taken up");
            }
            let doors = entrance.doors();
            let breakers = doors.shared().breakers().map(|breaker| (breaker.owner.to_owned(), breaker.seen));
            let breakers: Vec<_> = breakers.collect();
            for ((owner, was), (_, is)) in before.iter().zip(&breakers) {
                if let Err(why) = follows(was, is, Instant::now()) {
                    self.wrong(&format!("the breaker of {owner} {why}: {was:?}, then {is:?}"));
                }
            }
            before = breakers;
            if self.seen().is_quiet {
                self.look_at_the_end(&entrance);
                self.seen().is_over = true;
            }
        }
    }

    /// Nothing is under way any more, and nothing is held for anybody.
    fn look_at_the_end(&self, entrance: &Entrance) {
        let doors = entrance.doors();
        for class in Class::ALL {
            let places = doors.overload().seen(class).under_way;
            if places > 0 {
                self.wrong(&format!("{places} places of requests are not given back"));
            }
        }
        for (backend, addresses) in doors.shared().addresses() {
            let calls: u32 = addresses.iter().filter_map(|address| address.known).map(|known| known.under_way).sum();
            if calls > 0 {
                self.wrong(&format!("{calls} calls of {backend} are not given back"));
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a breaker may have come from one look to the next: it opens by being counted, and while it is open nobody but
/// time changes that.
fn follows(was: &BreakerSeen, is: &BreakerSeen, now: Instant) -> Result<(), &'static str> {
    if is.opened < was.opened || is.refused < was.refused {
        return Err("forgot");
    }
    match (was.state, is.state) {
        (State::Open(until), State::Open(then)) if until == then => Ok(()),
        (State::Open(until), _) if now < until => Err("did not wait"),
        (_, State::Open(until)) if until > now + MAX_OPEN => Err("is open for too long"),
        (_, State::Open(_)) if is.opened == was.opened => Err("opened without being counted"),
        (State::Closed, State::HalfOpen) if is.opened == was.opened => Err("tries without having been open"),
        _ => Ok(()),
    }
}
