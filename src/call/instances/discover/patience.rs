//! How long somebody is left alone who did not answer: longer each time, and never exactly.

use std::time::Duration;

use super::super::varied;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// At most.
const MOST: Duration = Duration::from_secs(30);

/// How often somebody failed lately.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: u32,
}

impl Patience {
    /// Waits as long as is due before the next question.
    pub(super) async fn wait(&self) {
        if let Some(pause) = self.pause() {
            tokio::time::sleep(varied(pause)).await;
        }
    }

    /// Takes note of how a question went.
    pub(super) fn note<T>(&mut self, answer: &Result<T, String>) {
        self.failures = if answer.is_ok() { 0 } else { self.failures.saturating_add(1) };
    }

    fn pause(&self) -> Option<Duration> {
        let doubled = self.failures.checked_sub(1)?;
        Some(FIRST.saturating_mul(1_u32.checked_shl(doubled).unwrap_or(u32::MAX)).min(MOST))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_grows_with_each_failure_and_ends_with_an_answer() {
        let mut patience = Patience::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            let began = Instant::now();
            patience.wait().await;
            pauses.push(began.elapsed().as_secs_f64());
            patience.note::<()>(&Err(String::new()));
        }
        assert_eq!(pauses[0], 0.0);
        for (pause, due) in pauses[1..].iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]) {
            assert!((pause / due - 1.0).abs() < 0.11, "{pauses:?}");
        }
        assert!(pauses[39] < 33.1);
        patience.note(&Ok(()));
        assert_eq!(patience.pause(), None);
    }
}
