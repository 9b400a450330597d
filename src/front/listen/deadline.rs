//! A point in time that is moved often and rarely met.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that registers with the runtime only when the time it waits for comes nearer.
///
/// Moving a deadline further away is free: the timer fires at the earlier time, finds that nothing is due,
/// and sleeps on. A connection that serves many requests touches the runtime's timer once per idle period.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Ready once `at` has passed; wakes the task then at the latest.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, at: Instant) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if at < sleep.deadline() {
            sleep.as_mut().reset(at);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() >= at {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Deadline;

    #[tokio::test(start_paused = true)]
    async fn the_last_time_asked_for_is_the_one_met() {
        for moves in [[10, 60], [60, 10], [5, 5]] {
            let mut deadline = Deadline::default();
            let begun = Instant::now();
            for seconds in moves {
                let at = begun + Duration::from_secs(seconds);
                poll_fn(|context| {
                    assert!(deadline.poll(context, at).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
            let at = begun + Duration::from_secs(moves[1]);
            poll_fn(|context| deadline.poll(context, at)).await;
            assert_eq!(begun.elapsed(), Duration::from_secs(moves[1]), "{moves:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn however_often_it_is_moved_it_is_met_on_time(
            moves in proptest::collection::vec((1_u64..60, 0_u64..60), 1..12),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.expect("it starts").block_on(async {
                let (mut deadline, mut at) = (Deadline::default(), Instant::now());
                for (ahead, pause) in moves {
                    at = Instant::now() + Duration::from_secs(ahead);
                    poll_fn(|context| {
                        assert!(deadline.poll(context, at).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                    tokio::time::sleep(Duration::from_secs(pause % ahead)).await;
                }
                poll_fn(|context| deadline.poll(context, at)).await;
                assert_eq!(Instant::now(), at);
            });
        }
    }
}
