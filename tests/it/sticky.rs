//! Clients that stay at one address of a backend by a cookie, over real sockets: they take their cookie along, and get another
//! when the address is gone.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::claim::{claims, run};
use crate::gateway::Running;
use crate::http1::{Connection, Message};
use crate::project::Project;

claims![a_client_stays_at_an_address_until_it_is_gone];

/// A backend that answers everything with its own port, for everybody's cache.
struct Backend {
    port: u16,
    task: JoinHandle<()>,
}

impl Backend {
    async fn start() -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(Connection::over(Box::new(stream)), port));
            }
        });
        Ok(Self { port, task })
    }
}

async fn serve(mut connection: Connection, port: u16) {
    let body = port.to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: public, max-age=60\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    while let Ok(Some(_)) = connection.request().await {
        if connection.send(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn a_client_stays_at_an_address_until_it_is_gone() -> Result<(), String> {
    run(async {
        let mut backends = [Backend::start().await?, Backend::start().await?, Backend::start().await?];
        let gateway = start(&backends).await?;
        let address = gateway.address();
        let first = asked(address, "/s", "").await?;
        let (home, cookie) = (first.text(), cookie(&first)?);
        assert_eq!(first.header("cache-control").as_deref(), Some("no-store"));
        for path in ["/s", "/p", "/s", "/p"] {
            let further = asked(address, path, &cookie).await?;
            assert_eq!((further.text(), further.header("set-cookie")), (home.clone(), None), "{path}");
            assert!(further.header("cache-control").is_some_and(|control| control.contains("max-age=60")), "{path}");
        }
        // Others go where it is their turn, and what is no id of an address counts as none.
        for (path, other) in [("/s", ""), ("/p", "at=0123456789abcdef")] {
            let answer = asked(address, path, other).await?;
            assert_ne!(answer.text(), home, "{path}");
            assert_ne!(self::cookie(&answer)?, cookie, "{path}");
            assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"), "{path}");
        }
        let gone = backends.iter_mut().find(|backend| backend.port.to_string() == home).ok_or("it is one of them")?;
        gone.task.abort();
        let _ = (&mut gone.task).await;
        let moved = asked(address, "/s", &cookie).await?;
        let (elsewhere, anew) = (moved.text(), self::cookie(&moved)?);
        assert_ne!((&elsewhere, &anew), (&home, &cookie));
        let stayed = asked(address, "/s", &anew).await?;
        assert_eq!((stayed.text(), stayed.header("set-cookie")), (elsewhere, None));
        gateway.stop().await;
        Ok(())
    })
}

async fn start(backends: &[Backend]) -> Result<Running, String> {
    let addresses: Vec<String> = backends.iter().map(|of| format!("\"http://127.0.0.1:{}\"", of.port)).collect();
    let text = format!(
        "
backends:
  a:
    rest: [{}]
    retry: {{ attempts: 2, budget: 100% }}
    balance: {{ algorithm: round_robin, sticky: {{ cookie: at }}, eject: {{ consecutive: 1 }} }}
endpoints:
  GET /s: {{ cache: 60s, steps: {{ s: {{ backend: a, get: /s }} }}, result: \"${{s}}\" }}
  GET /p: {{ proxy: {{ backend: a }} }}
",
        addresses.join(", ")
    );
    Running::start(Project::write("sticky", &[("compositions/main.yaml".to_owned(), text)])?.root()).await
}

async fn asked(address: SocketAddr, path: &str, cookie: &str) -> Result<Message, String> {
    let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: a\r\ncookie: {cookie}\r\n\r\n");
    connection.send(head.as_bytes()).await.map_err(|error| error.to_string())?;
    connection.response("GET").await.map_err(|error| error.to_string())
}

/// The cookie that an answer sets, as a browser sends it.
fn cookie(answer: &Message) -> Result<String, String> {
    let set = answer.header("set-cookie").ok_or_else(|| format!("no cookie: {}", answer.text()))?;
    let (cookie, attributes) = set.split_once(';').ok_or("it has attributes")?;
    assert_eq!(attributes, " Path=/; HttpOnly; Secure; SameSite=Lax");
    assert!(cookie.starts_with("at=") && cookie.len() == 3 + 16, "{cookie}");
    Ok(cookie.to_owned())
}
