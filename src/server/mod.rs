//! A running gateway: the plan brought to life, its listener, its operators' address, its drain.

mod crew;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::base::diagnostic::{Diagnostic, Severity, Sources};
use crate::front::admin;
use crate::front::door::{Door, Shared};
use crate::front::listen::{Drain, DrainTimes, Drained, Limits, Listener, Worker};
use crate::plan::{self, Plan, Reflecting};
use crate::spec::{self, Asked, LookUp, Project, Reading};
use crate::transport::grpc;
use crew::Crew;

/// Diagnostics that are printed: nobody mends more at once.
const SHOWN: usize = 1_000;

/// What the command line says over the project's `gateway`.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The address for clients.
    pub listen: Option<SocketAddr>,
    /// The address for operators.
    pub admin: Option<SocketAddr>,
    /// Variables that stand before those of the process's environment.
    pub environment: HashMap<String, String>,
    /// How long a drain announces itself, and how long open requests may take after that.
    pub drain: Option<(Duration, Duration)>,
}

/// A project as loaded: its plan, or everything that is wrong with it.
#[derive(Debug)]
pub struct Loaded {
    /// The profile that was read over the project's files.
    pub profile: Option<String>,
    /// What will run; `None` when something is wrong.
    pub plan: Option<Plan>,
    /// Errors and warnings in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The text of the project's files.
    pub sources: Sources,
}

/// Reads and checks a project without a profile. Nothing is connected, nothing listens.
pub fn load(root: &Path, environment: &HashMap<String, String>) -> Loaded {
    load_project(Project { root, profile: None }, environment)
}

/// The same with a profile, if one is named, which must be one of the project's [`spec::profiles`].
pub fn load_project(project: Project<'_>, environment: &HashMap<String, String>) -> Loaded {
    let loaded = checked(|look_up| spec::read(project, look_up), (project.root, environment));
    Loaded { profile: project.profile.map(str::to_owned), ..loaded }
}

/// A project without a profile, and then with each of its profiles. Of a profile there is only what is not said
/// without it.
pub fn load_every_profile(root: &Path, environment: &HashMap<String, String>) -> Vec<Loaded> {
    let mut every = vec![load(root, environment)];
    for profile in spec::profiles(root) {
        let mut loaded = load_project(Project { root, profile: Some(&profile) }, environment);
        let Loaded { diagnostics, sources, .. } = &mut loaded;
        let said = |diagnostic: &Diagnostic, sources: &Sources| {
            let place = &diagnostic.place;
            (sources.name(place.file).to_owned(), place.bytes.clone(), diagnostic.code, diagnostic.message.clone())
        };
        let base: Vec<_> = every[0].diagnostics.iter().map(|known| said(known, &every[0].sources)).collect();
        diagnostics.retain(|diagnostic| !base.contains(&said(diagnostic, sources)));
        every.push(loaded);
    }
    every
}

/// Reads and checks a project that is held in memory: paths such as `compositions/a.yaml` and texts.
pub fn load_texts(texts: &[(&str, &str)], environment: &HashMap<String, String>) -> Loaded {
    checked(|look_up| spec::read_texts(texts, look_up), (Path::new(""), environment))
}

fn checked(read: impl FnOnce(LookUp<'_>) -> Reading, (root, environment): (&Path, &HashMap<String, String>)) -> Loaded {
    // Files of constants are those of the project, like all others that a composition names.
    let here = |path: &str| root.join(path).to_string_lossy().into_owned();
    let look_up = |asked: Asked<'_>| match asked {
        Asked::Environment(name) if environment.contains_key(name) => Ok(environment.get(name).cloned()),
        Asked::File(path) => spec::look_up_in_process(Asked::File(&here(path))),
        Asked::Beside(path) => spec::look_up_in_process(Asked::Beside(&here(path))),
        other @ Asked::Environment(_) => spec::look_up_in_process(other),
    };
    let reading = read(&look_up);
    let (plan, diagnostics) = match plan::build(&reading, (&look_up, &reflect)) {
        Ok((plan, diagnostics)) => (Some(plan), diagnostics),
        Err(diagnostics) => (None, diagnostics),
    };
    Loaded { profile: None, plan, diagnostics, sources: reading.sources }
}

/// Asks backends what they promise, side by side, on a thread of its own: whoever loads may be in a runtime.
fn reflect(backends: &[Reflecting]) -> Vec<Result<Vec<Bytes>, String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ask = || match runtime {
        Ok(runtime) => runtime.block_on(join_all(backends.iter().map(grpc::reflect))),
        Err(error) => vec![Err(error.to_string()); backends.len()],
    };
    let asked = std::thread::scope(|scope| scope.spawn(ask).join());
    asked.unwrap_or_else(|_| vec![Err("asking it broke off".to_owned()); backends.len()])
}

