//! `selvedge demo`: the sample store, backends and gateway in one process.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::{Addresses, End, Logging, say, say_error};
use crate::base::unit::parse_duration;
use crate::demo::{self, Backends, Failure};
use crate::server::{Gateway, Loaded, Options, Source, load, load_texts};

/// The environment variables that the store's compositions read addresses from.
const VARIABLES: [&str; 4] = ["CATALOG", "SHOP", "REVIEWS", "INVENTORY"];
/// The time within which everything must answer after the start.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Starts only the four backends
    #[arg(long)]
    backends_only: bool,
    /// Delays every reply of every backend, such as 20ms
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    delay: Option<Duration>,
    /// Lets a share of a backend's replies fail, such as reviews=10%
    #[arg(long, value_name = "BACKEND=PERCENT")]
    fail: Vec<Failure>,
    /// The ports of catalog, shop, reviews and inventory; 0 takes any free one
    #[arg(long, value_name = "PORTS", value_delimiter = ',', num_args = 1, default_value = "7001,7002,7003,7004")]
    backend_ports: Vec<u16>,
    /// The project to serve; without it the store's own, from the current folder if it is there
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    addresses: Addresses,
    #[command(flatten)]
    logging: Logging,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|why| format!("`{text}` {why}"))
}

impl Demo {
    pub(super) fn run(&self) -> End {
        let Ok(ports) = <[u16; 4]>::try_from(self.backend_ports.as_slice()) else {
            let message = "--backend-ports takes four ports: catalog, shop, reviews, inventory";
            return End::Usage(message.to_owned());
        };
        match store_runtime() {
            Ok(runtime) => runtime.block_on(self.demo(ports)),
            Err(end) => end,
        }
    }

    async fn demo(&self, ports: [u16; 4]) -> End {
        let options = demo::Options { ports, delay: self.delay.unwrap_or_default(), failures: self.fail.clone() };
        let backends = match demo::start(options).await {
            Ok(backends) => backends,
            Err(error) => return End::Failed(error.to_string()),
        };
        let end = if self.backends_only { self.only_backends(&backends).await } else { self.gateway(&backends).await };
        backends.stop().await;
        end
    }

    async fn only_backends(&self, backends: &Backends) -> End {
        say(&backend_lines(backends));
        say("\nPress Ctrl-C to stop.\n");
        match tokio::signal::ctrl_c().await {
            Ok(()) => End::Fine,
            Err(error) => End::Failed(format!("cannot listen for signals: {error}")),
        }
    }

    async fn gateway(&self, backends: &Backends) -> End {
        let environment = environment(backends);
        let loaded = self.load(&environment);
        say_error(&loaded.render());
        let Some(plan) = loaded.plan else { return End::Problems };
        let _log = match self.logging.start(plan.gateway.access_log) {
            Ok(log) => log,
            Err(end) => return end,
        };
        let inputs = loaded.inputs;
        let source = self.root().map(|root| Source::new(root, None, inputs));
        let options = Options {
            listen: self.addresses.listen,
            admin: self.addresses.admin,
            environment,
            // Nobody watches the readiness of a demo: Ctrl-C ends it at once.
            drain: Some((Duration::ZERO, Duration::from_secs(2))),
            source,
            ..Options::default()
        };
        let gateway = match Gateway::start(plan, options).await {
            Ok(gateway) => gateway,
            Err(error) => return End::Failed(format!("{error}; choose others with --listen and --admin")),
        };
        if let Err(why) = wait_for(gateway.address()).await {
            return End::Failed(why);
        }
        say(&banner(&gateway, backends));
        match gateway.run_until_signal().await {
            Ok(()) => End::Fine,
            Err(error) => End::Failed(error.to_string()),
        }
    }

    /// The project that was named, the store in the current folder, or the copy in the binary.
    fn load(&self, environment: &HashMap<String, String>) -> Loaded {
        match self.root() {
            Some(root) => load(root, environment),
            None => load_texts(demo::PROJECT, environment),
        }
    }

    /// The folder of the project, unless it is the copy in the binary.
    fn root(&self) -> Option<&Path> {
        let here = Path::new(".");
        self.folder.as_deref().or_else(|| here.join("compositions/product.yaml").exists().then_some(here))
    }
}

/// The sample backends work on it too: a thread for every core.
fn store_runtime() -> Result<tokio::runtime::Runtime, End> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| End::Failed(format!("the runtime cannot start: {error}")))
}

fn environment(backends: &Backends) -> HashMap<String, String> {
    let address = |address: &SocketAddr| format!("http://{address}");
    VARIABLES.iter().map(|name| (*name).to_owned()).zip(backends.addresses.iter().map(address)).collect()
}

/// Waits until the whole way through the gateway to a backend answers.
async fn wait_for(address: SocketAddr) -> Result<(), String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let deadline = Instant::now() + PATIENCE;
    loop {
        let asked = async {
            let mut stream = tokio::net::TcpStream::connect(address).await?;
            let request = format!("GET /v1/status HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        match asked.await {
            Ok(answer) if answer.starts_with("HTTP/1.1 ") => return Ok(()),
            _ if Instant::now() > deadline => return Err("the gateway does not answer".to_owned()),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn backend_lines(backends: &Backends) -> String {
    let line = |(backend, address): (demo::Backend, &SocketAddr)| {
        let protocol = match backend {
            demo::Backend::Catalog | demo::Backend::Shop => "REST",
            demo::Backend::Reviews | demo::Backend::Inventory => "gRPC",
        };
        format!("  {:<10} {protocol}  http://{address}\n", backend.name())
    };
    "Backends:\n".to_owned() + &demo::Backend::ALL.into_iter().zip(&backends.addresses).map(line).collect::<String>()
}

fn banner(gateway: &Gateway, backends: &Backends) -> String {
    let at = format!("http://{}", gateway.address());
    format!(
        "\nSelvedge is serving the demo store.\n\n  \
         REST       {at}/v1/products/p1/page\n  \
         GraphQL    {at}/graphql (open it in a browser)\n  \
         Admin      http://{admin}/healthz\n\n{backends}\n\
         Try:\n\
         \x20 curl '{at}/v1/products?first=3'\n\
         \x20 curl -i '{at}/v1/products/p1/page'\n\
         \x20 curl '{at}/v1/compare?ids=p1&ids=p2&ids=nope'\n\
         \x20 curl '{at}/v1/customers/c1/cart'\n\
         \x20 curl '{at}/graphql' -H 'content-type: application/json' -d '{{\"query\":\"{{ products(first: 3) {{ items {{ name seller {{ name }} rating {{ average }} }} }} }}\"}}'\n\
         \x20 curl -i -X POST '{at}/v1/products/p1/reviews' -H 'content-type: application/json' -d '{{\"author\":\"Ann\",\"stars\":5,\"title\":\"Good\",\"text\":\"I like it.\"}}'\n\n\
         Change a file in compositions/ and ask again: it is served, or the log says what is wrong.\n\
         Press Ctrl-C to stop.\n\n",
        admin = gateway.admin_address(),
        backends = backend_lines(backends),
    )
}
