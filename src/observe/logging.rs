//! The process log: lines on stderr, as text for people or JSON for collectors.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use super::lines::Lines;

/// The environment variable that sets the levels when no option does, such as `info,access=off`.
pub const LEVELS_VARIABLE: &str = "SELVEDGE_LOG";

/// The levels when neither an option nor [`LEVELS_VARIABLE`] sets them.
const LEVELS: &str = "info";

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One readable line each, coloured on a terminal.
    #[default]
    Text,
    /// One JSON object each; the fields of the event are members of the object.
    Json,
}

/// The log of this process. When it is dropped, what was logged is written, for a second at most.
#[derive(Debug)]
#[must_use = "the last lines are written when it is dropped"]
pub struct Log(Lines);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Starts the log of this process. Nobody who logs waits for it.
///
/// `levels` is a list of `level` and `target=level` (`off`, `error`, `warn`, `info`, `debug`, `trace`);
/// without it [`LEVELS_VARIABLE`] is used, and then `info`.
///
/// # Errors
/// The levels cannot be read, the log was started before, or the system gives no thread for it.
pub fn start(format: Format, levels: Option<&str>) -> Result<Log, LogError> {
    let from_environment = std::env::var(LEVELS_VARIABLE).ok();
    let levels = levels.or(from_environment.as_deref()).unwrap_or(LEVELS);
    let filter = read_levels(levels)?;
    let queue = lines_to_stderr().map_err(|error| LogError::System(error.to_string()))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(queue.clone());
    let started = match format {
        Format::Text => lines.with_ansi(io::stderr().is_terminal()).finish().try_init(),
        Format::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).finish().try_init()
        }
    };
    started.map(|()| Log(queue)).map_err(|_| LogError::Started)
}

/// Lines go to standard error by a descriptor of their own: one that is never taken would hold the lock that everybody
/// else needs who prints there.
fn lines_to_stderr() -> io::Result<Lines> {
    Lines::start(File::from(io::stderr().as_fd().try_clone_to_owned()?))
}

fn read_levels(levels: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder()
        .parse(levels)
        .map_err(|error| LogError::Levels { levels: levels.to_owned(), why: error.to_string() })
}

/// Why the log did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogError {
    /// The levels cannot be read.
    Levels {
        /// As they were given.
        levels: String,
        /// What is wrong with them.
        why: String,
    },
    /// The log was started before.
    Started,
    /// The system has no thread or no descriptor for it; what it says.
    System(String),
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Levels { levels, why } => {
                write!(f, "the log levels {levels:?} cannot be read ({why}); write them like info,access=off")
            }
            Self::Started => f.write_str("the log was started before"),
            Self::System(why) => write!(f, "the log cannot start: {why}"),
        }
    }
}

impl Error for LogError {}

#[cfg(test)]
mod tests {
    use super::{LogError, read_levels};

    #[test]
    fn levels_are_a_level_and_exceptions_by_target() {
        for levels in ["info", "warn,access=off", "debug,hyper=warn,h2=warn"] {
            assert!(read_levels(levels).is_ok(), "{levels}");
        }
    }

    #[test]
    fn unreadable_levels_are_named_in_the_error() {
        let Err(LogError::Levels { levels, why }) = read_levels("access=loud") else {
            unreachable!("loud is no level");
        };
        assert_eq!(levels, "access=loud");
        assert!(!why.is_empty());
    }
}
