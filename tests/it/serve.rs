//! `selvedge serve` in a process of its own: what it logs, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::project::Project;

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The command while it serves; ended when dropped.
pub(crate) struct Serving {
    process: Child,
    /// The lines of its log that were not taken yet.
    log: Receiver<String>,
    /// When it was told to end.
    told: OnceLock<Instant>,
    /// When it ended.
    ended: Arc<OnceLock<Instant>>,
    /// Where clients ask.
    pub(crate) clients: SocketAddr,
    /// Where operators ask.
    pub(crate) operators: SocketAddr,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Serving {
    /// Starts a project of these endpoints, and what stands behind them, on ports of its own, with a log in JSON.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub(crate) fn start(name: &str, endpoints: &str) -> Result<Self, String> {
        let gateway =
            "listen: 127.0.0.1:0\n  admin: { listen: 127.0.0.1:0 }\n  shutdown: { delay: 10ms, timeout: 50ms }";
        let text = format!("gateway:\n  {gateway}\nendpoints:\n{endpoints}");
        let project = Project::write(name, &[("compositions/main.yaml".to_owned(), text)])?;
        Self::start_project(project.root(), &[])
    }

    /// Starts the project in `root` with a log in JSON, with further options.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub(crate) fn start_project(root: &Path, options: &[&str]) -> Result<Self, String> {
        Self::of(root, &[&["--log", "json"], options].concat())
    }

    /// Starts the project in `root` with these options.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub(crate) fn of(root: &Path, options: &[&str]) -> Result<Self, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
        command.arg("serve").args(options).arg(root);
        Self::spawn(&mut command)
    }

    /// Starts the project in `root` with one or two sockets, as systemd hands them over.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub(crate) fn start_with_sockets(root: &Path, sockets: &[&dyn AsFd]) -> Result<Self, String> {
        let handed = |socket: &&dyn AsFd| socket.as_fd().try_clone_to_owned().map_err(|error| error.to_string());
        let mut sockets = sockets.iter().map(handed);
        let count = sockets.len();
        let mut command = Command::new("sh");
        let script = "exec 3<&0 4<&1; exec </dev/null >/dev/null; export LISTEN_PID=$$; exec \"$@\"";
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_selvedge"), "serve", "--log", "json"]).arg(root);
        command.env("LISTEN_FDS", count.to_string());
        command.stdin(sockets.next().transpose()?.map_or(Stdio::null(), Stdio::from));
        command.stdout(sockets.next().transpose()?.map_or(Stdio::null(), Stdio::from));
        Self::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Result<Self, String> {
        let mut process = command.stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let written = BufReader::new(process.stderr.take().ok_or("no standard error")?);
        let ((sender, log), ended) = (channel(), Arc::new(OnceLock::new()));
        let end = ended.clone();
        std::thread::spawn(move || {
            for line in written.lines().map_while(Result::ok) {
                // Nobody may be left to read it.
                let _ = sender.send(line);
            }
            let _ = end.set(Instant::now());
        });
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut serving = Self { process, log, told: OnceLock::new(), ended, clients: nowhere, operators: nowhere };
        let mut said = Vec::new();
        while serving.operators == nowhere {
            let line = serving.log.recv().map_err(|_| said.join("\n"))?;
            if let (Some(clients), Some(operators)) = (address(&line, "clients"), address(&line, "operators")) {
                (serving.clients, serving.operators) = (clients, operators);
            }
            said.push(line);
        }
        Ok(serving)
    }

    /// Asks, and waits for the whole answer.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn ask(&self, request: &str) -> Result<String, String> {
        exchange(self.clients, request)
    }

    /// Asks at the operators' address, and waits for the whole answer.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn ask_operators(&self, request: &str) -> Result<String, String> {
        exchange(self.operators, request)
    }

    /// Sends a signal, such as `HUP`.
    ///
    /// # Errors
    /// The process has ended.
    pub(crate) fn signal(&self, name: &str) -> Result<(), String> {
        let told = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        told.map_err(|error| error.to_string())?.success().then_some(()).ok_or("it had ended".into())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It did not end as it should.
    pub(crate) fn ended(&mut self) -> Result<(), String> {
        let status = self.process.wait().map_err(|error| error.to_string())?;
        status.success().then_some(()).ok_or(format!("it ended with {status}"))
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The next line of the access log.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn access(&mut self) -> Result<Value, String> {
        self.line(|line| line["target"] == "access")
    }

    /// Ends it; the lines of the access log that were not taken.
    ///
    /// # Errors
    /// A line that is no JSON.
    pub(crate) fn rest_of_access(&mut self) -> Result<Vec<Value>, String> {
        self.tell_to_end()?;
        let mut rest = Vec::new();
        while let Ok(line) = self.log.recv() {
            rest.push(serde_json::from_str::<Value>(&line).map_err(|error| format!("{line}: {error}"))?);
        }
        rest.retain(|line| line["target"] == "access");
        Ok(rest)
    }

    /// The next line of the log in JSON that fits.
    ///
    /// # Errors
    /// The log ends before.
    pub(crate) fn line(&mut self, fits: impl Fn(&Value) -> bool) -> Result<Value, String> {
        while let Ok(line) = self.log.recv() {
            let line = serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"))?;
            if fits(&line) {
                return Ok(line);
            }
        }
        Err("the log ended".into())
    }

    /// The lines of the access log that have come and were not taken, in whatever form.
    pub(crate) fn new_access(&self) -> Vec<String> {
        let is_access = |line: &String| line.contains(" access: ") || line.contains("\"target\":\"access\"");
        self.log.try_iter().filter(is_access).collect()
    }

    /// Sends the signal that begins the drain.
    ///
    /// # Errors
    /// It had ended.
    pub(crate) fn tell_to_end(&self) -> Result<(), String> {
        let _ = self.told.set(Instant::now());
        self.signal("TERM")
    }

    /// Waits for its end; how long that took since it was told.
    ///
    /// # Errors
    /// It was not told, or does not end.
    pub(crate) async fn end(&self) -> Result<Duration, String> {
        let told = *self.told.get().ok_or("it was not told to end")?;
        while told.elapsed() < PATIENCE {
            if let Some(ended) = self.ended.get() {
                return Ok(*ended - told);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err("it does not end".into())
    }
}

/// Asks, and waits for the whole answer.
///
/// # Errors
/// There is none.
pub(crate) fn exchange(address: SocketAddr, request: &str) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    Ok(answer)
}

/// The address that a line of the log gives a name, as text or as JSON.
fn address(line: &str, name: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(name)?;
    let rest = rest.trim_start_matches(['"', ':', '=']);
    rest.split(['"', ' ', ',']).next()?.parse().ok()
}
