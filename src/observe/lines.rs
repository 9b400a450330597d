//! The way of log lines to standard error: whoever logs hands a line over and goes on.
//!
//! A thread of its own writes them. Where nobody takes them (a pipe that is not read) or they cannot be kept (a disk that
//! is full), lines are lost and not waited for. How many is logged as soon as a line gets through again.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait to be written; further ones are lost.
const WAITING: usize = 8_192;

/// Bytes that are written in one go, once so many wait.
const PIECE: usize = 64 << 10;

/// How long the end of the process waits for what was handed over.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Where lines are handed over.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    queue: SyncSender<Handed>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Handed {
    Line(Vec<u8>),
    /// Nothing follows: the other side is told when all before it is written.
    End(SyncSender<()>),
}

impl Lines {
    /// Starts the thread that writes lines to `to`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, handed) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let writing = Writing { to, torn: false, lost: lost.clone() };
        std::thread::Builder::new().name("log".to_owned()).spawn(move || writing.run(&handed))?;
        Ok(Self { queue, lost })
    }

    /// Waits until everything that was handed over is written, but not for long.
    pub(super) fn finish(&self) {
        let until = Instant::now() + LAST_WORDS;
        let (done, written) = sync_channel(1);
        let mut end = Handed::End(done);
        while let Err(TrySendError::Full(again)) = self.queue.try_send(end) {
            if Instant::now() >= until {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
            end = again;
        }
        // Nothing is left to be done about lines that nobody takes until then.
        let _ = written.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &Lines {
    /// Takes one whole line, which is what a subscriber writes in one go. It never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Handed::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The side that writes.
struct Writing<W> {
    to: W,
    /// The last line that was begun has no end.
    torn: bool,
    lost: Arc<AtomicU64>,
}

impl<W: Write> Writing<W> {
    fn run(mut self, handed: &Receiver<Handed>) {
        let mut piece = Vec::new();
        while let Ok(first) = handed.recv() {
            let mut next = Some(first);
            let (mut lines, mut done) = (0, None);
            piece.clear();
            while let Some(now) = next.take() {
                match now {
                    Handed::Line(line) => {
                        piece.extend_from_slice(&line);
                        lines += 1;
                    }
                    Handed::End(told) => done = Some(told),
                }
                if piece.len() < PIECE && done.is_none() {
                    next = handed.try_recv().ok();
                }
            }
            // That nothing was to be written does not say that something can be.
            if lines > 0 {
                self.write(&piece, lines);
            }
            if let Some(done) = done {
                // It may have waited long enough.
                let _ = done.send(());
            }
        }
    }

    fn write(&mut self, piece: &[u8], lines: u64) {
        if self.torn && self.to.write_all(b"\n").is_ok() {
            self.torn = false;
        }
        let mut rest = piece;
        while !rest.is_empty() {
            match self.to.write(rest) {
                Ok(written) if written > 0 => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => break,
            }
        }
        let written = &piece[..piece.len() - rest.len()];
        let kept = written.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.torn |= written.last().is_some_and(|last| *last != b'\n');
        let lost = self.lost.fetch_add(lines.saturating_sub(kept), Ordering::Relaxed);
        if rest.is_empty() && lost > 0 {
            self.lost.fetch_sub(lost, Ordering::Relaxed);
            tracing::warn!(lines = lost, "the log has lost lines");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc::{Receiver, channel};
    use std::sync::{Arc, Mutex};

    use super::{Lines, PIECE, WAITING};

    /// Takes what there is room for, and then nothing until there is more.
    #[derive(Clone, Default)]
    struct Disk {
        written: Arc<Mutex<Vec<u8>>>,
        room: Arc<Mutex<usize>>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut room = self.room.lock().expect("nobody panics");
            let count = bytes.len().min(*room);
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *room -= count;
            self.written.lock().expect("nobody panics").extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Takes nothing until it is told to.
    struct Pipe(Receiver<()>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn say(lines: &Lines, line: &str) {
        let mut to = lines;
        to.write_all(line.as_bytes()).expect("it never fails");
    }

    fn lost(lines: &Lines) -> u64 {
        lines.lost.load(std::sync::atomic::Ordering::Relaxed)
    }

    #[test]
    fn lines_come_whole_and_in_order() {
        let disk = Disk { room: Arc::new(Mutex::new(usize::MAX)), ..Disk::default() };
        let lines = Lines::start(disk.clone()).expect("a thread can be had");
        let said: Vec<String> = (0..1_000).map(|number| format!("line {number}\n")).collect();
        said.iter().for_each(|line| say(&lines, line));
        lines.finish();
        assert_eq!(String::from_utf8_lossy(&disk.written.lock().expect("nobody panics")), said.concat());
    }

    #[test]
    fn a_pipe_that_nobody_reads_keeps_nobody_waiting() {
        let (read, pipe) = channel();
        let lines = Lines::start(Pipe(pipe)).expect("a thread can be had");
        (0..WAITING * 4).for_each(|_| say(&lines, "a line\n"));
        // One piece is being written, so many wait, all others are lost.
        let least = WAITING * 3 - PIECE / "a line\n".len() - 1;
        assert!((least as u64..=3 * WAITING as u64).contains(&lost(&lines)), "{}", lost(&lines));
        drop(read);
        lines.finish();
    }

    #[test]
    fn a_full_disk_loses_lines_and_tears_one_at_most() {
        let disk = Disk { room: Arc::new(Mutex::new(8)), ..Disk::default() };
        let lines = Lines::start(disk.clone()).expect("a thread can be had");
        say(&lines, "first\n");
        lines.finish();
        say(&lines, "second\n");
        lines.finish();
        lines.finish();
        assert_eq!(lost(&lines), 1);
        *disk.room.lock().expect("nobody panics") = usize::MAX;
        say(&lines, "third\n");
        lines.finish();
        assert_eq!(String::from_utf8_lossy(&disk.written.lock().expect("nobody panics")), "first\nse\nthird\n");
        assert_eq!(lost(&lines), 0);
    }
}
