//! Starting, stopping, delays and failures.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tonic::Code;

use super::client::{ask, call, get, start_with, store};
use crate::demo::grpc::{HEALTH_CHECK, HealthCheckRequest, HealthCheckResponse};
use crate::demo::reviews::message::{RatingSummary, SummaryRequest};
use crate::demo::{Backend, Options, start};

const SUMMARY: &str = "/store.reviews.v1.Reviews/Summary";

fn summary_of_p1() -> SummaryRequest {
    SummaryRequest { product_id: "p1".to_owned() }
}

#[tokio::test]
async fn every_backend_says_that_it_is_healthy() {
    let backends = store().await;
    for backend in Backend::ALL {
        assert_eq!(get(&backends, backend, "/healthz").await["status"], "ok", "{backend}");
    }
    let request = HealthCheckRequest { service: "store.reviews.v1.Reviews".to_owned() };
    let health: HealthCheckResponse = call(&backends, HEALTH_CHECK, request).await.expect("known");
    assert_eq!(health.status, HealthCheckResponse::SERVING);
    let request = HealthCheckRequest { service: "other".to_owned() };
    let unknown = call::<_, HealthCheckResponse>(&backends, HEALTH_CHECK, request).await;
    assert_eq!(unknown.expect_err("unknown").code(), Code::NotFound);
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_backend_and_the_option() {
    let other = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = other.local_addr().expect("bound").port();
    let error = start(Options { ports: [0, 0, port, 0], ..Options::default() }).await.expect_err("taken");
    assert_eq!((error.backend, error.port), (Backend::Reviews, port));
    let text = error.to_string();
    assert!(text.contains(&format!("`reviews` cannot start: port {port} is taken")), "{text}");
    assert!(text.contains("--backend-ports"), "{text}");
}

#[tokio::test]
async fn a_stopped_backend_refuses_connections() {
    let backends = store().await;
    let addresses = backends.addresses;
    backends.stop().await;
    for address in addresses {
        assert!(TcpStream::connect(address).await.is_err(), "{address}");
    }
}

#[tokio::test]
async fn stopping_lets_a_reply_under_way_end() {
    let backends = start_with(Options { delay: Duration::from_millis(300), ..Options::default() }).await;
    let mut connection = TcpStream::connect(backends.address(Backend::Catalog)).await.expect("up");
    connection.write_all(b"GET /products/p1 HTTP/1.1\r\nhost: demo\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(100)).await;
    backends.stop().await;
    let mut reply = String::new();
    connection.read_to_string(&mut reply).await.expect("a reply and the end of the connection");
    assert!(reply.starts_with("HTTP/1.1 200 OK") && reply.contains(r#""id":"p1""#), "{reply}");
}

#[tokio::test]
async fn a_delay_holds_back_replies_but_not_health_checks() {
    let delay = Duration::from_millis(200);
    let backends = start_with(Options { delay, ..Options::default() }).await;
    let started = Instant::now();
    get(&backends, Backend::Catalog, "/products/p1").await;
    assert!(started.elapsed() >= delay);
    let started = Instant::now();
    let _: RatingSummary = call(&backends, SUMMARY, summary_of_p1()).await.expect("late");
    assert!(started.elapsed() >= delay);
    let started = Instant::now();
    get(&backends, Backend::Catalog, "/healthz").await;
    assert!(started.elapsed() < delay);
}

#[tokio::test]
async fn a_failing_backend_answers_503_or_unavailable_and_the_others_do_not() {
    let failures = vec!["catalog=100%".parse().expect("valid"), "reviews=50%".parse().expect("valid")];
    let backends = start_with(Options { failures, ..Options::default() }).await;
    let (status, json) = ask(&backends, Backend::Catalog, (Method::GET, "/products/p1"), &Value::Null).await;
    assert_eq!((status, &json["error"]), (StatusCode::SERVICE_UNAVAILABLE, &Value::from("unavailable")));
    assert_eq!(get(&backends, Backend::Catalog, "/healthz").await["status"], "ok");
    assert_eq!(get(&backends, Backend::Shop, "/customers/c1").await["id"], "c1");
    let mut codes = Vec::new();
    for _ in 0..4 {
        let reply = call::<_, RatingSummary>(&backends, SUMMARY, summary_of_p1()).await;
        codes.push(reply.map_or_else(|status| status.code(), |_| Code::Ok));
    }
    assert_eq!(codes, [Code::Ok, Code::Unavailable, Code::Ok, Code::Unavailable]);
}
