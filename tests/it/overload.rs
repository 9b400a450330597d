//! More requests than there may be: the least important are refused first, at once, and only as long as it lasts.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use crate::claim::{claims, run};
use crate::gateway::Running;
use crate::http1::{Connection, Message};
use crate::project::Project;

claims![the_least_important_requests_are_refused_first];

fn the_least_important_requests_are_refused_first() -> Result<(), String> {
    run(async {
        // A backend that takes every call and answers none.
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let backend = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.push(stream);
            }
        });
        let gateway = start(address).await?;
        let mut waiting = Vec::new();
        for (path, admitted) in [("/sheddable", 7), ("/default", 2), ("/critical", 1)] {
            for _ in 0..admitted {
                waiting.push(sent(gateway.address(), path).await?);
            }
            under_way(&gateway, waiting.len()).await?;
            let began = Instant::now();
            let refused = answer(gateway.address(), path).await?;
            assert_eq!((refused.status(), refused.header("retry-after").as_deref()), (503, Some("1")), "{path}");
            assert!(refused.text().contains("\"code\":\"overloaded\""), "{}", refused.text());
            assert!(began.elapsed() < Duration::from_secs(1), "{path}: {:?}", began.elapsed());
        }
        assert_eq!(answer(gateway.address(), "/nowhere").await?.status(), 404);
        let seen = answer(gateway.admin_address(), "/overload").await?.text();
        assert!(seen.contains("\"limit\":10,"), "{seen}");
        assert!(seen.contains("{\"class\":\"sheddable\",\"under_way\":7,\"shed\":1}"), "{seen}");
        // Those who leave give their places back.
        drop(waiting);
        under_way(&gateway, 0).await?;
        assert_eq!(answer(gateway.address(), "/at-once").await?.status(), 200);
        gateway.stop().await;
        backend.abort();
        Ok(())
    })
}

async fn start(backend: SocketAddr) -> Result<Running, String> {
    let endpoint = |class: &str| {
        format!(
            "  GET /{class}: {{ priority: {class}, steps: {{ s: {{ backend: a, get: /s }} }}, result: \"${{s}}\" }}\n"
        )
    };
    let text = format!(
        "gateway: {{ overload: {{ requests: 10 }} }}\nbackends: {{ a: {{ rest: \"http://{backend}\" }} }}\nendpoints:\n{}\
         \x20 GET /at-once: {{ priority: sheddable, result: 1 }}\n",
        ["sheddable", "default", "critical"].map(endpoint).concat()
    );
    Running::start(Project::write("overload", &[("compositions/main.yaml".to_owned(), text)])?.root()).await
}

/// A request whose answer nobody has read yet.
async fn sent(address: SocketAddr, path: &str) -> Result<Connection, String> {
    let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: a.test\r\n\r\n");
    connection.send(head.as_bytes()).await.map_err(|error| error.to_string())?;
    Ok(connection)
}

async fn answer(address: SocketAddr, path: &str) -> Result<Message, String> {
    sent(address, path).await?.response("GET").await.map_err(|error| error.to_string())
}

/// Waits until so many requests are under way.
async fn under_way(gateway: &Running, count: usize) -> Result<(), String> {
    let mut seen = String::new();
    for _ in 0..200 {
        seen = answer(gateway.admin_address(), "/overload").await?.text();
        let counts = seen.split("\"under_way\":").skip(1);
        let counts = counts.filter_map(|rest| rest.split(',').next()?.parse::<usize>().ok());
        if counts.sum::<usize>() == count {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(format!("{count} requests should be under way: {seen}"))
}
