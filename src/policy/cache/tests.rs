//! Kept replies age, are purged and weighed as a naive store does it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::base::call::Reply;
use crate::base::fields::Fields;
use crate::base::value::{Doc, Held};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn settings() -> Settings {
    Settings { ttl: seconds(100), stale: seconds(50), on_error: seconds(200), negative: Some(seconds(10)) }
}

fn reply(text: &str) -> Reply {
    let body = Held::whole(Doc::parse(text.to_owned().into()).expect("it is JSON"));
    Reply { status: 200, headers: Arc::new(Fields::from(HeaderMap::new())), body, is_cut: false, code: None }
}

fn kept(store: &Store, now: Instant, tags: &[&str]) -> Kept {
    let times = settings().times(Sort::Success, (now, Duration::ZERO), 0.5).expect("it is kept");
    let tags = tags.iter().map(|tag| Box::from(*tag)).collect();
    Kept { reply: reply("1"), times, backend: "a".into(), tags, turn: store.turn() }
}

fn key(name: &str) -> Key {
    Key::new(name.as_bytes().to_vec())
}

fn state(store: &Store, name: &str, now: Instant) -> Option<State> {
    store.find(name.as_bytes(), now, 1.0).map(|(_, state)| state)
}

#[test]
fn a_reply_ages() {
    let now = Instant::now();
    let times = settings().times(Sort::Success, (now, Duration::ZERO), 0.5).expect("it is kept");
    let at = |after| times.state(now + seconds(after), 1.0);
    assert_eq!([at(0), at(99), at(100), at(149)], [State::Fresh, State::Fresh, State::Renewed, State::Renewed]);
    assert_eq!([at(150), at(299), at(300)], [State::OnError, State::OnError, State::Gone]);
    assert!(times.serves_on_error(now + seconds(299)) && !times.serves_on_error(now + seconds(300)));
}

#[test]
fn that_there_is_nothing_is_neither_stale_nor_served_on_errors() {
    let now = Instant::now();
    let times = settings().times(Sort::Nothing, (now, Duration::ZERO), 0.5).expect("it is kept");
    assert_eq!(times.state(now + seconds(9), 1.0), State::Fresh);
    assert_eq!(times.state(now + seconds(10), 1.0), State::Gone);
    let settings = Settings { negative: None, ..settings() };
    assert_eq!(settings.times(Sort::Nothing, (now, Duration::ZERO), 0.5), None);
}

#[test]
fn the_time_varies_by_a_tenth() {
    let now = Instant::now();
    let fresh = |chance| settings().times(Sort::Success, (now, Duration::ZERO), chance).map(|times| times.fresh - now);
    assert_eq!([fresh(0.0), fresh(1.0)], [Some(seconds(90)), Some(seconds(110))]);
}

#[test]
fn what_takes_long_to_fetch_is_fetched_early_by_few() {
    let now = Instant::now();
    let times = settings().times(Sort::Success, (now, seconds(2)), 0.5).expect("it is kept");
    // With five seconds left one in e^2.5 requests fetches it anew.
    let early = (1..=1000).filter(|draw| times.state(now + seconds(95), f64::from(*draw) / 1000.0) == State::Renewed);
    assert_eq!(early.count(), 82);
    assert_eq!(times.state(now, 0.001), State::Fresh, "hardly anybody does so long before");
}

#[test]
fn a_purge_takes_what_has_the_tag_and_what_is_under_way() {
    let (store, now) = (Store::new(1 << 20), Instant::now());
    store.keep(key("one"), kept(&store, now, &["product:1", "all"]));
    store.keep(key("two"), kept(&store, now, &["product:2", "all"]));
    let under_way = kept(&store, now, &["product:1"]);
    store.purge(Purge::Tag("product:1"), now);
    store.keep(key("late"), under_way);
    store.keep(key("new"), kept(&store, now, &["product:1"]));
    let found = |store: &Store| ["one", "two", "late", "new"].map(|name| state(store, name, now).is_some());
    assert_eq!(found(&store), [false, true, false, true]);
    store.purge(Purge::Backend("b"), now);
    assert_eq!(found(&store), [false, true, false, true]);
    store.purge(Purge::Backend("a"), now);
    assert_eq!(found(&store), [false; 4]);
    store.keep(key("one"), kept(&store, now, &[]));
    store.purge(Purge::All, now);
    assert_eq!(found(&store), [false; 4]);
}

#[test]
fn sweeping_frees_what_was_thrown_away() {
    let (store, now) = (Store::new(1 << 20), Instant::now());
    for name in ["one", "two", "three"] {
        store.keep(key(name), kept(&store, now, &[name]));
    }
    store.purge(Purge::Tag("two"), now);
    assert_eq!(store.sweep(), 1);
    assert_eq!(store.seen().entries, 2);
}

