//! Shutting down without losing a request.
//!
//! On the first signal the process is announced as leaving: readiness turns false and HTTP/1 answers carry
//! `Connection: close`, while new connections are still accepted, because load balancers need some seconds
//! to look elsewhere. After the delay the listeners close and open requests are finished. After the timeout,
//! or on a second signal, what is left is aborted.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long the two phases of a shutdown last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainTimes {
    /// From the announcement to the closing of the listeners.
    pub delay: Duration,
    /// From the closing of the listeners to the abort of what is still open.
    pub timeout: Duration,
}

impl Default for DrainTimes {
    fn default() -> Self {
        Self { delay: Duration::from_secs(5), timeout: Duration::from_secs(30) }
    }
}

/// The shutdown of the process, shared by everything that has to know of it.
#[derive(Clone, Debug)]
pub struct Drain {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The same as the phase is past `Serving`, readable without a lock for every answer.
    announced: AtomicBool,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    times: DrainTimes,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    Announced(Instant),
    Aborted,
}

impl Drain {
    /// A shutdown that has not begun.
    pub fn new(times: DrainTimes) -> Self {
        let (state, _) = watch::channel(State { times, phase: Phase::Serving });
        Self { shared: Arc::new(Shared { announced: AtomicBool::new(false), state }) }
    }

    /// Lets the phases last otherwise. A shutdown that has begun keeps its times.
    pub fn change(&self, times: DrainTimes) {
        self.shared.state.send_if_modified(|state| {
            let changes = state.phase == Phase::Serving && state.times != times;
            if changes {
                state.times = times;
            }
            changes
        });
    }

    /// How long the phases last.
    pub fn times(&self) -> DrainTimes {
        self.shared.state.borrow().times
    }

    /// Announces the shutdown; its times run from now. Later calls change nothing.
    pub fn begin(&self) {
        self.shared.announced.store(true, Ordering::Release);
        self.shared.state.send_if_modified(|state| {
            let begins = state.phase == Phase::Serving;
            if begins {
                state.phase = Phase::Announced(Instant::now());
            }
            begins
        });
    }

    /// Aborts what is open, at once.
    pub fn abort(&self) {
        self.shared.announced.store(true, Ordering::Release);
        self.shared.state.send_modify(|state| state.phase = Phase::Aborted);
    }

    /// Whether the shutdown was announced. Readiness is the opposite of this.
    pub fn is_announced(&self) -> bool {
        self.shared.announced.load(Ordering::Acquire)
    }

    /// Waits for the announcement.
    pub async fn announced(&self) {
        self.reaches(|_| Duration::ZERO).await;
    }

    /// Waits until the listeners are to close: the announcement and the delay after it.
    pub async fn closing(&self) {
        self.reaches(|times| times.delay).await;
    }

    /// Waits until what is still open is to be aborted: the end of the timeout, or the second signal.
    pub async fn aborted(&self) {
        self.reaches(|times| times.delay + times.timeout).await;
    }

    /// Waits until `after` has passed since the announcement, or for the abort.
    async fn reaches(&self, after: impl Fn(DrainTimes) -> Duration) {
        let mut states = self.shared.state.subscribe();
        loop {
            let State { times, phase } = *states.borrow_and_update();
            let after = after(times);
            let at = match phase {
                Phase::Aborted => return,
                Phase::Announced(at) if at.elapsed() >= after => return,
                Phase::Announced(at) => Some(at + after),
                Phase::Serving => None,
            };
            let time = async {
                match at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = time => return,
                // The sender lives in `self`, so a change is the only way this ends.
                _ = states.changed() => {}
            }
        }
    }
}

/// Catches SIGTERM and SIGINT from now on. The future obeys them: the first begins the shutdown, the second
/// aborts what is open, and then the future ends.
///
/// # Errors
/// The signals cannot be caught. Must be called inside a tokio runtime.
pub fn signals(drain: Drain) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        either(&mut terminate, &mut interrupt).await;
        tracing::info!("shutting down");
        drain.begin();
        either(&mut terminate, &mut interrupt).await;
        tracing::warn!("second signal: open requests are aborted");
        drain.abort();
    })
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Drain, DrainTimes};

    fn drain() -> Drain {
        Drain::new(DrainTimes { delay: Duration::from_secs(5), timeout: Duration::from_secs(30) })
    }

    #[tokio::test(start_paused = true)]
    async fn the_phases_follow_each_other_at_their_times() {
        let drain = drain();
        assert!(!drain.is_announced());
        drain.begin();
        let begun = Instant::now();
        assert!(drain.is_announced());
        drain.announced().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drain.closing().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
        drain.aborted().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(35));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_beginning_does_not_move_the_times() {
        let drain = drain();
        drain.begin();
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_secs(3)).await;
        drain.begin();
        drain.closing().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn times_that_change_hold_for_a_shutdown_that_begins_later() {
        let drain = drain();
        let begun = Instant::now();
        let other = DrainTimes { delay: Duration::from_secs(1), timeout: Duration::from_secs(2) };
        let waits = async { tokio::join!(drain.closing(), drain.aborted()) };
        let changes = async {
            drain.change(other);
            drain.begin();
            drain.change(DrainTimes::default());
        };
        tokio::join!(waits, changes);
        assert_eq!((begun.elapsed(), drain.times()), (Duration::from_secs(3), other));
    }

    #[tokio::test(start_paused = true)]
    async fn an_abort_ends_every_wait_at_once() {
        let drain = drain();
        drain.begin();
        let begun = Instant::now();
        let waits = async { tokio::join!(drain.closing(), drain.aborted()) };
        let abort = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drain.abort();
        };
        tokio::join!(waits, abort);
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }
}
