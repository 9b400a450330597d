//! Replies as bytes: what is read is what was written, on any clock, and nothing else.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::*;
use crate::base::value::Doc;
use crate::policy::cache::{Purge, Settings, Sort, State, Store};
use crate::store::names::digest;

fn name(key: &[u8]) -> Name {
    Name::new([&digest([&b"backend"[..]]), &digest([&b"rule"[..]])], key)
}

fn kept(body: &str, now: Instant) -> Kept {
    let settings = Settings {
        ttl: Duration::from_secs(60),
        stale: Duration::from_secs(30),
        on_error: Duration::from_secs(300),
        negative: None,
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.append("x-two", HeaderValue::from_static("a"));
    headers.append("x-two", HeaderValue::from_static("b"));
    let body = Held::whole(Doc::parse(Bytes::copy_from_slice(body.as_bytes())).expect("it is JSON"));
    let reply = Reply { status: 200, headers: Arc::new(headers.into()), body, is_cut: true, code: Some(0) };
    let times = settings.times(Sort::Success, (now, Duration::from_millis(7)), 0.5).expect("it is kept");
    Kept { reply, times, backend: "a".into(), tags: ["t".into(), "u".into()].into(), turn: Turn::default() }
}

fn sealed() -> Sealed {
    vec![(Label::of(Purge::All), [1; 8]), (Label::of(Purge::Tag("t")), [2; 8])]
}

/// The clocks of another machine: its own, and that of the wall which is `ahead`.
fn elsewhere(now: Moment, later: Duration, ahead: Duration) -> Moment {
    Moment { instant: now.instant + Duration::from_secs(5_000), wall: now.wall + later + ahead }
}

#[test]
fn a_reply_is_the_same_in_another_process() {
    let (name, now) = (name(b"GET /n"), Moment::now());
    let before = kept(r#"{"n":1.10,"s":"a\n"}"#, now.instant);
    let bytes = pack(&before, (&name, &sealed()), now).expect("it is small");
    let there = elsewhere(now, Duration::from_secs(20), Duration::ZERO);
    let stored = open(bytes.into(), &name, there).expect("it is that of this call");
    assert_eq!(stored.sealed, sealed());
    let after = stored.kept(Turn::default()).expect("it is whole");
    let Reply { status, headers, body, is_cut, code } = &after.reply;
    assert_eq!((*status, *is_cut, *code, body.to_json()), (200, true, Some(0), before.reply.body.to_json()));
    assert_eq!(headers.map(), before.reply.headers.map());
    assert_eq!((&*after.backend, &*after.tags), ("a", &["t".into(), "u".into()][..]));
    assert_eq!(after.times.took, Duration::from_millis(7));
    for (seconds, state) in [(39, State::Fresh), (41, State::Renewed), (71, State::OnError), (341, State::Gone)] {
        assert_eq!(after.times.state(there.instant + Duration::from_secs(seconds), 1.0), state, "{seconds}");
    }
}

#[test]
fn a_clock_that_is_behind_sees_no_reply_of_the_future() {
    let (name, now) = (name(b"GET /n"), Moment::now());
    let bytes = pack(&kept("1", now.instant), (&name, &sealed()), now).expect("it is small");
    let behind = Moment { instant: now.instant, wall: now.wall - Duration::from_secs(10) };
    let stored = open(bytes.into(), &name, behind).expect("it is that of this call");
    assert_eq!(stored.times.created, behind.instant);
}

#[test]
fn the_reply_to_another_call_is_none_although_it_stands_under_the_name() {
    let (name, now) = (name(b"GET /n"), Moment::now());
    let bytes = pack(&kept("1", now.instant), (&name, &sealed()), now).expect("it is small");
    let other = Name { half: name.half, ..self::name(b"GET /m") };
    assert!(open(bytes.into(), &other, now).is_none());
}

#[test]
fn no_part_of_a_request_stands_in_clear() {
    let (key, now) = (b"authorization: Bearer verysecret GET /private", Moment::now());
    let name = name(key);
    let bytes = pack(&kept("1", now.instant), (&name, &sealed()), now).expect("it is small");
    let text = [&bytes[..], name.text().as_bytes()].concat();
    for part in [&b"verysecret"[..], b"private", b"authorization"] {
        assert!(!text.windows(part.len()).any(|some| some == part));
    }
}

#[test]
fn bytes_that_broke_on_the_way_are_no_reply() {
    let (name, now) = (name(b"GET /n"), Moment::now());
    let whole = pack(&kept(r#"{"n":[1,2,3]}"#, now.instant), (&name, &sealed()), now).expect("it is small");
    for length in 0..whole.len() {
        let stored = open(Bytes::copy_from_slice(&whole[..length]), &name, now);
        assert!(stored.and_then(|stored| stored.kept(Turn::default())).is_none(), "{length}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x5a;
        // What is read then is a reply all the same, or nothing.
        let _ = open(changed.into(), &name, now).and_then(|stored| stored.kept(Turn::default()));
    }
}

#[test]
fn what_is_too_large_is_not_written() {
    let (name, now) = (name(b"GET /n"), Moment::now());
    let large = kept(&format!("\"{}\"", "x".repeat(LARGEST)), now.instant);
    assert!(pack(&large, (&name, &sealed()), now).is_none());
    let noise: String = (0..LARGEST_COMPRESSED * 2).map(|_| fastrand::alphanumeric()).collect();
    assert!(pack(&kept(&format!("\"{noise}\""), now.instant), (&name, &sealed()), now).is_none());
}

#[test]
fn a_reply_from_before_a_purge_here_is_gone_although_the_store_still_has_it() {
    let (name, now, memory) = (name(b"GET /n"), Moment::now(), Store::new(1 << 20));
    let bytes = pack(&kept("1", now.instant), (&name, &sealed()), now).expect("it is small");
    let turn = memory.turn();
    let read = |turn| open(bytes.clone().into(), &name, now).and_then(|stored| stored.kept(turn)).expect("it is whole");
    assert!(!memory.took(&read(turn)));
    let behind = memory.purge(Purge::Tag("u"), now.instant);
    assert!(memory.took(&read(turn)) && memory.took(&read(behind.before())));
    assert!(!memory.took(&read(behind)), "the store has heard of it");
}
