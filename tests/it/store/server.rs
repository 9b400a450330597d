//! A Redis of a test's own, on a free port of 127.0.0.1; it ends with the test.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::aio::MultiplexedConnection;

/// What those must know that ask one with a password.
pub(crate) const PASSWORD: &str = "p@ss:w/ord";

/// A running Redis.
pub(crate) struct Redis {
    process: Child,
    port: u16,
    arguments: Vec<String>,
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Redis {
    /// Starts one that keeps nothing on disk, with these arguments besides.
    ///
    /// # Errors
    /// It is not installed (`tests/run` does that), or does not start.
    pub(crate) async fn start(arguments: &[&str]) -> Result<Self, String> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = free.map_err(|error| error.to_string())?.port();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let redis = Self { process: spawn(port, &arguments)?, port, arguments };
        redis.serves().await?;
        Ok(redis)
    }

    /// Where gateways find it.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Kills it.
    pub(crate) async fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it at the same place, with nothing.
    pub(crate) async fn start_again(&mut self) -> Result<(), String> {
        self.process = spawn(self.port, &self.arguments)?;
        self.serves().await
    }

    /// Stops it where it is, or lets it go on.
    pub(crate) fn pause(&self, is_paused: bool) -> Result<(), String> {
        let signal = if is_paused { "-STOP" } else { "-CONT" };
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        sent.map_err(|error| error.to_string()).and_then(|status| status.success().then_some(()).ok_or("kill".into()))
    }

    /// Names that stand in the first database.
    pub(crate) async fn names(&self, pattern: &str) -> Result<Vec<String>, String> {
        self.names_of(0, pattern).await
    }

    /// Names that stand in one of its databases.
    pub(crate) async fn names_of(&self, database: u16, pattern: &str) -> Result<Vec<String>, String> {
        let mut connection = self.connection(database).await?;
        redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.map_err(|error| error.to_string())
    }

    /// Every name and value, also decompressed where that can be.
    pub(crate) async fn everything(&self) -> Result<Vec<Vec<u8>>, String> {
        let mut connection = self.connection(0).await?;
        let mut held = Vec::new();
        for name in self.names("*").await? {
            let value: Vec<u8> = redis::cmd("GET")
                .arg(&name)
                .query_async(&mut connection)
                .await
                .map_err(|error: redis::RedisError| error.to_string())?;
            let frame = value.windows(4).position(|some| some == [0x28, 0xb5, 0x2f, 0xfd]);
            let plain = frame.and_then(|at| zstd::bulk::decompress(&value[at..], 1 << 20).ok());
            held.extend([name.into_bytes(), value].into_iter().chain(plain));
        }
        Ok(held)
    }

    async fn connection(&self, database: u16) -> Result<MultiplexedConnection, String> {
        let password = match self.arguments.is_empty() {
            true => String::new(),
            false => ":p%40ss:w%2ford@".to_owned(),
        };
        let client = redis::Client::open(format!("redis://{password}{}/{database}", self.address()));
        let client = client.map_err(|error| error.to_string())?;
        client.get_multiplexed_async_connection().await.map_err(|error| error.to_string())
    }

    async fn serves(&self) -> Result<(), String> {
        for _ in 0..500 {
            if self.connection(0).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err("the Redis of this test does not serve".to_owned())
    }
}

fn spawn(port: u16, arguments: &[String]) -> Result<Child, String> {
    let folder = folder().map_err(|error| error.to_string())?;
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no", "--dir"]);
    command.arg(&folder).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| format!("redis-server, which tests/run installs: {error}"))
}

fn folder() -> std::io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redis");
    std::fs::create_dir_all(&folder).map(|()| folder)
}