#[test]
fn the_store_is_bounded_in_bytes() {
    let (store, now) = (Store::new(64 << 10), Instant::now());
    let text = format!("\"{}\"", "x".repeat(1000));
    for number in 0..1000 {
        let kept = Kept { reply: reply(&text), ..kept(&store, now, &[]) };
        store.keep(key(&number.to_string()), kept);
    }
    let seen = store.seen();
    assert!(seen.bytes <= 64 << 10 && seen.entries > 10 && seen.entries < 64, "{seen:?}");
}

#[test]
fn after_a_failure_nothing_is_asked_for_a_while() {
    let (store, now) = (Store::new(1 << 20), Instant::now());
    store.keep(key("one"), kept(&store, now, &[]));
    let (entry, _) = store.find(b"one", now, 1.0).expect("it is kept");
    assert!(!entry.is_paused(now));
    entry.pause(now + seconds(120));
    assert!(entry.is_paused(now + seconds(120) + PAUSE / 2));
    assert!(!entry.is_paused(now + seconds(120) + PAUSE));
}

/// What happens to a store.
#[derive(Clone, Debug)]
enum Happens {
    Keep(u8, Vec<u8>),
    Forget(u8),
    PurgeTag(u8),
    PurgeBackend(bool),
    PurgeAll,
    Wait(u64),
    Begin(u8, Vec<u8>),
    Land,
}

fn happens() -> impl Strategy<Value = Happens> {
    let tags = || proptest::collection::vec(0..4_u8, 0..3);
    prop_oneof![
        4 => (0..6_u8, tags()).prop_map(|(key, tags)| Happens::Keep(key, tags)),
        1 => (0..6_u8).prop_map(Happens::Forget),
        2 => (0..4_u8).prop_map(Happens::PurgeTag),
        1 => any::<bool>().prop_map(Happens::PurgeBackend),
        1 => Just(Happens::PurgeAll),
        4 => (0..120_u64).prop_map(Happens::Wait),
        2 => (0..6_u8, tags()).prop_map(|(key, tags)| Happens::Begin(key, tags)),
        2 => Just(Happens::Land),
    ]
}

/// A store without any cleverness: it remembers when each reply was begun and came, and looks through all purges.
#[derive(Debug, Default)]
struct Naive {
    step: usize,
    kept: HashMap<u8, (usize, Instant, Vec<u8>)>,
    purges: Vec<(usize, Happens)>,
}

impl Naive {
    fn state(&self, key: u8, now: Instant) -> Option<State> {
        let (begun, came, tags) = self.kept.get(&key)?;
        let took = |(step, purge): &(usize, Happens)| {
            step > begun
                && match purge {
                    Happens::PurgeAll => true,
                    Happens::PurgeBackend(own) => *own,
                    Happens::PurgeTag(tag) => tags.contains(tag),
                    _ => false,
                }
        };
        match (now - *came).as_secs() {
            _ if self.purges.iter().any(took) => None,
            0..100 => Some(State::Fresh),
            100..150 => Some(State::Renewed),
            150..300 => Some(State::OnError),
            _ => None,
        }
    }
}

proptest! {
    #[test]
    fn a_store_does_what_a_naive_one_does(list in proptest::collection::vec(happens(), 1..60)) {
        let (store, mut naive, mut now) = (Store::new(1 << 20), Naive::default(), Instant::now());
        let mut under_way: Vec<(u8, Kept, usize, Vec<u8>)> = Vec::new();
        let name = |key: u8| key.to_string();
        let tag = |tag: &u8| Box::from(format!("t{tag}"));
        for happens in list {
            naive.step += 1;
            match happens.clone() {
                Happens::Keep(of, tags) => {
                    let kept = Kept { tags: tags.iter().map(tag).collect(), ..kept(&store, now, &[]) };
                    store.keep(key(&name(of)), kept);
                    naive.kept.insert(of, (naive.step, now, tags));
                }
                Happens::Forget(of) => {
                    store.forget(&key(&name(of)));
                    naive.kept.remove(&of);
                }
                Happens::Begin(of, tags) => {
                    let kept = Kept { tags: tags.iter().map(tag).collect(), ..kept(&store, now, &[]) };
                    under_way.push((of, kept, naive.step, tags));
                }
                Happens::Land => {
                    if let Some((of, kept, begun, tags)) = under_way.pop() {
                        naive.kept.insert(of, (begun, kept.times.created, tags));
                        store.keep(key(&name(of)), kept);
                    }
                }
                Happens::Wait(time) => now += seconds(time),
                Happens::PurgeAll => {
                    store.purge(Purge::All, now);
                }
                Happens::PurgeTag(of) => {
                    store.purge(Purge::Tag(&tag(&of)), now);
                }
                Happens::PurgeBackend(own) => {
                    store.purge(Purge::Backend(if own { "a" } else { "b" }), now);
                }
            }
            if matches!(happens, Happens::PurgeAll | Happens::PurgeTag(_) | Happens::PurgeBackend(_)) {
                naive.purges.push((naive.step, happens));
            }
            for of in 0..6 {
                prop_assert_eq!(state(&store, &name(of), now), naive.state(of, now), "of {}", of);
            }
        }
    }
}
