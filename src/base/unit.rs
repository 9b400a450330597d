//! Durations and sizes as compositions write them: `300ms`, `1MB`.

use std::time::Duration;

/// The longest duration that is taken, a hundred years: every place where one is used can add it to a time, or double it.
const LONGEST: Duration = Duration::from_secs(36_500 * 86_400);

/// Parses a duration: a whole or decimal number directly followed by `ms`, `s`, `m`, `h` or `d`, a hundred years at most.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the value.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let (number, unit) = split(text);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "" => return Err("has no unit; write ms, s, m, h or d after the number, as in 300ms"),
        _ => return Err("is no duration; write a number and ms, s, m, h or d, as in 300ms"),
    };
    let number: f64 = number.parse().map_err(|_| "is no duration; write a number and a unit, as in 300ms")?;
    let duration = Duration::try_from_secs_f64(number * seconds).ok().filter(|duration| *duration <= LONGEST);
    duration.ok_or("is too long; write 36500d at most")
}

/// Parses a size: a whole or decimal number directly followed by `B`, `KB`, `MB`, `GB` (powers of
/// 1,000) or `KiB`, `MiB`, `GiB` (powers of 1,024). The result is in bytes.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the value.
pub fn parse_size(text: &str) -> Result<u64, &'static str> {
    let (number, unit) = split(text);
    let factor: f64 = match unit {
        "B" => 1.0,
        "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1_024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        "" => return Err("has no unit; write B, KB, MB, GB, KiB, MiB or GiB after the number, as in 4MiB"),
        _ => return Err("is no size; write a number and B, KB, MB, GB, KiB, MiB or GiB, as in 4MiB"),
    };
    let number: f64 = number.parse().map_err(|_| "is no size; write a number and a unit, as in 4MiB")?;
    Ok((number * factor) as u64)
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST, parse_duration, parse_size};

    #[test]
    fn durations_and_sizes_carry_units() {
        assert_eq!(parse_duration("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1_500)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7_200)));
        assert_eq!(parse_duration("36500d"), Ok(LONGEST));
        assert_eq!(parse_size("4MiB"), Ok(4 << 20));
        assert_eq!(parse_size("100MB"), Ok(100_000_000));
        for wrong in ["", "5", "ms", "-5s", "5 s", "5parsecs", "1e99999d", "36500.1d", "9300000000000000000s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert!(parse_size("12").is_err());
    }
}
