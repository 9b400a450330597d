//! Points and spans of time as CEL and protobuf know them.

/// A point in time, `0001-01-01T00:00:00Z` to `9999-12-31T23:59:59.999999999Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds after that second, `0..1_000_000_000`.
    pub nanos: u32,
}

/// A span of time of at most 315,576,000,000 seconds either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    /// Whole seconds; of the same sign as `nanos`.
    pub seconds: i64,
    /// Nanoseconds, `-999_999_999..=999_999_999`; of the same sign as `seconds`.
    pub nanos: i32,
}

const SECONDS_PER_DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z.
const MIN_SECONDS: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const MAX_SECONDS: i64 = 253_402_300_799;
/// Source: google/protobuf/duration.proto.
const MAX_DURATION_SECONDS: i64 = 315_576_000_000;

impl Timestamp {
    /// Parses RFC 3339 text. Source: google/protobuf/timestamp.proto (JSON mapping).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let digits = |from: usize, to: usize| -> Option<i64> {
            let part = bytes.get(from..to)?;
            part.iter().all(u8::is_ascii_digit).then_some(())?;
            std::str::from_utf8(part).ok()?.parse().ok()
        };
        let punctuation = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if punctuation.iter().any(|(at, want)| bytes.get(*at) != Some(want)) {
            return None;
        }
        matches!(bytes.get(10)?, b'T' | b't').then_some(())?;
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
        let in_range = year >= 1
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        in_range.then_some(())?;
        let mut rest = &text[19..];
        let mut nanos = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let len = fraction.bytes().take_while(u8::is_ascii_digit).count();
            nanos = fraction_nanos(fraction.get(..len)?)?;
            rest = &fraction[len..];
        }
        let offset = match rest.as_bytes() {
            [b'Z' | b'z'] => 0,
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let (hours, minutes) =
                    (digits(bytes.len() - 5, bytes.len() - 3)?, digits(bytes.len() - 2, bytes.len())?);
                (hours < 24 && minutes < 60).then_some(())?;
                (hours * 60 + minutes) * if *sign == b'-' { -60 } else { 60 }
            }
            _ => return None,
        };
        let seconds =
            days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second - offset;
        (MIN_SECONDS..=MAX_SECONDS).contains(&seconds).then_some(Self { seconds, nanos })
    }

    /// RFC 3339 text in UTC with 0, 3, 6 or 9 digits of fraction. `None` outside the years 1–9999.
    pub fn to_text(self) -> Option<String> {
        let mut out = Vec::with_capacity(30);
        self.text_into(&mut out).then(|| String::from_utf8(out).unwrap_or_default())
    }

    /// Appends what [`Timestamp::to_text`] yields; says whether there was anything to append.
    pub fn text_into(self, out: &mut Vec<u8>) -> bool {
        if !(MIN_SECONDS..=MAX_SECONDS).contains(&self.seconds) || self.nanos >= 1_000_000_000 {
            return false;
        }
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(SECONDS_PER_DAY));
        let second = self.seconds.rem_euclid(SECONDS_PER_DAY);
        let mut text = *b"0000-00-00T00:00:00";
        let parts = [(2, year / 100), (4, year % 100), (7, month), (10, day)];
        let clock = [(13, second / 3_600), (16, second / 60 % 60), (19, second % 60)];
        for (end, two_digits) in parts.into_iter().chain(clock) {
            text[end - 2] = b'0' + (two_digits / 10) as u8;
            text[end - 1] = b'0' + (two_digits % 10) as u8;
        }
        out.extend_from_slice(&text);
        push_fraction(out, self.nanos);
        out.push(b'Z');
        true
    }

    /// `Sat, 31 Dec 2026 23:59:59 GMT` (RFC 9110, section 5.6.7).
    pub fn to_http_date(self) -> String {
        const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (days, second) = (self.seconds.div_euclid(SECONDS_PER_DAY), self.seconds.rem_euclid(SECONDS_PER_DAY));
        let (year, month, day) = civil_from_days(days);
        let (weekday, month) = (WEEKDAYS[days.rem_euclid(7) as usize], MONTHS[(month - 1) as usize]);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }
}

impl Duration {
    /// Parses protobuf's JSON form: seconds with an optional fraction and `s`.
    /// Source: google/protobuf/duration.proto (JSON mapping).
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('s')?;
        let negative = number.starts_with('-');
        let number = number.strip_prefix('-').unwrap_or(number);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        (all_digits(whole) && all_digits(fraction)).then_some(())?;
        let seconds: i64 = whole.parse().ok()?;
        let nanos = i32::try_from(fraction_nanos(fraction)?).ok()?;
        (seconds <= MAX_DURATION_SECONDS).then_some(())?;
        let sign = if negative { -1 } else { 1 };
        Some(Self { seconds: seconds * sign, nanos: nanos * sign as i32 })
    }

    /// Protobuf's JSON form, with 0, 3, 6 or 9 digits of fraction. `None` when out of range or
    /// when the signs disagree.
    pub fn to_text(self) -> Option<String> {
        let mut out = Vec::with_capacity(24);
        self.text_into(&mut out).then(|| String::from_utf8(out).unwrap_or_default())
    }

    /// Appends what [`Duration::to_text`] yields; says whether there was anything to append.
    pub fn text_into(self, out: &mut Vec<u8>) -> bool {
        let agree = self.seconds == 0 || self.nanos == 0 || (self.seconds < 0) == (self.nanos < 0);
        let in_range = self.seconds.unsigned_abs() <= MAX_DURATION_SECONDS.unsigned_abs();
        if !agree || !in_range || self.nanos.unsigned_abs() >= 1_000_000_000 {
            return false;
        }
        if self.seconds < 0 || self.nanos < 0 {
            out.push(b'-');
        }
        super::uint_into(out, self.seconds.unsigned_abs());
        push_fraction(out, self.nanos.unsigned_abs());
        out.push(b's');
        true
    }
}

/// Nanoseconds of up to nine digits after the point.
fn fraction_nanos(digits: &str) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let value: u32 = digits.parse().ok()?;
    Some(value * 10u32.pow(9 - digits.len() as u32))
}

/// Writes `.123`, `.123456` or `.123456789`, or nothing for zero.
fn push_fraction(out: &mut Vec<u8>, nanos: u32) {
    let (width, value) = match nanos {
        0 => return,
        n if n % 1_000_000 == 0 => (1_000, n / 1_000_000),
        n if n % 1_000 == 0 => (1_000_000, n / 1_000),
        n => (1_000_000_000, n),
    };
    // The one in front keeps the leading zeros of the fraction; the point replaces it.
    let point = out.len();
    super::uint_into(out, u64::from(width + value));
    out[point] = b'.';
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of the month, both from 1, of a count of days since 1970-01-01.
/// The inverse of `days_from_civil`.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
