//! How many calls a backend bears, found out from how they end: additive increase, multiplicative decrease.
//!
//! The limit goes up while calls make use of it, and down as soon as one ends as those of an overloaded backend do. Until
//! the first of these it goes up by one with each reply, so that it is soon where it belongs; from then on by one with as
//! many replies as it allows calls. Source: Chiu and Jain, "Analysis of the Increase and Decrease Algorithms for Congestion
//! Avoidance" (1989); the slow start, and one decrease for each round trip, as TCP has them (RFC 5681).

use std::time::Duration;

use tokio::time::Instant;

use crate::base::attempt::Load;

/// How long a decrease is given to show what it does.
const PAUSE: Duration = Duration::from_secs(1);
/// What is left of the limit after a decrease, in tenths.
const LEFT: u32 = 9;

/// Between which bounds the limit goes up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What it never falls below, and begins with; at least 1.
    pub min: u32,
    /// What it never exceeds; at least `min`.
    pub max: u32,
}

/// The limit as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adaptive {
    bounds: Bounds,
    /// Calls at the same time.
    limit: u32,
    /// Replies that count towards the next increase.
    replies: u32,
    /// When it fell last.
    fell: Option<Instant>,
}

/// A call that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over {
    /// What it says of what the backend bears.
    pub(super) load: Load,
    /// How many calls were under way, this one included.
    pub(super) under_way: u32,
    /// When it was begun.
    pub(super) began: Instant,
}

impl Adaptive {
    /// The smallest limit, as long as nothing is known.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, limit: bounds.min, replies: 0, fell: None }
    }

    /// Calls at the same time.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Takes note of a call that is over.
    pub(super) fn note(&mut self, over: Over, now: Instant) {
        match over.load {
            Load::Bearable if over.under_way.saturating_mul(2) >= self.limit => self.rise(),
            Load::TooMuch if self.may_fall(over.began, now) => self.fall(now),
            Load::Bearable | Load::TooMuch | Load::Unsaid => {}
        }
    }

    fn rise(&mut self) {
        self.replies += 1;
        if self.fell.is_none() || self.replies >= self.limit {
            self.limit = (self.limit + 1).min(self.bounds.max);
            self.replies = 0;
        }
    }

    /// A call from before the last decrease says nothing of what came of that.
    fn may_fall(&self, began: Instant, now: Instant) -> bool {
        self.fell.is_none_or(|fell| began >= fell && now >= fell + PAUSE)
    }

    fn fall(&mut self, now: Instant) {
        let left = u64::from(self.limit) * u64::from(LEFT) / 10;
        self.limit = u32::try_from(left).unwrap_or(u32::MAX).max(self.bounds.min);
        self.replies = 0;
        self.fell = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adaptive(min: u32, max: u32) -> Adaptive {
        Adaptive::new(Bounds { min, max })
    }

    fn over(load: Load, under_way: u32, began: Instant) -> Over {
        Over { load, under_way, began }
    }

    /// Replies to calls of which each finds the backend in full use.
    fn replies(adaptive: &mut Adaptive, count: u32) -> u32 {
        let now = Instant::now();
        (0..count).for_each(|_| adaptive.note(over(Load::Bearable, adaptive.limit(), now), now));
        adaptive.limit()
    }

    fn overload(adaptive: &mut Adaptive) -> u32 {
        let now = Instant::now();
        adaptive.note(over(Load::TooMuch, 1, now), now);
        adaptive.limit()
    }

    #[test]
    fn it_begins_small_and_soon_is_as_large_as_it_may_be() {
        let mut adaptive = adaptive(10, 40);
        assert_eq!(adaptive.limit(), 10);
        assert_eq!(replies(&mut adaptive, 10), 20);
        assert_eq!(replies(&mut adaptive, 100), 40);
    }

    #[test]
    fn what_nobody_makes_use_of_does_not_grow() {
        let (mut adaptive, now) = (adaptive(10, 40), Instant::now());
        adaptive.note(over(Load::Bearable, 4, now), now);
        assert_eq!(adaptive.limit(), 10);
        adaptive.note(over(Load::Bearable, 5, now), now);
        assert_eq!(adaptive.limit(), 11);
    }

    #[tokio::test(start_paused = true)]
    async fn after_an_overload_it_grows_by_one_with_each_round() {
        let mut adaptive = adaptive(10, 200);
        assert_eq!(replies(&mut adaptive, 90), 100);
        assert_eq!(overload(&mut adaptive), 90);
        assert_eq!(replies(&mut adaptive, 89), 90);
        assert_eq!(replies(&mut adaptive, 1), 91);
        assert_eq!(replies(&mut adaptive, 91), 92);
    }

    #[tokio::test(start_paused = true)]
    async fn it_falls_once_a_second_and_never_below_its_bound() {
        let mut adaptive = adaptive(70, 100);
        replies(&mut adaptive, 100);
        assert_eq!((overload(&mut adaptive), overload(&mut adaptive)), (90, 90));
        tokio::time::advance(Duration::from_millis(999)).await;
        assert_eq!(overload(&mut adaptive), 90);
        for expected in [81, 72, 70, 70] {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!(overload(&mut adaptive), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_of_before_a_decrease_do_not_cause_another() {
        let mut adaptive = adaptive(1, 100);
        replies(&mut adaptive, 100);
        let before = Instant::now();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(overload(&mut adaptive), 90);
        tokio::time::advance(Duration::from_secs(3)).await;
        let now = Instant::now();
        adaptive.note(over(Load::TooMuch, 90, before), now);
        assert_eq!(adaptive.limit(), 90);
        adaptive.note(over(Load::TooMuch, 90, now), now);
        assert_eq!(adaptive.limit(), 81);
    }

    #[test]
    fn what_says_nothing_changes_nothing() {
        let (mut adaptive, now) = (adaptive(1, 9), Instant::now());
        adaptive.note(over(Load::Unsaid, 1, now), now);
        assert_eq!(adaptive.limit(), 1);
    }
}
