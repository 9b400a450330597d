//! The gateway under test as its operator sees it: a process, its log, and what `/proc` says of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// How a gateway is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// What a shell does first, such as `ulimit -n 256`.
    pub(crate) first: Option<&'static str>,
    /// Where the log goes once the gateway serves.
    pub(crate) log: LogTo,
}

/// Where a log goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogTo {
    /// To the harness, line by line.
    #[default]
    Harness,
    /// To a pipe that nobody reads any more, until [`Log::resume`].
    Nobody,
    /// To a disk that is full.
    FullDisk,
}

/// A running gateway; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    id: u32,
    /// Where clients ask.
    pub(crate) clients: SocketAddr,
    /// Where operators ask.
    pub(crate) operators: SocketAddr,
    pub(crate) log: Log,
}

/// What the log has said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Lines>>, Arc<Notify>);

#[derive(Debug, Default)]
struct Lines {
    access: u64,
    /// Lines of requests that ended with 499.
    left: u64,
    /// Lines that the gateway says it has lost.
    lost: u64,
    /// What only the log may read of failures.
    told: Vec<String>,
    /// Lines that are no JSON, such as those of a panic.
    strange: Vec<String>,
}

impl Log {
    /// Lines of the access log.
    pub(crate) fn access(&self) -> u64 {
        self.with(|lines| lines.access)
    }

    /// Lines of clients who left.
    pub(crate) fn left(&self) -> u64 {
        self.with(|lines| lines.left)
    }

    /// Lines that the gateway says it has lost.
    pub(crate) fn lost(&self) -> u64 {
        self.with(|lines| lines.lost)
    }

    /// Takes what stands in a pipe that was [`LogTo::Nobody`]'s.
    pub(crate) fn resume(&self) {
        self.1.notify_one();
    }

    /// The first line that is no event.
    pub(crate) fn strange(&self) -> Option<String> {
        self.with(|lines| lines.strange.first().cloned())
    }

    /// Whether it says this of a failure, by now or in a second.
    pub(crate) async fn says(&self, word: &str) -> bool {
        until(Duration::from_secs(1), || self.with(|lines| lines.told.iter().any(|told| told.contains(word))))
            .await
            .is_some()
    }

    /// Why it does not serve.
    fn said(&self) -> String {
        self.strange().unwrap_or_else(|| "it does not serve".to_owned())
    }

    fn with<T>(&self, what: impl FnOnce(&mut Lines) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a line; the event, if it is one.
    fn take(&self, line: &str) -> Option<Value> {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            self.with(|lines| lines.strange.push(line.to_owned()));
            return None;
        };
        if event["target"] == "access" {
            self.with(|lines| {
                lines.access += 1;
                lines.left += u64::from(event["http.response.status_code"] == 499);
            });
        }
        if event["message"] == "the log has lost lines" {
            self.with(|lines| lines.lost += event["lines"].as_u64().unwrap_or(0));
        }
        if let Some(told) = event["log"].as_str() {
            self.with(|lines| lines.told.push(told.to_owned()));
        }
        Some(event)
    }
}

/// What a process holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    pub(crate) descriptors: usize,
    pub(crate) threads: u64,
    /// KiB.
    pub(crate) memory: u64,
    /// The most that it ever was, in KiB.
    pub(crate) peak: u64,
    /// Time of a processor since it began.
    pub(crate) processor: Duration,
}

/// Any free port.
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// How long a gateway may take to start.
const STARTING: Duration = Duration::from_secs(20);

