//! The rules one by one. What they make together is proven by the suite in `tests/conformance/http-cache`.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::time::Instant;

use super::{Asked, Came, Found, Key, Served, Store, Stored, Use, invalidated, is_storable, served};

const SECOND: Duration = Duration::from_secs(1);

fn fields(written: &[(&'static str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("the value is right"))
    };
    let mut headers = HeaderMap::new();
    written.iter().map(field).for_each(|(name, value)| {
        headers.append(name, value);
    });
    headers
}

fn came() -> Came {
    Came { wall: SystemTime::now(), at: Instant::now(), delay: Duration::ZERO }
}

fn reply(asked: &[(&'static str, &str)], said: &[(&'static str, &str)]) -> Stored {
    Stored::new((&fields(asked), Box::default()), (StatusCode::OK, fields(said)), Bytes::from_static(b"body"), came())
}

fn may_be_kept(asked: &[(&'static str, &str)], said: &[(&'static str, &str)]) -> bool {
    is_storable(&fields(asked), (StatusCode::OK, &fields(said)), came())
}

fn wants(asked: &[(&'static str, &str)], stored: &Stored, later: u64) -> Use {
    let now = Instant::now() + SECOND * u32::try_from(later).expect("it is small");
    Asked::of(&Method::GET, &fields(asked)).of_stored(stored, now)
}

#[test]
fn what_says_nothing_or_forbids_it_is_not_kept() {
    assert!(may_be_kept(&[], &[("cache-control", "max-age=60")]));
    for forbids in
        ["no-store", "max-age=60, No-Store", "private, max-age=60", "private=\"x-a\", max-age=60", "max-age=0"]
    {
        assert!(!may_be_kept(&[], &[("cache-control", forbids)]), "{forbids}");
    }
    assert!(!may_be_kept(&[], &[]));
    assert!(!may_be_kept(&[], &[("cache-control", "max-age=60"), ("vary", "accept, *")]));
    assert!(!may_be_kept(&[("cache-control", "no-store")], &[("cache-control", "max-age=60")]));
}

#[test]
fn what_is_somebodys_is_kept_only_if_it_says_that_it_is_everybodys() {
    for credentials in ["authorization", "cookie"] {
        let asked = [(credentials, "x")];
        assert!(!may_be_kept(&asked, &[("cache-control", "max-age=60")]), "{credentials}");
        for says in ["public, max-age=60", "s-maxage=60", "max-age=60, must-revalidate"] {
            assert!(may_be_kept(&asked, &[("cache-control", says)]), "{credentials} {says}");
        }
    }
    assert!(may_be_kept(&[("cookie", "x")], &[("cache-control", "max-age=60"), ("vary", "Cookie")]));
    let cookie = ("set-cookie", "a=b");
    assert!(!may_be_kept(&[], &[("cache-control", "s-maxage=60"), cookie]));
    assert!(may_be_kept(&[], &[("cache-control", "public, max-age=60"), cookie]));
}

#[test]
fn a_part_is_never_kept_and_a_status_nobody_knows_only_without_must_understand() {
    let said = fields(&[("cache-control", "max-age=60, must-understand, no-store")]);
    let kept = |status: u16, said: &HeaderMap| {
        is_storable(&HeaderMap::new(), (StatusCode::from_u16(status).expect("it is a status"), said), came())
    };
    assert!(kept(200, &said));
    assert!(!kept(599, &said));
    assert!(kept(599, &fields(&[("cache-control", "max-age=60")])));
    assert!(!kept(206, &fields(&[("cache-control", "max-age=60")])));
}

#[test]
fn the_most_particular_time_counts() {
    let lifetime = |said: &[(&'static str, &str)]| reply(&[], said).lifetime().as_secs();
    let (now, later) = (SystemTime::now(), SystemTime::now() + SECOND * 100);
    let (date, expires) = (httpdate::fmt_http_date(now), httpdate::fmt_http_date(later));
    let dates = [("date", &*date), ("expires", &*expires)];
    assert_eq!(lifetime(&dates), 100);
    assert_eq!(lifetime(&[&dates[..], &[("cache-control", "max-age=7")]].concat()), 7);
    assert_eq!(lifetime(&[("cache-control", "max-age=7, s-maxage=9")]), 9);
    assert_eq!(lifetime(&[("cache-control", "max-age=7"), ("cdn-cache-control", "max-age=11")]), 11);
    assert_eq!(lifetime(&[("cache-control", "max-age=7"), ("cdn-cache-control", "max-age==11")]), 7);
    assert_eq!(lifetime(&[("expires", "0")]), 0);
    assert_eq!(lifetime(&[("cache-control", "max-age=7, max-age=9")]), 0);
    assert_eq!(lifetime(&[("cache-control", "ext=\"max-age=9, x\", max-age=7")]), 7);
    let changed = httpdate::fmt_http_date(now - SECOND * 1000);
    assert_eq!(lifetime(&[("date", &date), ("last-modified", &changed)]), 100);
    let long_ago = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH);
    assert_eq!(lifetime(&[("date", &date), ("last-modified", &long_ago)]), 24 * 60 * 60);
}

#[test]
fn age_counts_from_birth() {
    let age = |said: &[(&'static str, &str)]| reply(&[], said).age(Instant::now()).as_secs();
    assert_eq!(age(&[("age", "30")]), 30);
    let born = httpdate::fmt_http_date(SystemTime::now() - SECOND * 50);
    assert!((49..=51).contains(&age(&[("age", "30"), ("date", &born)])));
    for unread in ["x", "-1", "1.5", "0, 7"] {
        assert!(age(&[("age", unread)]) > 1 << 31, "{unread}");
    }
}

#[test]
fn requests_say_how_fresh_it_must_be() {
    let minute = reply(&[], &[("cache-control", "max-age=60")]);
    assert_eq!(wants(&[], &minute, 59), Use::Answer);
    assert_eq!(wants(&[], &minute, 61), Use::Ask);
    for newer in ["no-cache", "max-age=5", "min-fresh=55"] {
        assert_eq!(wants(&[("cache-control", newer)], &minute, 10), Use::AskAnyway, "{newer}");
    }
    assert_eq!(wants(&[("pragma", "no-cache")], &minute, 10), Use::AskAnyway);
    for older in ["max-stale", "max-stale=10"] {
        assert_eq!(wants(&[("cache-control", older)], &minute, 65), Use::Answer, "{older}");
    }
    assert_eq!(wants(&[("cache-control", "max-stale=3")], &minute, 65), Use::Ask);
}

#[test]
fn stale_replies_serve_where_they_say_so() {
    let stale = reply(&[], &[("cache-control", "max-age=60, stale-while-revalidate=30, stale-if-error=90")]);
    assert_eq!(wants(&[], &stale, 61), Use::AnswerAndRefresh);
    assert_eq!(wants(&[], &stale, 95), Use::Ask);
    assert_eq!(wants(&[("cache-control", "no-cache")], &stale, 61), Use::Ask);
    assert!(stale.serves_on_error(Instant::now() + SECOND * 140));
    assert!(!stale.serves_on_error(Instant::now() + SECOND * 160));
    for bound in ["must-revalidate", "proxy-revalidate", "s-maxage=60", "no-cache"] {
        let said = format!("max-age=60, stale-while-revalidate=30, stale-if-error=90, {bound}");
        let bound = reply(&[], &[("cache-control", &said)]);
        assert_eq!(wants(&[("cache-control", "max-stale")], &bound, 61), Use::Ask, "{said}");
        assert!(!bound.serves_on_error(Instant::now() + SECOND * 61), "{said}");
    }
}

#[test]
fn parts_preconditions_and_writes_are_the_backends() {
    for name in ["range", "if-match", "if-unmodified-since", "if-range"] {
        assert!(!Asked::of(&Method::GET, &fields(&[(name, "x")])).is_answerable(), "{name}");
    }
    assert!(!Asked::of(&Method::POST, &HeaderMap::new()).is_answerable());
    assert!(Asked::of(&Method::HEAD, &HeaderMap::new()).is_answerable());
}

#[test]
fn a_request_is_served_by_what_was_selected_by_the_same() {
    let stored = reply(&[("accept", "a, b")], &[("cache-control", "max-age=60"), ("vary", "Accept, X-Other")]);
    assert!(stored.selects(&fields(&[("accept", "a,b")]), &[]));
    assert!(stored.selects(&fields(&[("accept", "a"), ("accept", "b")]), &[]));
    assert!(!stored.selects(&fields(&[("accept", "a")]), &[]));
    assert!(!stored.selects(&fields(&[("accept", "a, b"), ("x-other", "1")]), &[]));
    assert!(!stored.selects(&fields(&[("accept", "a, b")]), &[HeaderName::from_static("x-tenant")]));
}

#[test]
fn clients_have_it_by_tag_before_date() {
    let changed = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + SECOND * 1000);
    let stored = reply(&[], &[("etag", "W/\"a,b\""), ("last-modified", &changed)]);
    for known in ["\"x\", \"a,b\"", "W/\"a,b\"", "*"] {
        assert!(stored.is_known_to(&fields(&[("if-none-match", known)])), "{known}");
    }
    assert!(!stored.is_known_to(&fields(&[("if-none-match", "\"a\""), ("if-modified-since", &changed)])));
    assert!(stored.is_known_to(&fields(&[("if-modified-since", &changed)])));
    assert!(!stored.is_known_to(&HeaderMap::new()));
}

#[test]
fn a_304_says_anew_what_is_not_of_the_body() {
    let stored = reply(&[], &[("etag", "\"a\""), ("x-a", "1"), ("x-b", "1"), ("content-length", "4"), ("age", "99")]);
    let mut asks = fields(&[("if-none-match", "\"client\"")]);
    assert!(stored.ask_about(&mut asks));
    assert_eq!(asks, fields(&[("if-none-match", "\"a\"")]));
    let said = fields(&[("x-a", "2"), ("content-length", "0"), ("cache-control", "max-age=60")]);
    let fresh = stored.freshened(&HeaderMap::new(), &said, came());
    let value = |name: &str| fresh.headers().get(name).map(HeaderValue::as_bytes);
    assert_eq!([value("x-a"), value("x-b"), value("content-length")], [Some(&b"2"[..]), Some(b"1"), Some(b"4")]);
    assert_eq!((fresh.lifetime(), fresh.age(Instant::now()).as_secs()), (SECOND * 60, 0));
}

#[test]
fn writes_make_wrong_what_they_name_at_the_same_origin() {
    let said = fields(&[("location", "/new?x=1"), ("content-location", "http://elsewhere/old")]);
    let wrong = |method: &Method, status: StatusCode| invalidated((method, "/t"), (status, &said), &["here:80"]);
    assert_eq!(wrong(&Method::POST, StatusCode::CREATED), ["/t", "/new?x=1"]);
    assert!(wrong(&Method::POST, StatusCode::BAD_REQUEST).is_empty());
    assert!(wrong(&Method::GET, StatusCode::OK).is_empty());
    let said = fields(&[("location", "http://here:80/new")]);
    assert_eq!(invalidated((&Method::PUT, "/t"), (StatusCode::OK, &said), &["here:80"]), ["/t", "/new"]);
}

#[test]
fn what_was_asked_for_before_a_write_is_not_kept_after_it() {
    let store = Store::new(1 << 20);
    let key = Key { backend: 1, target: "/t".into() };
    let find = || store.find(&key, (&HeaderMap::new(), &[]));
    let fresh = || reply(&[], &[("cache-control", "max-age=60")]);
    let began = Instant::now();
    store.keep(key.clone(), fresh(), began);
    assert!(matches!(find(), Found::Stored(_)));
    store.invalidate(key.clone(), Instant::now());
    assert!(matches!(find(), Found::Nothing));
    store.keep(key.clone(), fresh(), began);
    assert!(matches!(find(), Found::Nothing));
    store.keep(key.clone(), fresh(), Instant::now() + SECOND);
    assert!(matches!(find(), Found::Stored(_)));
    let other = reply(&[("accept", "a")], &[("cache-control", "max-age=60"), ("vary", "accept")]);
    store.invalidate(key.clone(), began);
    store.keep(key.clone(), other, Instant::now() + SECOND);
    assert!(matches!(find(), Found::Others));
}

#[test]
fn a_reply_serves_the_same_request_for_as_long_as_it_says() {
    let times = |asked: &[(&'static str, &str)], said: &[(&'static str, &str)]| {
        // A reply without a date gets one, in whole seconds.
        let came = Came { wall: SystemTime::UNIX_EPOCH + 1_000_000 * SECOND, ..came() };
        served(&fields(asked), (StatusCode::OK, &fields(said)), came)
    };
    let plain = times(&[], &[("cache-control", "max-age=60"), ("age", "20")]).expect("it may be kept");
    let nothing_more = Served { fresh: 40 * SECOND, stale: 40 * SECOND, on_error: 40 * SECOND, askable: 40 * SECOND };
    assert_eq!(plain, nothing_more);
    let longer = "max-age=60, stale-while-revalidate=10, stale-if-error=100";
    let longer = times(&[], &[("cache-control", longer)]).expect("it may be kept");
    let found = (longer.fresh, longer.stale, longer.on_error, longer.askable);
    assert_eq!(found, (60 * SECOND, 70 * SECOND, 160 * SECOND, 160 * SECOND));
    let bound = "max-age=60, stale-while-revalidate=10, stale-if-error=100, must-revalidate";
    let bound = times(&[], &[("cache-control", bound)]).expect("it may be kept");
    assert_eq!((bound.stale, bound.on_error), (60 * SECOND, 60 * SECOND));
    let asked = times(&[], &[("cache-control", "no-cache"), ("etag", "\"a\"")]).expect("it can be asked about");
    assert_eq!((asked.fresh, asked.stale, asked.on_error), (Duration::ZERO, Duration::ZERO, Duration::ZERO));
    assert!(asked.askable > Duration::ZERO);
    assert!(times(&[], &[("cache-control", "no-store")]).is_none());
    assert!(times(&[("authorization", "a")], &[("cache-control", "max-age=60")]).is_none());
}
