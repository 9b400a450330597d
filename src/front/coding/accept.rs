//! What a client says about codings (RFC 9110 section 12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use super::Coding;

/// The codings that a client takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The one that it likes best, of those that there are.
    best: Option<Coding>,
    /// Whether it does not take a body as it is.
    refuses_plain: bool,
    /// Whether it likes a body as it is better than in any coding.
    prefers_plain: bool,
}

impl Accepted {
    /// What the header fields of a request say. A client that says nothing gets bodies as they are.
    pub fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(ACCEPT_ENCODING) {
            return Self::default();
        }
        let mut weights = Weights::default();
        for value in headers.get_all(ACCEPT_ENCODING) {
            value.to_str().unwrap_or_default().split(',').for_each(|written| weights.read(written));
        }
        let (mut best, mut most) = (None, 0);
        for coding in Coding::ALL {
            let weight = weights.codings[coding as usize].or(weights.others).unwrap_or(0);
            if weight > most {
                (best, most) = (Some(coding), weight);
            }
        }
        // Without a word about it, a body as it is is fine, and less so than any coding that is named.
        let plain = weights.plain.or(weights.others.filter(|weight| *weight == 0));
        Self { best, refuses_plain: plain == Some(0), prefers_plain: plain.is_some_and(|plain| plain > most) }
    }

    /// Whether a body must be coded, also one that gains nothing by it.
    pub(super) fn refuses_plain(self) -> bool {
        self.refuses_plain
    }

    /// The coding for a body, of which `is_worth_it` says whether it would gain by one.
    pub(super) fn best(self, is_worth_it: bool) -> Option<Coding> {
        self.best.filter(|_| self.refuses_plain || (is_worth_it && !self.prefers_plain))
    }
}

/// The weights that are written, in thousandths.
#[derive(Default)]
struct Weights {
    codings: [Option<u16>; Coding::ALL.len()],
    /// That of `identity`.
    plain: Option<u16>,
    /// That of `*`.
    others: Option<u16>,
}

impl Weights {
    /// Reads one coding with its weight. What is malformed counts for nothing.
    fn read(&mut self, written: &str) {
        let mut parts = written.split(';');
        let name = parts.next().unwrap_or_default().trim();
        let weight = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
        });
        let Some(weight) = weight.unwrap_or(Some(1000)) else { return };
        let named = Coding::ALL.into_iter().find(|coding| name.eq_ignore_ascii_case(coding.name()));
        match named {
            Some(coding) => self.codings[coding as usize] = Some(weight),
            None if name == "*" => self.others = Some(weight),
            None if name.eq_ignore_ascii_case("identity") => self.plain = Some(weight),
            None if name.eq_ignore_ascii_case("x-gzip") => self.codings[Coding::Gzip as usize] = Some(weight),
            None => {}
        }
    }
}

/// `0.5` as 500: at most three digits behind the point (RFC 9110 section 12.4.2).
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_number = rest.len() <= 3 && rest.bytes().all(|digit| digit.is_ascii_digit());
    match whole {
        "0" if is_number => format!("{rest:0<3}").parse().ok(),
        "1" if is_number && rest.bytes().all(|digit| digit == b'0') => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::ACCEPT_ENCODING;

    use super::{Accepted, Coding};

    fn accepted(values: &[&'static str]) -> Accepted {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_ENCODING, http::HeaderValue::from_static(value));
        }
        Accepted::of(&headers)
    }

    #[test]
    fn the_heaviest_coding_wins_and_of_equals_the_first_of_ours() {
        for (values, best) in [
            (&[][..], None),
            (&[""], None),
            (&["gzip, deflate, br, zstd"], Some(Coding::Zstd)),
            (&["gzip, deflate, br"], Some(Coding::Brotli)),
            (&["gzip"], Some(Coding::Gzip)),
            (&["GZIP;Q=0.2"], Some(Coding::Gzip)),
            (&["zstd;q=0.1, br;q=0.2, gzip;q=0.3"], Some(Coding::Gzip)),
            (&["zstd;q=0, gzip ; q=0.001"], Some(Coding::Gzip)),
            (&["gzip;q=0.5", "br;q=0.6"], Some(Coding::Brotli)),
            (&["*"], Some(Coding::Zstd)),
            (&["zstd;q=0, *"], Some(Coding::Brotli)),
            (&["*;q=0, gzip"], Some(Coding::Gzip)),
            (&["*;q=0"], None),
            (&["gzip;q=0"], None),
            (&["gzip;q=2, br;q=x, zstd;q=0.1234"], None),
            (&["deflate, compress"], None),
            (&["identity"], None),
            (&["identity;q=0.5, gzip;q=0.4"], None),
            (&["identity;q=0.5, gzip;q=0.5"], Some(Coding::Gzip)),
            (&["x-gzip"], Some(Coding::Gzip)),
        ] {
            assert_eq!(accepted(values).best(true), best, "{values:?}");
        }
    }

    #[test]
    fn what_would_gain_nothing_is_coded_only_where_nothing_else_is_taken() {
        assert_eq!(accepted(&["gzip"]).best(false), None);
        assert_eq!(accepted(&["gzip, identity;q=0"]).best(false), Some(Coding::Gzip));
        assert_eq!(accepted(&["gzip, *;q=0"]).best(false), Some(Coding::Gzip));
        assert_eq!(accepted(&["gzip, *;q=0, identity"]).best(false), None);
        assert_eq!(accepted(&["identity;q=0"]).best(false), None);
    }
}
