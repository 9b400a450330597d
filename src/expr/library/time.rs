//! Timestamps and durations. Source: cel-spec "Standard Definitions".

use super::Form::Method;
use super::signature::{Gives, Is, Signature, takes};
use super::{Function, argument, text, wrong};
use crate::base::value::{Duration, Timestamp, Value, civil_from_days};
use crate::expr::error::EvalError;

const OF_TIMESTAMP: &[Signature] =
    &[takes(&[Is::Timestamp], Gives::Int), takes(&[Is::Timestamp, Is::Text], Gives::Int)];

const OF_BOTH: &[Signature] = &[
    takes(&[Is::Timestamp], Gives::Int),
    takes(&[Is::Timestamp, Is::Text], Gives::Int),
    takes(&[Is::Duration], Gives::Int),
];

macro_rules! getters {
    ($($name:literal, $signatures:ident, $read:expr, $whole:expr;)*) => {
        pub(super) const TABLE: &[Function] = &[$(
            Function { name: $name, form: Method, signatures: $signatures, run: |a, _| getter(a, $read, $whole) },
        )*];
    };
}

getters! {
    "getFullYear", OF_TIMESTAMP, |date| date.year, None;
    "getMonth", OF_TIMESTAMP, |date| date.month - 1, None;
    "getDate", OF_TIMESTAMP, |date| date.day, None;
    "getDayOfMonth", OF_TIMESTAMP, |date| date.day - 1, None;
    "getDayOfWeek", OF_TIMESTAMP, |date| (date.days + 4).rem_euclid(7), None;
    "getDayOfYear", OF_TIMESTAMP, |date| date.day_of_year, None;
    "getHours", OF_BOTH, |date| date.second / 3_600, Some(|span| span.seconds / 3_600);
    "getMinutes", OF_BOTH, |date| date.second / 60 % 60, Some(|span| span.seconds / 60);
    "getSeconds", OF_BOTH, |date| date.second % 60, Some(|span| span.seconds);
    "getMilliseconds", OF_BOTH, |date| date.nanos / 1_000_000, Some(|span| i64::from(span.nanos) / 1_000_000);
}

/// RFC 3339 text as `string` gives it: no zeros at the end of the fraction.
pub(super) fn timestamp_text(time: Timestamp) -> Option<String> {
    let text = time.to_text()?;
    Some(match text.strip_suffix('Z') {
        Some(digits) if digits.contains('.') => format!("{}Z", digits.trim_end_matches('0')),
        _ => text,
    })
}

/// Seconds with as much fraction as there is, and `s`.
pub(super) fn duration_text(span: Duration) -> String {
    let sign = if span.seconds < 0 || span.nanos < 0 { "-" } else { "" };
    let (seconds, nanos) = (span.seconds.unsigned_abs(), span.nanos.unsigned_abs());
    if nanos == 0 {
        return format!("{sign}{seconds}s");
    }
    format!("{sign}{seconds}.{}s", format!("{nanos:09}").trim_end_matches('0'))
}

/// A duration as CEL writes it: a sign, then numbers with units from `h` to `ns`; `0` has no unit.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(Duration { seconds: 0, nanos: 0 });
    }
    let mut rest = unsigned;
    let mut total = 0i128;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        total = total.checked_add(nanoseconds(number, unit)?)?;
        rest = tail;
    }
    let signed = if text.starts_with('-') { -total } else { total };
    (!unsigned.is_empty()).then(|| from_nanoseconds(signed)).flatten()
}

/// A span of so many nanoseconds, if it is in range.
pub(in crate::expr) fn from_nanoseconds(total: i128) -> Option<Duration> {
    let seconds = i64::try_from(total / 1_000_000_000).ok()?;
    let nanos = (total % 1_000_000_000) as i32;
    Some(Duration { seconds, nanos }).filter(|span| span.to_text().is_some())
}

/// A decimal number of a unit, cut to whole nanoseconds.
fn nanoseconds(number: &str, unit: &str) -> Option<i128> {
    let scale: i128 = match unit {
        "h" => 3_600_000_000_000,
        "m" => 60_000_000_000,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" | "µs" | "μs" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Longer fractions are below a nanosecond for every unit; cutting them keeps the sum exact.
    let fraction = &fraction[..fraction.len().min(18)];
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<i128>().ok() };
    let part = digits(fraction)?.checked_mul(scale)? / 10i128.pow(fraction.len() as u32);
    digits(whole)?.checked_mul(scale)?.checked_add(part)
}

/// A timestamp as a calendar shows it.
struct Date {
    year: i64,
    month: i64,
    day: i64,
    /// From 0.
    day_of_year: i64,
    /// Days since 1970-01-01.
    days: i64,
    /// Of the day.
    second: i64,
    nanos: i64,
}

fn getter<'a>(
    a: &[Value<'a>],
    of_timestamp: fn(&Date) -> i64,
    of_duration: Option<fn(&Duration) -> i64>,
) -> Result<Value<'a>, EvalError> {
    match (&a[0], of_duration) {
        (Value::Timestamp(time), _) => {
            let offset = a.get(1).map(|zone| offset(text(zone)?, *time)).transpose()?.unwrap_or(0);
            Ok(Value::Int(of_timestamp(&date(*time, offset))))
        }
        (Value::Duration(span), Some(read)) => Ok(Value::Int(read(span))),
        (other, _) => Err(wrong(other, "a timestamp")),
    }
}

fn date(time: Timestamp, offset: i64) -> Date {
    let local = time.seconds + offset;
    let days = local.div_euclid(86_400);
    let (year, month, day) = civil_from_days(days);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let day_of_year = before[(month - 1) as usize] + i64::from(leap && month > 2) + day - 1;
    Date { year, month, day, day_of_year, days, second: local.rem_euclid(86_400), nanos: i64::from(time.nanos) }
}

/// Seconds east of UTC at a point in time. A zone is an offset or a name of the IANA time zone database, as it was when
/// this program was built.
fn offset(zone: &str, time: Timestamp) -> Result<i64, EvalError> {
    if let Some(offset) = fixed_offset(zone) {
        return Ok(offset);
    }
    let known = tzdb_data::find_tz(zone.as_bytes());
    let local = known.and_then(|zone| zone.find_local_time_type(time.seconds).ok());
    local.map(|local| i64::from(local.ut_offset())).ok_or_else(|| argument("knows no such time zone"))
}

/// `+02:00` or `UTC`.
fn fixed_offset(zone: &str) -> Option<i64> {
    if matches!(zone, "UTC" | "Z" | "GMT") {
        return Some(0);
    }
    let (sign, digits) = match zone.as_bytes().first() {
        Some(b'-') => (-1, &zone[1..]),
        Some(b'+') => (1, &zone[1..]),
        _ => (1, zone),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 3_600 + minutes * 60))
}