impl Loaded {
    /// Every diagnostic as a person reads it, and a line that counts the errors. With a profile, a line before them
    /// names it.
    pub fn render(&self) -> String {
        let shown = self.diagnostics.iter().take(SHOWN);
        let mut out: String = shown.map(|diagnostic| self.sources.render(diagnostic) + "\n").collect();
        if self.diagnostics.len() > SHOWN {
            out.push_str(&format!("… and {} more\n\n", self.diagnostics.len() - SHOWN));
        }
        let errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        let with = self.profile.as_ref().map(|profile| format!(" with the profile `{profile}`")).unwrap_or_default();
        if errors > 0 {
            let noun = if errors == 1 { "error" } else { "errors" };
            out.push_str(&format!("{errors} {noun}; nothing starts{with}\n"));
        }
        match &self.profile {
            Some(profile) if !out.is_empty() => format!("With the profile `{profile}`:\n\n{out}"),
            _ => out,
        }
    }
}

/// Why a gateway does not start, in words for people.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// A gateway that runs in this process.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    admin_address: SocketAddr,
    drain: Drain,
    serving: JoinHandle<Drained>,
    doors: Vec<Shared>,
    crew: Crew,
    admin: JoinHandle<()>,
    stop_admin: oneshot::Sender<()>,
    /// How long what runs on without its client may take at the end.
    patience: Duration,
}

impl Gateway {
    /// Starts a plan: binds both addresses, then serves.
    ///
    /// # Errors
    /// An address cannot be bound; nothing runs then.
    pub async fn start(plan: Plan, options: &Options) -> Result<Self, StartError> {
        let gateway = &plan.gateway;
        let listen = options.listen.unwrap_or(gateway.listen);
        let admin_address = options.admin.unwrap_or(gateway.admin);
        let (delay, timeout) = options.drain.unwrap_or((gateway.drain_delay, gateway.drain_timeout));
        let listener =
            Listener::bind(listen, Limits::default()).await.map_err(|error| StartError(error.to_string()))?;
        let listener = match &gateway.tls {
            Some(tls) => listener.secured(tls),
            None => listener,
        };
        let admin_listener = bind_admin(admin_address).await?;
        let admin_address = admin_listener.local_addr().unwrap_or(admin_address);
        let address = listener.local_address();
        let drain = Drain::new(DrainTimes { delay, timeout });
        let crew = Crew::start().map_err(|error| StartError(format!("a worker cannot start: {error}")))?;
        let doors = Door::for_workers(&Arc::new(plan), crew.len());
        let doors: Vec<Shared> = doors.into_iter().map(|door| Shared(Arc::new(door))).collect();
        let workers = crew.runtimes().zip(&doors).map(|(runtime, door)| Worker::new(runtime, door.clone()));
        let serving = tokio::spawn(listener.run(workers.collect(), drain.clone()));
        let (stop_admin, stopped) = oneshot::channel();
        let drift = doors.first().map(|door| door.0.drift().clone()).unwrap_or_default();
        let known = admin::Known { drain: drain.clone(), drift };
        let admin = tokio::spawn(admin::serve(admin_listener, known, async move {
            // Whether it is told or dropped, the operators' address ends with the gateway.
            let _ = stopped.await;
        }));
        Ok(Self { address, admin_address, drain, serving, doors, crew, admin, stop_admin, patience: timeout })
    }

    /// Where clients ask.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators ask.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Begins the drain when the process is told to end (SIGTERM or SIGINT; the second time at
    /// once), and waits for its end.
    ///
    /// # Errors
    /// Signals cannot be listened for.
    pub async fn run_until_signal(self) -> Result<(), StartError> {
        let signals = crate::front::listen::signals(self.drain.clone())
            .map_err(|error| StartError(format!("cannot listen for signals: {error}")))?;
        let watching = tokio::spawn(signals);
        self.finish().await;
        watching.abort();
        Ok(())
    }

    /// Drains and ends.
    pub async fn stop(self) {
        self.drain.begin();
        self.finish().await;
    }

    async fn finish(self) {
        match self.serving.await {
            Ok(Drained { aborted: 0 }) => {}
            Ok(Drained { aborted }) => tracing::warn!(aborted, "connections were cut off at the drain's timeout"),
            Err(error) => tracing::error!(%error, "the listener broke off"),
        }
        let detached = async {
            for door in &self.doors {
                door.0.detached().await;
            }
        };
        if tokio::time::timeout(self.patience, detached).await.is_err() {
            tracing::warn!("compositions that write were cut off at the drain's timeout");
        }
        self.crew.stop().await;
        // The receiver may be gone when the operators' address failed before.
        let _ = self.stop_admin.send(());
        if let Err(error) = self.admin.await {
            tracing::error!(%error, "the admin address broke off");
        }
    }
}

async fn bind_admin(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("port {} is taken by another process", address.port()),
            _ => error.to_string(),
        };
        StartError(format!("cannot listen on {address} (the admin address): {why}"))
    })
}
