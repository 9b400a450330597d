//! A running gateway: the plan brought to life, its listener, its operators' address, its reloads, its drain.

mod crew;
mod inputs;
mod load;
mod memory;
mod reflections;
mod reload;
mod sockets;
mod watch;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

use crate::front::admin;
use crate::front::entrance::{Doors, Entrance};
use crate::front::listen::{Drain, DrainTimes, Drained, Limits, Listener, Worker};
use crate::observe::reload::Reloads;
use crate::plan::{self, Fixed, Plan};
use crew::Crew;
use reload::{HeldTo, Reloader};

pub use inputs::Inputs;
pub use load::{Loaded, load, load_every_profile, load_project, load_texts};
pub use reload::{Asking, Source, Watching};
pub use sockets::Sockets;

/// How long a gateway that ends waits until its store has heard of what was thrown away.
const TELLING: Duration = Duration::from_millis(500);

/// What the command line says over the project's `gateway`.
#[derive(Debug, Default)]
pub struct Options {
    /// The address for clients.
    pub listen: Option<SocketAddr>,
    /// The address for operators.
    pub admin: Option<SocketAddr>,
    /// Variables that stand before those of the process's environment.
    pub environment: HashMap<String, String>,
    /// How long a drain announces itself, and how long open requests may take after that.
    pub drain: Option<(Duration, Duration)>,
    /// Where the project is read again when it changes; without it, it never is.
    pub source: Option<Source>,
    /// Sockets that listen already, in place of addresses.
    pub sockets: Sockets,
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
    entrance: Arc<Entrance>,
    crew: Crew,
    admin: JoinHandle<()>,
    stop_admin: oneshot::Sender<()>,
    /// Looks after memory for as long as this is here.
    _memory: AbortOnDropHandle<()>,
}

impl Gateway {
    /// Starts a plan: binds both addresses, then serves.
    ///
    /// # Errors
    /// An address cannot be bound; nothing runs then.
    pub async fn start(plan: Plan, options: Options) -> Result<Self, StartError> {
        let gateway = &plan.gateway;
        let (delay, timeout) = options.drain.unwrap_or((gateway.drain_delay, gateway.drain_timeout));
        let fixed = options.fixed(gateway);
        let Sockets { clients, operators } = options.sockets;
        let listener = listen(clients, options.listen.unwrap_or(gateway.listen)).await?;
        let admin_address = options.admin.unwrap_or(gateway.admin);
        let admin_listener = listen_for_operators(operators, admin_address).await?;
        let admin_address = admin_listener.local_addr().unwrap_or(admin_address);
        let address = listener.local_address();
        let drain = Drain::new(DrainTimes { delay, timeout });
        let crew = Crew::start().map_err(|error| StartError(format!("a worker cannot start: {error}")))?;
        let doors = Doors::new(&Arc::new(plan), crew.len());
        doors.looked().await;
        let entrance = Arc::new(Entrance::new(doors));
        let workers = crew.runtimes().enumerate().map(|(worker, runtime)| Worker::new(runtime, entrance.way(worker)));
        let serving = tokio::spawn(listener.run(workers.collect(), drain.clone()));
        let (stop_admin, stopped) = oneshot::channel();
        let (ask, asked) = mpsc::channel(1);
        let reloads = Arc::<Reloads>::default();
        if let Some(source) = options.source {
            let held_to = HeldTo { environment: options.environment, fixed, tells_drain: options.drain.is_none() };
            let reloader = Reloader::new(source, held_to, (&entrance, &reloads, &drain));
            tokio::spawn(reloader.run(asked)?);
        }
        let known = admin::Known { drain: drain.clone(), entrance: entrance.clone(), reloads, ask };
        let memory = memory::watch(entrance.clone());
        let admin = tokio::spawn(admin::serve(admin_listener, known, async move {
            // Whether it is told or dropped, the operators' address ends with the gateway.
            let _ = stopped.await;
        }));
        Ok(Self { address, admin_address, drain, serving, entrance, crew, admin, stop_admin, _memory: memory })
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
        let doors = self.entrance.doors();
        // What runs on without its client may take as long again.
        if tokio::time::timeout(self.drain.times().timeout, doors.detached()).await.is_err() {
            tracing::warn!("compositions that write were cut off at the drain's timeout");
        }
        if let Some(store) = doors.shared().store() {
            // Other replicas are to know of what the last writes threw away; a store that is away is not waited for.
            let _ = tokio::time::timeout(TELLING, store.settled()).await;
        }
        self.crew.stop().await;
        // The receiver may be gone when the operators' address failed before.
        let _ = self.stop_admin.send(());
        if let Err(error) = self.admin.await {
            tracing::error!(%error, "the admin address broke off");
        }
    }
}

impl Options {
    /// What of the project's `gateway` cannot change: what nothing stands over.
    fn fixed(&self, gateway: &plan::Gateway) -> Fixed {
        let fixed = Fixed::of(gateway);
        Fixed {
            listen: fixed.listen.filter(|_| self.listen.is_none() && self.sockets.clients.is_none()),
            admin: fixed.admin.filter(|_| self.admin.is_none() && self.sockets.operators.is_none()),
            ..fixed
        }
    }
}

/// Listens for clients, on the socket that was handed over if there is one.
async fn listen(socket: Option<std::net::TcpListener>, address: SocketAddr) -> Result<Listener, StartError> {
    let Some(socket) = socket else {
        return Listener::bind(address, Limits::of_this_process()).await.map_err(|error| StartError(error.to_string()));
    };
    let listener = TcpListener::from_std(socket).and_then(|socket| Listener::on(socket, Limits::of_this_process()));
    listener.map_err(|error| StartError(format!("cannot listen on the socket that was handed over: {error}")))
}

/// The same for operators.
async fn listen_for_operators(
    socket: Option<std::net::TcpListener>,
    address: SocketAddr,
) -> Result<TcpListener, StartError> {
    if let Some(socket) = socket {
        let failed = |error| StartError(format!("cannot listen on the admin socket that was handed over: {error}"));
        return TcpListener::from_std(socket).map_err(failed);
    }
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("port {} is taken by another process", address.port()),
            _ => error.to_string(),
        };
        StartError(format!("cannot listen on {address} (the admin address): {why}"))
    })
}
