//! The gateway as the tests start and ask it: the only file here that names the library's own types.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use selvedge::base::diagnostic::{Diagnostic, Sources};
use selvedge::server::{Asking, Gateway, Options, Source, Watching, load_every_profile, load_project, load_texts};
use selvedge::spec::Project;

use crate::serve::Serving;

/// A gateway on ports of its own.
pub(crate) enum Running {
    /// In this process.
    Here(Gateway),
    /// The command, in a process of its own.
    Command(Serving),
}

impl Running {
    /// Starts the project in `root`.
    ///
    /// # Errors
    /// The rendered diagnostics of a project that does not start.
    pub(crate) async fn start(root: &Path) -> Result<Self, String> {
        Self::start_with(root, None).await
    }

    /// Starts the project in `root` with one of its profiles, if one is named. It listens on 127.0.0.1, or where the
    /// project says an address whose port is 0.
    ///
    /// # Errors
    /// The rendered diagnostics of a project that does not start.
    pub(crate) async fn start_with(root: &Path, profile: Option<&str>) -> Result<Self, String> {
        Self::start_as(root, profile, Asking::default()).await
    }

    async fn start_as(root: &Path, profile: Option<&str>, asking: Asking) -> Result<Self, String> {
        let loaded = load_project(Project { root, profile }, &HashMap::new());
        let shown = loaded.render();
        let plan = loaded.plan.ok_or(shown)?;
        let any_port = |said: SocketAddr| (said.port() != 0).then(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let (listen, admin) = (any_port(plan.gateway.listen), any_port(plan.gateway.admin));
        let drain = Some((Duration::ZERO, Duration::from_secs(2)));
        let source = Some(Source { watching: Watching::Off, asking, ..Source::new(root, profile, loaded.inputs) });
        let options = Options { listen, admin, drain, source, ..Options::default() };
        Gateway::start(plan, options).await.map(Self::Here).map_err(|error| error.to_string())
    }

    /// Starts the project in `root`, and asks backends that say themselves what they promise `every` so long, and when
    /// there is doubt as soon as `pause` has passed since the last time.
    ///
    /// # Errors
    /// The rendered diagnostics of a project that does not start.
    pub(crate) async fn start_asking(root: &Path, every: Duration, pause: Duration) -> Result<Self, String> {
        Self::start_as(root, None, Asking { every, pause }).await
    }

    /// Starts the command with the project in `root`, which says itself where it listens and how it ends.
    ///
    /// # Errors
    /// What it says when it does not start.
    pub(crate) fn command(root: &Path, profile: Option<&str>) -> Result<Self, String> {
        let profile = profile.map(|profile| ["--profile", profile]);
        Serving::of(root, profile.as_ref().map_or(&[], |words| words.as_slice())).map(Self::Command)
    }

    /// Where clients ask.
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Here(gateway) => gateway.address(),
            Self::Command(serving) => serving.clients,
        }
    }

    /// Where operators ask.
    pub(crate) fn admin_address(&self) -> SocketAddr {
        match self {
            Self::Here(gateway) => gateway.admin_address(),
            Self::Command(serving) => serving.operators,
        }
    }

    /// The command, if it is that.
    ///
    /// # Errors
    /// It runs in this process.
    pub(crate) fn process(&self) -> Result<&Serving, String> {
        match self {
            Self::Here(_) => Err("the gateway is no process of its own".into()),
            Self::Command(serving) => Ok(serving),
        }
    }

    /// Ends it, in order if it is in this process.
    pub(crate) async fn stop(self) {
        if let Self::Here(gateway) = self {
            gateway.stop().await;
        }
    }
}

/// One thing that `selvedge check` says about a project.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The stable name of the kind of mistake.
    pub(crate) code: String,
    /// The file, below the project folder.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: String,
}

/// What `selvedge check` finds in a project.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// Whether the project starts.
    pub(crate) starts: bool,
    /// Each thing that it says.
    pub(crate) said: Vec<Said>,
    /// The same as text for people.
    pub(crate) text: String,
}

/// Checks the project in `root`, as it is and with each of its profiles.
pub(crate) fn check(root: &Path) -> Check {
    let every = load_every_profile(root, &HashMap::new());
    let found = every.iter().flat_map(|loaded| loaded.diagnostics.iter().map(|found| said(found, &loaded.sources)));
    Check {
        starts: every.iter().all(|loaded| loaded.plan.is_some()),
        said: found.collect(),
        text: every.iter().map(|loaded| loaded.render()).collect(),
    }
}

/// Checks a project that is held in memory: paths such as `compositions/a.yaml`, and texts.
pub(crate) fn check_texts(files: &[(&str, &str)]) -> Check {
    let loaded = load_texts(files, &HashMap::new());
    let said = loaded.diagnostics.iter().map(|diagnostic| said(diagnostic, &loaded.sources)).collect();
    Check { starts: loaded.plan.is_some(), said, text: loaded.render() }
}

fn said(diagnostic: &Diagnostic, sources: &Sources) -> Said {
    let (line, column) = sources.position(diagnostic.place.file, diagnostic.place.bytes.start);
    Said {
        code: diagnostic.code.to_owned(),
        file: sources.name(diagnostic.place.file).to_owned(),
        line,
        column,
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
    }
}
