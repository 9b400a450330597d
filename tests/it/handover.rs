//! Sockets that the gateway is started with: it listens on them, and one process takes over from another without a
//! connection that is refused.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::claim::claims;
use crate::project::Project;
use crate::serve::{Serving, exchange};

claims![
    it_listens_on_the_sockets_that_it_is_started_with,
    one_process_takes_over_from_another_without_a_refused_connection,
    a_socket_that_is_none_is_named,
];

const GET: &str = "GET /one HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const READY: &str = "GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

fn project(name: &str) -> Result<Project, String> {
    // Nobody reads the log while requests are made.
    let text = "gateway:\n  access_log: \"off\"\n  listen: 127.0.0.1:0\n  admin: { listen: 127.0.0.1:0 }\n  \
                shutdown: { delay: 300ms, timeout: 5s }\nendpoints: { GET /one: { result: 1 } }\n";
    Project::write(&format!("handover/{name}"), &[("compositions/main.yaml".to_owned(), text.to_owned())])
}

fn socket() -> Result<(TcpListener, SocketAddr), String> {
    let socket = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = socket.local_addr().map_err(|error| error.to_string())?;
    Ok((socket, address))
}

fn it_listens_on_the_sockets_that_it_is_started_with() -> Result<(), String> {
    let project = project("both")?;
    let ((clients, at), (operators, also_at)) = (socket()?, socket()?);
    let serving = Serving::start_with_sockets(project.root(), &[&clients, &operators])?;
    assert_eq!((serving.clients, serving.operators), (at, also_at));
    assert!(exchange(at, GET)?.ends_with("\r\n\r\n1"));
    assert!(exchange(also_at, READY)?.ends_with("\r\n\r\nready\n"));
    Ok(())
}

fn one_process_takes_over_from_another_without_a_refused_connection() -> Result<(), String> {
    let project = project("over")?;
    let (socket, address) = socket()?;
    let mut serving = Serving::start_with_sockets(project.root(), &[&socket])?;
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (stop, asked) = (stop.clone(), asked.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let answer = exchange(address, GET)?;
                    if !answer.starts_with("HTTP/1.1 200") {
                        return Err(answer);
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<(), String>(())
            })
        })
        .collect();
    for _ in 0..3 {
        let next = Serving::start_with_sockets(project.root(), &[&socket])?;
        serving.tell_to_end()?;
        serving.ended()?;
        serving = next;
        let before = asked.load(Ordering::Relaxed);
        let since = Instant::now();
        while asked.load(Ordering::Relaxed) < before + 20 && since.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().map_err(|_| "a client panicked")??;
    }
    assert!(asked.load(Ordering::Relaxed) >= 60, "{asked:?} requests");
    Ok(())
}

fn a_socket_that_is_none_is_named() -> Result<(), String> {
    let project = project("none")?;
    let file = std::fs::File::open(project.root()).map_err(|error| error.to_string())?;
    let said = Serving::start_with_sockets(project.root(), &[&file]).err().ok_or("it serves on a folder")?;
    assert!(said.contains("the socket for clients that was handed over is no use"), "{said}");
    Ok(())
}
