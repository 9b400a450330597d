//! The commands. Exit codes: 0 fine, 1 found problems, 2 wrong usage.

mod check;
mod demo;
mod explain;
mod import;
mod schema;
mod serve;

use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base::diagnostic::did_you_mean;
use crate::observe::logging::{self, Format, Log};
use crate::plan::AccessLog;
use crate::server::{Loaded, load_project};
use crate::spec;

/// Aggregation gateway: one API for mobile and web clients over many REST and gRPC services.
#[derive(Debug, Parser)]
#[command(name = "selvedge", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts a sample store: four backends and a gateway before them, with nothing to configure
    Demo(demo::Demo),
    /// Serves a project
    Serve(serve::Serve),
    /// Checks a project: every mistake at once, with its place and what to write instead
    Check(check::Check),
    /// Explains what an endpoint or a field of the graph will do
    Explain(explain::Explain),
    /// Writes compositions from what others wrote
    Import(import::Import),
    /// Prints the JSON Schema of composition files, for editors
    Schema(schema::Schema),
}

/// Where the gateway listens, over what the project says.
#[derive(Args, Clone, Debug)]
struct Addresses {
    /// The address for clients, such as 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The address for operators: /healthz and /readyz
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
}

/// How the process logs.
#[derive(Args, Clone, Debug)]
struct Logging {
    /// The form of log lines; without it what the project says
    #[arg(long, value_name = "FORM")]
    log: Option<LogForm>,
    /// Levels, such as `info` or `warn,access=off`; without it SELVEDGE_LOG
    #[arg(long, value_name = "LEVELS")]
    log_levels: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogForm {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// A project's folder.
#[derive(Args, Clone, Debug)]
struct Project {
    /// The project's folder, with `compositions/` and, if used, `schema/` and `proto/`
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Reads `compositions/NAME/` too: what it says again counts
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

/// Why a command ends.
#[derive(Debug)]
enum End {
    /// Everything is fine.
    Fine,
    /// Problems were found and said.
    Problems,
    /// A problem that is still to be said.
    Failed(String),
    /// The command line asks for something that does not exist.
    Usage(String),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let end = match Cli::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Explain(explain) => explain.run(),
        Command::Import(import) => import.run(),
        Command::Schema(schema) => schema.run(),
    };
    match end {
        End::Fine => ExitCode::SUCCESS,
        End::Problems => ExitCode::from(1),
        End::Failed(why) => {
            say_error(&format!("error: {why}\n"));
            ExitCode::from(1)
        }
        End::Usage(why) => {
            say_error(&format!("error: {why}\n"));
            ExitCode::from(2)
        }
    }
}

/// Prints to standard output. A reader that has left is no error of the command.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

/// Prints to standard error.
fn say_error(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

impl Project {
    /// Reads and checks the project with the profile that was named, if any.
    fn load(&self) -> Result<Loaded, End> {
        let profiles = spec::profiles(&self.folder);
        if let Some(profile) = self.profile.as_ref().filter(|profile| !profiles.contains(profile)) {
            let help = did_you_mean(profile, profiles.iter().map(String::as_str));
            let folder = self.folder.join("compositions").join(profile);
            let message = format!("there is no profile `{profile}`: {} is no folder; {help}", folder.display());
            return Err(End::Usage(message.trim_end_matches("; ").to_owned()));
        }
        let project = spec::Project { root: &self.folder, profile: self.profile.as_deref() };
        Ok(load_project(project, &HashMap::new()))
    }
}

impl Logging {
    /// Starts the log in the form that the command line or the project asks for.
    fn start(&self, access_log: AccessLog) -> Result<Log, End> {
        let format = match (self.log, access_log) {
            (Some(LogForm::Json), _) | (None, AccessLog::Json) => Format::Json,
            _ => Format::Text,
        };
        let environment = std::env::var(logging::LEVELS_VARIABLE).ok();
        let levels = self.log_levels.clone().or(environment).unwrap_or_else(|| "info".to_owned());
        let levels = if access_log == AccessLog::Off { format!("{levels},access=off") } else { levels };
        logging::start(format, Some(&levels)).map_err(|error| End::Usage(error.to_string()))
    }
}

/// How long the threads rest that have read a project anew, before they end.
const READING_RESTS: Duration = Duration::from_secs(1);

/// The runtime of what stands around the workers: accepting, the admin address, signals.
fn runtime() -> Result<tokio::runtime::Runtime, End> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_keep_alive(READING_RESTS)
        .enable_all()
        .build()
        .map_err(|error| End::Failed(format!("the runtime cannot start: {error}")))
}
