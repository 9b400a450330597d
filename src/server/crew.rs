//! The threads that serve connections: one for each core, each with a runtime of its own.
//!
//! A connection, the calls made for its requests and the pooled connections to backends stay on one
//! thread: nothing is stolen, nothing wakes another core. `docs/DESIGN.md` has the figures.

use std::io;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The running threads.
#[derive(Debug)]
pub(super) struct Crew {
    threads: Vec<Thread>,
}

#[derive(Debug)]
struct Thread {
    runtime: Handle,
    /// Ends the thread when it is sent or dropped.
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Crew {
    /// Starts a thread for every core that the process may use.
    pub(super) fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..cores).map(start).collect::<io::Result<_>>()?;
        Ok(Self { threads })
    }

    /// How many threads there are.
    pub(super) fn len(&self) -> usize {
        self.threads.len()
    }

    /// Their runtimes.
    pub(super) fn runtimes(&self) -> impl Iterator<Item = Handle> {
        self.threads.iter().map(|thread| thread.runtime.clone())
    }

    /// Ends the threads; what still runs on them is dropped.
    pub(super) async fn stop(self) {
        let mut threads = Vec::with_capacity(self.threads.len());
        for Thread { stop, thread, .. } in self.threads {
            // A thread that has ended already needs no telling.
            let _ = stop.send(());
            threads.push(thread);
        }
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().filter_map(|thread| thread.join().err()).count());
        if joined.await.is_ok_and(|panicked| panicked > 0) {
            tracing::error!("a worker panicked");
        }
    }
}

fn start(number: usize) -> io::Result<Thread> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let handle = runtime.handle().clone();
    let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        // Whether it is told or dropped, the thread ends.
        let _ = runtime.block_on(stopped);
    })?;
    Ok(Thread { runtime: handle, stop, thread })
}
