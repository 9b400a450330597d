//! Whether an address says of itself that it is well: some answers in a row make it so, some failures the opposite.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// How addresses are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long after an answer they are asked again.
    pub every: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How many answers in a row make an address well again.
    pub healthy: u32,
    /// How many failures in a row make it unwell.
    pub unhealthy: u32,
}

/// How well one address is. It is well until it says otherwise.
#[derive(Debug)]
pub struct Wellness {
    settings: Settings,
    is_unwell: AtomicBool,
    /// What it said in a row that contradicts how well it is. Only one check of an address runs at a time.
    contradictions: AtomicU32,
}

/// What it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is well.
    Well,
    /// It is not, or it said nothing in time.
    Unwell,
}

impl Wellness {
    /// An address that was not asked yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, is_unwell: AtomicBool::new(false), contradictions: AtomicU32::new(0) }
    }

    /// Whether it is unwell.
    pub fn is_unwell(&self) -> bool {
        self.is_unwell.load(Ordering::Relaxed)
    }

    /// Counts what it said; what it is now where that changed.
    pub fn hear(&self, answer: Answer) -> Option<Answer> {
        let is_unwell = self.is_unwell();
        if is_unwell == (answer == Answer::Unwell) {
            self.contradictions.store(0, Ordering::Relaxed);
            return None;
        }
        let enough = if is_unwell { self.settings.healthy } else { self.settings.unhealthy };
        if self.contradictions.fetch_add(1, Ordering::Relaxed).saturating_add(1) < enough {
            return None;
        }
        self.contradictions.store(0, Ordering::Relaxed);
        self.is_unwell.store(!is_unwell, Ordering::Relaxed);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Answer, Settings, Wellness};
    use std::time::Duration;

    fn settings(healthy: u32, unhealthy: u32) -> Settings {
        Settings { every: Duration::from_secs(1), timeout: Duration::from_secs(1), healthy, unhealthy }
    }

    #[test]
    fn a_single_answer_between_others_changes_nothing() {
        let wellness = Wellness::new(settings(2, 2));
        let said = [Answer::Unwell, Answer::Well, Answer::Unwell, Answer::Unwell, Answer::Well, Answer::Unwell];
        let changes: Vec<_> = said.into_iter().map(|answer| wellness.hear(answer)).collect();
        assert_eq!(changes, [None, None, None, Some(Answer::Unwell), None, None]);
        assert!(wellness.is_unwell());
    }

    proptest! {
        #[test]
        fn it_is_what_the_last_long_enough_row_said(
            healthy in 1_u32..4, unhealthy in 1_u32..4, said in proptest::collection::vec(any::<bool>(), 0..60),
        ) {
            let wellness = Wellness::new(settings(healthy, unhealthy));
            let (mut is_well, mut row) = (true, 0);
            for (at, well) in said.iter().enumerate() {
                row = if at > 0 && said[at - 1] == *well { row + 1 } else { 1 };
                if row >= if *well { healthy } else { unhealthy } {
                    is_well = *well;
                }
                wellness.hear(if *well { Answer::Well } else { Answer::Unwell });
                prop_assert_eq!(!wellness.is_unwell(), is_well);
            }
        }
    }
}
