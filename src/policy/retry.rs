//! Retry: which failures are worth another attempt, and how long to wait before it.

use std::time::Duration;

use crate::base::attempt::Event;

/// How a call is made again.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Attempts at most, the first included.
    pub attempts: u32,
    /// After which failures.
    pub on: Causes,
    /// How long to wait before the second attempt, at most; doubled before each further one.
    pub base: Duration,
    /// How long to wait at most.
    pub max: Duration,
    /// How long one attempt may take; `None`: as long as the call.
    pub timeout: Option<Duration>,
}

/// Failures that another attempt may mend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Causes {
    /// No connection.
    pub connect: bool,
    /// The connection ended before the reply began, or within it.
    pub reset: bool,
    /// No reply in time; DEADLINE_EXCEEDED.
    pub timeout: bool,
    /// 502, 503, 504; UNAVAILABLE.
    pub unavailable: bool,
    /// Any other status from 500; INTERNAL, UNKNOWN, DATA_LOSS; a `fail` rule that blames the backend.
    pub server_error: bool,
    /// 429, RESOURCE_EXHAUSTED.
    pub rate_limited: bool,
}

impl Causes {
    /// Whether an event is among them.
    pub fn hold(self, event: Event) -> bool {
        match event {
            Event::Connect => self.connect,
            Event::Reset | Event::BadReply => self.reset,
            Event::Timeout | Event::Grpc(4) => self.timeout,
            Event::Status(502..=504) | Event::Grpc(14) => self.unavailable,
            Event::Status(429) | Event::Grpc(8) => self.rate_limited,
            Event::Status(500..) | Event::Grpc(2 | 13 | 15) | Event::Failed => self.server_error,
            _ => false,
        }
    }
}

impl Settings {
    /// How long to wait after attempt number `attempt` (from 1). What the backend asks for is kept exactly; without it
    /// the wait is anything up to a time that doubles (`jitter` is from 0 to 1), so that callers do not come back
    /// together.
    pub fn wait(&self, attempt: u32, pause: Option<Duration>, jitter: f64) -> Duration {
        pause.unwrap_or_else(|| {
            let doubled = self.base.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
            doubled.min(self.max).mul_f64(jitter)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let on = Causes { connect: true, reset: true, unavailable: true, ..Causes::default() };
        let (base, max) = (Duration::from_millis(25), Duration::from_millis(250));
        Settings { attempts: 2, on, base, max, timeout: None }
    }

    #[test]
    fn the_wait_doubles_up_to_its_end() {
        let longest = |attempt| settings().wait(attempt, None, 1.0).as_millis();
        assert_eq!([1, 2, 3, 4, 5, 40].map(longest), [25, 50, 100, 200, 250, 250]);
        assert_eq!(settings().wait(3, None, 0.0), Duration::ZERO);
    }

    #[test]
    fn what_the_backend_asks_for_is_kept() {
        assert_eq!(settings().wait(1, Some(Duration::from_secs(2)), 0.3), Duration::from_secs(2));
    }

    #[test]
    fn what_is_not_asked_for_is_not_mended() {
        let on = settings().on;
        let yes = [Event::Connect, Event::Reset, Event::BadReply, Event::Status(503), Event::Grpc(14)];
        let no = [Event::Timeout, Event::Status(500), Event::Status(429), Event::Grpc(13), Event::Hurried];
        assert!(yes.into_iter().all(|event| on.hold(event)));
        assert!(!no.into_iter().any(|event| on.hold(event)));
    }
}
