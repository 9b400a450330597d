//! `selvedge serve` as the section `gateway` of a project sets it: where it listens, what it logs, how it ends.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::claim::claims;
use crate::project::Project;

claims![it_listens_and_logs_as_the_project_says_and_ends_in_its_time, without_an_access_log_requests_leave_no_line,];

/// The endpoints that are asked.
const ONE: &str = "  ANY /one: { result: 1 }\n";

/// What is left of a drain that nothing is written for, at least.
const USUAL_DELAY: Duration = Duration::from_secs(5);

fn it_listens_and_logs_as_the_project_says_and_ends_in_its_time() -> Result<(), String> {
    let gateway = "listen: 127.0.0.2:0\n  admin: { listen: 127.0.0.3:0 }\n  access_log: json\n  \
                   shutdown: { delay: 10ms, timeout: 50ms }";
    let mut serving = Serving::start_with("serve/told", gateway, ONE)?;
    assert!(serving.clients.ip().to_string() == "127.0.0.2", "{}", serving.clients);
    assert!(serving.operators.ip().to_string() == "127.0.0.3", "{}", serving.operators);
    ask(serving.operators, "GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
    ask(serving.clients, "GET /one HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
    let access = serving.line(|line| line["target"] == "access")?;
    assert_eq!(access["http.route"], "/one");
    // A request that never ends would be waited for.
    let mut open = TcpStream::connect(serving.clients).map_err(|error| error.to_string())?;
    open.write_all(b"POST /one HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n").map_err(|error| error.to_string())?;
    let took = serving.end()?;
    assert!(took < USUAL_DELAY, "it took {took:?} to end");
    Ok(())
}

fn without_an_access_log_requests_leave_no_line() -> Result<(), String> {
    let gateway = "listen: 127.0.0.1:0\n  admin: { listen: 127.0.0.1:0 }\n  access_log: \"off\"\n  \
                   shutdown: { delay: 10ms, timeout: 50ms }";
    let mut serving = Serving::start_with("serve/silent", gateway, ONE)?;
    ask(serving.clients, "GET /one HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
    interrupt(&serving.process)?;
    let mut lines = Vec::new();
    while let Some(line) = serving.next()? {
        lines.push(line);
    }
    assert!(lines.iter().any(|line| line.contains("shutting down")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("/one")), "{lines:?}");
    Ok(())
}

/// The command while it serves; ended when dropped.
pub(crate) struct Serving {
    process: Child,
    log: BufReader<std::process::ChildStderr>,
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
    /// Starts a project of these endpoints, and what stands behind them, on ports of its own.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub(crate) fn start(name: &str, endpoints: &str) -> Result<Self, String> {
        let gateway =
            "listen: 127.0.0.1:0\n  admin: { listen: 127.0.0.1:0 }\n  shutdown: { delay: 10ms, timeout: 50ms }";
        Self::start_with(name, gateway, endpoints)
    }

    fn start_with(name: &str, gateway: &str, endpoints: &str) -> Result<Self, String> {
        let text = format!("gateway:\n  {gateway}\nendpoints:\n{endpoints}");
        let project = Project::write(name, &[("compositions/main.yaml".to_owned(), text)])?;
        Self::start_project(project.root(), &[])
    }

    /// Starts the project in `root`, with further arguments.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub(crate) fn start_project(root: &Path, arguments: &[&str]) -> Result<Self, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
        command.args(["serve", "--log", "json"]).args(arguments).arg(root).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(|error| error.to_string())?;
        let log = BufReader::new(process.stderr.take().ok_or("no standard error")?);
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut serving = Self { process, log, clients: nowhere, operators: nowhere };
        let said = serving.line(|line| line["message"] == "serving")?;
        let address = |name: &str| said[name].as_str().and_then(|text| text.parse().ok()).ok_or(said.to_string());
        (serving.clients, serving.operators) = (address("clients")?, address("operators")?);
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
        signal(&self.process, name)
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
        interrupt(&self.process)?;
        let mut rest = Vec::new();
        while let Some(line) = self.next()? {
            rest.push(serde_json::from_str::<Value>(&line).map_err(|error| format!("{line}: {error}"))?);
        }
        rest.retain(|line| line["target"] == "access");
        Ok(rest)
    }

    /// The next line of the log that fits.
    ///
    /// # Errors
    /// The log ends before.
    pub(crate) fn line(&mut self, fits: impl Fn(&Value) -> bool) -> Result<Value, String> {
        while let Some(line) = self.next()? {
            let line = serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"))?;
            if fits(&line) {
                return Ok(line);
            }
        }
        Err("the log ended".into())
    }

    fn next(&mut self) -> Result<Option<String>, String> {
        let mut line = String::new();
        let length = self.log.read_line(&mut line).map_err(|error| error.to_string())?;
        Ok((length > 0).then_some(line))
    }

    /// Interrupts it; how long it took to end.
    fn end(&mut self) -> Result<Duration, String> {
        let since = Instant::now();
        interrupt(&self.process)?;
        self.process.wait().map_err(|error| error.to_string())?;
        Ok(since.elapsed())
    }
}

fn interrupt(process: &Child) -> Result<(), String> {
    signal(process, "INT")
}

fn signal(process: &Child, name: &str) -> Result<(), String> {
    let told = Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status();
    told.map_err(|error| error.to_string())?.success().then_some(()).ok_or("it had ended".into())
}

/// Asks, and waits for the whole answer, which must be a success.
fn ask(address: SocketAddr, request: &str) -> Result<(), String> {
    let answer = exchange(address, request)?;
    answer.starts_with("HTTP/1.1 200").then_some(()).ok_or(answer)
}

fn exchange(address: SocketAddr, request: &str) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).map_err(|error| error.to_string())?;
    Ok(answer)
}
