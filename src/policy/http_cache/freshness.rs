//! For how long a reply is fresh, and how old it is (RFC 9111 section 4.2).

use std::time::{Duration, SystemTime};

use http::header::{AGE, DATE, EXPIRES, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, StatusCode};

use super::directives::{Directives, seconds};

/// What is not said to be fresh for some time is fresh for this share of the time that it has not changed.
const HEURISTIC_SHARE: u32 = 10;
/// And no longer than this (section 4.2.2 suggests a limit).
const HEURISTIC_MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// The age of a reply whose `Age` cannot be read: older than anything is fresh.
const ANCIENT: Duration = Duration::from_secs(1 << 32);

/// The statuses that may be kept although nothing is said (RFC 9110 section 15.1), without 206, for parts are not kept.
const HEURISTIC: [u16; 11] = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];

/// For how long a reply is fresh from its birth, if it or its kind says so.
pub(super) fn lifetime(
    (status, headers): (StatusCode, &HeaderMap),
    directives: &Directives,
    received: SystemTime,
) -> Option<Duration> {
    if let Some(said) = directives.s_maxage.or(directives.max_age) {
        return Some(said);
    }
    let born = date(headers, DATE).unwrap_or(received);
    if headers.contains_key(EXPIRES) && !directives.is_targeted {
        let expires = date(headers, EXPIRES);
        return Some(expires.and_then(|expires| expires.duration_since(born).ok()).unwrap_or_default());
    }
    if !(HEURISTIC.contains(&status.as_u16()) || directives.public) {
        return None;
    }
    let unchanged = born.duration_since(date(headers, LAST_MODIFIED)?).ok()?;
    Some((unchanged / HEURISTIC_SHARE).min(HEURISTIC_MOST))
}

/// How old a reply is when it comes, `delay` after it was asked for (section 4.2.3). An `Age` that cannot be read makes it
/// older than anything is fresh, and so do several.
pub(super) fn initial_age(headers: &HeaderMap, received: SystemTime, delay: Duration) -> Duration {
    let mut ages = headers.get_all(AGE).iter();
    let said = match (ages.next(), ages.next()) {
        (None, _) => Duration::ZERO,
        (Some(age), None) => age.to_str().ok().and_then(seconds).unwrap_or(ANCIENT),
        (Some(_), Some(_)) => ANCIENT,
    };
    let born = date(headers, DATE).unwrap_or(received);
    let apparent = received.duration_since(born).unwrap_or_default();
    apparent.max(said + delay)
}

/// Whether a status may be kept although nothing is said.
pub(super) fn is_heuristic(status: StatusCode) -> bool {
    HEURISTIC.contains(&status.as_u16())
}

/// A field that holds one date; `None` where it holds none or several.
pub(super) fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => httpdate::parse_http_date(value.to_str().ok()?).ok(),
        _ => None,
    }
}
