//! The process log: lines on stderr, as text for people or JSON for collectors.

use std::error::Error;
use std::fmt;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

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

/// Starts the log of this process.
///
/// `levels` is a list of `level` and `target=level` (`off`, `error`, `warn`, `info`, `debug`, `trace`);
/// without it [`LEVELS_VARIABLE`] is used, and then `info`.
///
/// # Errors
/// The levels cannot be read, or the log was started before.
pub fn start(format: Format, levels: Option<&str>) -> Result<(), LogError> {
    let from_environment = std::env::var(LEVELS_VARIABLE).ok();
    let levels = levels.or(from_environment.as_deref()).unwrap_or(LEVELS);
    let filter = read_levels(levels)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        Format::Text => lines.with_ansi(std::io::stderr().is_terminal()).finish().try_init(),
        Format::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).finish().try_init()
        }
    };
    started.map_err(|_| LogError::Started)
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
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Levels { levels, why } => {
                write!(f, "the log levels {levels:?} cannot be read ({why}); write them like info,access=off")
            }
            Self::Started => f.write_str("the log was started before"),
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
