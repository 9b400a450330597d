//! Certificates that do not hold, and handshakes that do not end.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::case::{Bar, Case, row};
use crate::certificates;
use crate::fixture::{self, Places};
use crate::gateway::{Process, Start};
use crate::load::{self, Ask};
use crate::projects;
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[row!(95, "A over TLS: expired, of another name, never there", broken)];

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(2);

async fn broken(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let mut bars = Vec::new();
    let servers = [
        ("expired", Some("expired"), "expired"),
        ("of another name", Some("misnamed"), "not for `localhost`"),
        ("never there", None, ""),
    ];
    for (what, certificate, word) in servers {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, certificate));
        let places = Places {
            a: vec![format!("https://localhost:{port}")],
            names: scene.names.address,
            of_a: format!(", tls: {{ authorities: {} }}", certificates::file("authority.pem").display()),
            b: scene.b.address(),
            c: scene.c.address(),
            d: scene.d.address(),
            e: scene.e.address(),
        };
        let project = projects::write("tls", &fixture::files(&places, &[]))?;
        let gateway = Process::start(&scene.run.binary, project.root(), &Start::default()).await?;
        let answer = load::ask(gateway.clients, &Ask::get("/agg")).await;
        let status = answer.status().unwrap_or(0);
        bars.push(Bar::holds((what, "502, or 504"), status, [502, 504].contains(&status)));
        bars.push(Bar::within("  answered after", answer.took, HANDSHAKE + Duration::from_millis(50)));
        if !word.is_empty() {
            let told = gateway.log.says(word).await;
            bars.push(Bar::holds(("  the cause in the log", word), told, told));
        }
        let ctl = load::ask(gateway.clients, &Ask::get("/ctl")).await;
        bars.push(Bar::equal("  /ctl", ctl.status().unwrap_or(0), 200));
    }
    Ok(bars)
}

/// Shakes hands with a certificate; without one, never.
async fn serve(listener: TcpListener, certificate: Option<&'static str>) {
    let mut taken = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        match certificate {
            Some(name) => {
                let _ = TlsAcceptor::from(Arc::clone(&certificates::server(name, &[b"http/1.1"]))).accept(stream).await;
            }
            None => taken.push(stream),
        }
    }
}
