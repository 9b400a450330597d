//! What can be chosen about the demo backends: where they listen, how slow they are, how often they fail.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How to start the demo backends.
#[derive(Clone, Debug)]
pub struct Options {
    /// The ports on 127.0.0.1, in the order of [`Backend::ALL`]; 0 takes any free one.
    pub ports: [u16; 4],
    /// How long each reply is held back.
    pub delay: Duration,
    /// How often which backend fails; the last one for a backend counts.
    pub failures: Vec<Failure>,
}

impl Default for Options {
    /// Ports 7001 to 7004, where the demo's compositions look; no delay and no failures.
    fn default() -> Self {
        Self { ports: [7001, 7002, 7003, 7004], delay: Duration::ZERO, failures: Vec::new() }
    }
}

/// One of the demo's backends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Products, sellers, categories, prices, search and images, over REST.
    Catalog,
    /// Customers, carts, orders, payments, shipments and the outbox, over REST.
    Shop,
    /// What customers wrote about products, over gRPC.
    Reviews,
    /// How many of each product there are, over gRPC.
    Inventory,
}

impl Backend {
    /// Every backend, in the order of [`Options::ports`].
    pub const ALL: [Self; 4] = [Self::Catalog, Self::Shop, Self::Reviews, Self::Inventory];

    /// The name that compositions and options use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Shop => "shop",
            Self::Reviews => "reviews",
            Self::Inventory => "inventory",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often a backend refuses with 503, or UNAVAILABLE for gRPC. Written `reviews=10%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The backend that fails.
    pub backend: Backend,
    /// How many of a hundred requests fail, 0 to 100.
    pub percent: u8,
}

impl FromStr for Failure {
    type Err = FailureError;

    fn from_str(text: &str) -> Result<Self, FailureError> {
        let wrong = || FailureError { text: text.to_owned() };
        let (name, rate) = text.split_once('=').ok_or_else(wrong)?;
        let backend = Backend::ALL.into_iter().find(|backend| backend.name() == name).ok_or_else(wrong)?;
        let percent = rate.strip_suffix('%').and_then(|percent| percent.parse().ok()).ok_or_else(wrong)?;
        if percent > 100 {
            return Err(wrong());
        }
        Ok(Self { backend, percent })
    }
}

/// A text that is no [`Failure`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureError {
    text: String,
}

impl fmt::Display for FailureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Backend::ALL.map(Backend::name).join(", ");
        write!(f, "`{}` does not say which backend fails how often; write NAME=0% to NAME=100%, ", self.text)?;
        write!(f, "as in reviews=10%, where NAME is one of {names}")
    }
}

impl std::error::Error for FailureError {}

#[cfg(test)]
mod tests {
    use super::{Backend, Failure};

    #[test]
    fn a_failure_is_written_as_backend_and_percent() {
        assert_eq!("reviews=10%".parse(), Ok(Failure { backend: Backend::Reviews, percent: 10 }));
        assert_eq!("shop=100%".parse(), Ok(Failure { backend: Backend::Shop, percent: 100 }));
    }

    #[test]
    fn a_wrong_failure_says_how_to_write_one() {
        for wrong in ["", "reviews", "reviews=10", "reviews=101%", "reviews=-1%", "review=10%", "reviews=ten%"] {
            let error = wrong.parse::<Failure>().expect_err(wrong).to_string();
            assert!(error.contains(&format!("`{wrong}`")), "{error}");
            assert!(error.contains("reviews=10%") && error.contains("catalog, shop, reviews, inventory"), "{error}");
        }
    }
}
