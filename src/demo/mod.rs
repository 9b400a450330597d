//! The demo store: four real backends inside the binary, so that a newcomer sees a gateway at work
//! with nothing else to install.
//!
//! ```text
//! catalog    REST  7001   products, sellers, categories, prices, search, images
//! shop       REST  7002   customers, carts, orders, payments, shipments, outbox
//! reviews    gRPC  7003   proto/store/reviews/v1/reviews.proto
//! inventory  gRPC  7004   proto/store/inventory/v1/inventory.proto
//! ```
//!
//! All four serve one `Store`, which is the same on every start. What clients create lives in memory
//! until the backends stop. The gateway reaches them over sockets only: it cannot tell that they are near.

mod options;

mod store;

mod catalog;
mod inventory;
mod reviews;
mod shop;

mod grpc;
mod rest;
mod trouble;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::options::{Backend, Failure, FailureError, Options};
use self::store::Store;
use self::trouble::Trouble;

/// The store's own project, as `selvedge serve .` runs it in the repository: paths and texts.
pub const PROJECT: &[(&str, &str)] = &[
    ("compositions/backends.yaml", include_str!("../../compositions/backends.yaml")),
    ("compositions/catalog.yaml", include_str!("../../compositions/catalog.yaml")),
    ("compositions/checkout.yaml", include_str!("../../compositions/checkout.yaml")),
    ("compositions/customers.yaml", include_str!("../../compositions/customers.yaml")),
    ("compositions/gateway.yaml", include_str!("../../compositions/gateway.yaml")),
    ("compositions/graph.yaml", include_str!("../../compositions/graph.yaml")),
    ("compositions/parts.yaml", include_str!("../../compositions/parts.yaml")),
    ("compositions/product.yaml", include_str!("../../compositions/product.yaml")),
    ("schema/catalog.openapi.yaml", include_str!("../../schema/catalog.openapi.yaml")),
    ("schema/store.graphql", include_str!("../../schema/store.graphql")),
    ("proto/store/inventory/v1/inventory.proto", include_str!("../../proto/store/inventory/v1/inventory.proto")),
    ("proto/store/reviews/v1/reviews.proto", include_str!("../../proto/store/reviews/v1/reviews.proto")),
];

/// How long [`Backends::stop`] waits for replies that are under way.
const GRACE: Duration = Duration::from_secs(2);

/// Starts the four backends on 127.0.0.1 and returns when all of them accept connections.
///
/// Either all run or none: an error stops those that were already up.
///
/// # Errors
/// A port that is taken or may not be used.
pub async fn start(options: Options) -> Result<Backends, StartError> {
    let mut listeners = Vec::with_capacity(Backend::ALL.len());
    let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); Backend::ALL.len()];
    for ((backend, port), address) in Backend::ALL.into_iter().zip(options.ports).zip(&mut addresses) {
        let failed = |source| StartError { backend, port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        *address = listener.local_addr().map_err(failed)?;
        listeners.push((backend, listener));
    }
    let store = Arc::new(Store::generate());
    let (stop, stopping) = watch::channel(());
    let tasks = listeners
        .into_iter()
        .map(|(backend, listener)| {
            let router = trouble::disturbed(router(backend, &store), Trouble::new(backend, &options));
            tokio::spawn(serve(listener, router, stopping.clone()))
        })
        .collect();
    Ok(Backends { addresses, stop, tasks })
}

/// The four running backends. Dropping them stops them too, without waiting.
#[must_use = "the backends stop when this is dropped"]
#[derive(Debug)]
pub struct Backends {
    /// Where each listens, in the order of [`Backend::ALL`].
    pub addresses: [SocketAddr; 4],
    /// Closes the listeners when it is dropped; nothing is ever sent.
    stop: watch::Sender<()>,
    tasks: Vec<JoinHandle<()>>,
}

impl Backends {
    /// Where `backend` listens.
    pub fn address(&self, backend: Backend) -> SocketAddr {
        self.addresses[backend as usize]
    }

    /// Stops all four: no new connection is taken, replies under way have two seconds to end.
    pub async fn stop(self) {
        drop(self.stop);
        let deadline = tokio::time::Instant::now() + GRACE;
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// Why the backends did not start.
#[derive(Debug)]
pub struct StartError {
    /// The backend that could not listen.
    pub backend: Backend,
    /// The port that it was to have.
    pub port: u16,
    /// What the system said.
    pub source: io::Error,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, port, source } = self;
        match source.kind() {
            io::ErrorKind::AddrInUse => write!(f, "the demo backend `{backend}` cannot start: port {port} is taken")?,
            _ => write!(f, "the demo backend `{backend}` cannot listen on port {port}: {source}")?,
        }
        write!(f, "; choose four others with --backend-ports, or 0,0,0,0 for any free ones")
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

fn router(backend: Backend, store: &Arc<Store>) -> Router {
    match backend {
        Backend::Catalog => catalog::router(store.clone()),
        Backend::Shop => shop::router(store),
        Backend::Reviews => reviews::router(store),
        Backend::Inventory => inventory::router(store),
    }
}

/// Serves HTTP/1.1 and HTTP/2 (with prior knowledge, as gRPC does without TLS) until `stopping` closes.
async fn serve(listener: TcpListener, router: Router, mut stopping: watch::Receiver<()>) {
    let listener = listener.tap_io(|connection| {
        // Small replies must not wait for Nagle's algorithm; a connection that refuses is only slower.
        let _ = connection.set_nodelay(true);
    });
    let stopped = async move { while stopping.changed().await.is_ok() {} };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
        tracing::warn!(%error, "a demo backend ended");
    }
}

#[cfg(test)]
mod tests;