impl Process {
    /// Starts `serve` for a project, on ports of its own.
    ///
    /// # Errors
    /// What it said instead of serving.
    pub(crate) async fn start(binary: &Path, root: &Path, start: &Start) -> Result<Self, String> {
        let mut command = Command::new("sh");
        let first = start.first.map_or(String::new(), |first| format!("{first}; "));
        let (elsewhere, listen) = match start.log {
            // Nothing can be read there, the addresses neither.
            LogTo::FullDisk => (" 2>/dev/full", free_ports().await.map_err(|error| error.to_string())?),
            LogTo::Harness | LogTo::Nobody => ("", (ANY_PORT, ANY_PORT)),
        };
        command.args(["-c", &format!("{first}exec \"$0\" \"$@\"{elsewhere}")]).arg(binary);
        command.args(["serve", "--log", "json", "--listen", &listen.0.to_string(), "--admin", &listen.1.to_string()]);
        command.arg(root).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let id = child.id().ok_or("it ended at once")?;
        let stderr = child.stderr.take().ok_or("it has no standard error")?;
        let log = Log::default();
        let (said, mut heard) = watch::channel(None);
        tokio::spawn(read(stderr, log.clone(), (said, start.log)));
        let mut process = Self { child, id, clients: listen.0, operators: listen.1, log };
        if start.log != LogTo::FullDisk {
            let serving = timeout(STARTING, heard.wait_for(Option::is_some)).await;
            let serving = serving.ok().and_then(Result::ok).and_then(|addresses| *addresses);
            (process.clients, process.operators) = serving.ok_or_else(|| process.log.said())?;
        }
        let since = Instant::now();
        while process.ready().await != Some(200) {
            if since.elapsed() > STARTING || process.held().is_none() {
                return Err(process.log.said());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(process)
    }

    /// The status of `/readyz`; `None` when nobody answers.
    pub(crate) async fn ready(&self) -> Option<u16> {
        crate::load::ask(self.operators, &crate::load::Ask::get("/readyz")).await.status()
    }

    /// What it holds now; `None` when it has ended.
    pub(crate) fn held(&self) -> Option<Held> {
        let file = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", self.id)).ok();
        let status = file("status")?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", self.id)).ok()?.count();
        let stat = file("stat")?;
        let mut times = stat.rsplit(") ").next()?.split(' ').skip(11).map_while(|time| time.parse::<u64>().ok());
        let ticks = times.next()? + times.next()?;
        // The kernel counts in hundredths of a second on every machine that runs Linux (USER_HZ).
        let processor = Duration::from_millis(ticks * 10);
        let (threads, memory, peak) = (field("Threads:")?, field("VmRSS:")?, field("VmHWM:")?);
        Some(Held { descriptors, threads, memory, peak, processor })
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) async fn signal(&self, name: &str) {
        let _ = Command::new("kill").args([&format!("-{name}"), &self.id.to_string()]).status().await;
    }

    /// Waits for its end; `None` when it does not come in time.
    pub(crate) async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        timeout(within, self.child.wait()).await.ok()?.ok()
    }
}

/// Connections of this machine to `address`: all of them, and those that still wait to be answered.
pub(crate) fn connections_to(address: SocketAddr) -> (usize, usize) {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let SocketAddr::V4(address) = address else { return (0, 0) };
    let there = format!("{:08X}:{:04X}", u32::from_le_bytes(address.ip().octets()), address.port());
    let states = table.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(2);
        (words.next()? == there).then(|| words.next())?
    });
    // 01 is ESTABLISHED and 02 SYN_SENT (include/net/tcp_states.h).
    let open: Vec<&str> = states.filter(|state| ["01", "02"].contains(state)).collect();
    (open.len(), open.iter().filter(|state| **state == "02").count())
}

/// Where clients and operators ask.
type Addresses = (SocketAddr, SocketAddr);

async fn read(stderr: ChildStderr, log: Log, (said, to): (watch::Sender<Option<Addresses>>, LogTo)) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Some(event) = log.take(&line) else { continue };
        if event["message"] == "serving" {
            let address = |name: &str| event[name].as_str().and_then(|text| text.parse().ok());
            said.send_replace(address("clients").zip(address("operators")));
            if to == LogTo::Nobody {
                log.1.notified().await;
            }
        }
    }
}

/// Two addresses that nobody listens at.
async fn free_ports() -> std::io::Result<Addresses> {
    let one = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    Ok((one.local_addr()?, other.local_addr()?))
}

/// What `check` says of a project.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) status: ExitStatus,
    pub(crate) took: Duration,
    /// The code and the message of each mistake.
    pub(crate) mistakes: Vec<(String, String)>,
}

/// Asks `check` about a project.
///
/// # Errors
/// It does not run, or says something that is no report.
pub(crate) async fn check(binary: &Path, root: &Path) -> Result<Checked, String> {
    let since = Instant::now();
    let mut command = Command::new(binary);
    command.args(["check", "--json"]).arg(root).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(STARTING, command.output()).await.map_err(|_| "check takes too long".to_owned())?;
    let output = output.map_err(|error| format!("{}: {error}", binary.display()))?;
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("check: {error}"))?;
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let found = report["diagnostics"].as_array().into_iter().flatten();
    let mistakes = found.filter(|found| found["severity"] == "error");
    Ok(Checked {
        status: output.status,
        took: since.elapsed(),
        mistakes: mistakes.map(|found| (text(found, "code"), text(found, "message"))).collect(),
    })
}

/// Runs `serve` for a project that should not start: its status, how long it took, what it said.
///
/// # Errors
/// It serves.
pub(crate) async fn refuses(binary: &Path, root: PathBuf) -> Result<(ExitStatus, Duration, String), String> {
    let since = Instant::now();
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).arg(root);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(Duration::from_secs(5), command.output()).await.map_err(|_| "it starts".to_owned())?;
    let output = output.map_err(|error| error.to_string())?;
    Ok((output.status, since.elapsed(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Waits a little at a time until something holds, at most `within`; how long it took.
pub(crate) async fn until(within: Duration, mut holds: impl FnMut() -> bool) -> Option<Duration> {
    let since = Instant::now();
    loop {
        if holds() {
            return Some(since.elapsed());
        }
        if since.elapsed() > within {
            return None;
        }
        sleep(Duration::from_millis(10)).await;
    }
}
