//! Backends on free ports, and the two kinds of client that ask them.

use axum::body::Body;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use prost::Message;
use serde_json::Value;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;

use crate::demo::{Backend, Backends, Options, start};

/// Backends on free ports without delay and failures.
pub(super) async fn store() -> Backends {
    start_with(Options::default()).await
}

/// Backends with `options` on free ports.
pub(super) async fn start_with(options: Options) -> Backends {
    start(Options { ports: [0; 4], ..options }).await.expect("free ports")
}

/// One HTTP request; `body` is sent as JSON unless it is null.
pub(super) async fn send(
    backends: &Backends,
    backend: Backend,
    (method, path): (Method, &str),
    body: &Value,
) -> Response<Vec<u8>> {
    let uri = format!("http://{}{path}", backends.address(backend));
    let request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(body).expect("a request")).await.expect("a response");
    let (head, body) = response.into_parts();
    Response::from_parts(head, body.collect().await.expect("a body").to_bytes().to_vec())
}

/// The status and the JSON body of one HTTP request; null for no body.
pub(super) async fn ask(
    backends: &Backends,
    backend: Backend,
    request: (Method, &str),
    body: &Value,
) -> (StatusCode, Value) {
    let response = send(backends, backend, request, body).await;
    let json = match response.body().as_slice() {
        [] => Value::Null,
        bytes => serde_json::from_slice(bytes).expect("JSON"),
    };
    (response.status(), json)
}

/// The JSON body of a GET that must succeed.
pub(super) async fn get(backends: &Backends, backend: Backend, path: &str) -> Value {
    let (status, json) = ask(backends, backend, (Method::GET, path), &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{path}: {json}");
    json
}

/// One unary rpc.
pub(super) async fn call<Q, P>(backends: &Backends, path: &str, request: Q) -> Result<P, Status>
where
    Q: Message + Default + 'static,
    P: Message + Default + 'static,
{
    let mut grpc = tonic::client::Grpc::new(channel(backends, path).await);
    grpc.ready().await.expect("a connection");
    let path: PathAndQuery = path.parse().expect("a path");
    let codec = ProstCodec::<Q, P>::default();
    grpc.unary(tonic::Request::new(request), path, codec).await.map(tonic::Response::into_inner)
}

/// One rpc that answers with a stream.
pub(super) async fn watch<Q, P>(backends: &Backends, path: &str, request: Q) -> Result<Streaming<P>, Status>
where
    Q: Message + Default + 'static,
    P: Message + Default + 'static,
{
    let mut grpc = tonic::client::Grpc::new(channel(backends, path).await);
    grpc.ready().await.expect("a connection");
    let path: PathAndQuery = path.parse().expect("a path");
    let codec = ProstCodec::<Q, P>::default();
    grpc.server_streaming(tonic::Request::new(request), path, codec).await.map(tonic::Response::into_inner)
}

/// A connection to the backend whose rpc `path` is.
async fn channel(backends: &Backends, path: &str) -> Channel {
    let backend = if path.contains("inventory") { Backend::Inventory } else { Backend::Reviews };
    let address = format!("http://{}", backends.address(backend));
    Endpoint::from_shared(address).expect("an address").connect().await.expect("a connection")
}
