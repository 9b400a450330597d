//! gRPC services written by hand: rpcs of plain functions over prost messages, without generated code.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::routing::{get, post};
use futures_util::stream::{BoxStream, Stream, StreamExt};
use prost::Message;
use tonic::Status;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic_prost::ProstCodec;

use super::rest;

/// The path of the standard health check.
pub(super) const HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";

/// A gRPC service in the making: what it serves, and its rpcs so far.
pub(super) struct Service<S> {
    state: Arc<S>,
    router: Router,
}

impl<S: NamedService + Send + Sync + 'static> Service<S> {
    /// A service without rpcs.
    pub(super) fn new(state: S) -> Self {
        Self { state: Arc::new(state), router: Router::new() }
    }

    /// The same with a unary rpc.
    pub(super) fn unary<Q, P>(mut self, name: &str, rpc: fn(&S, &Q) -> Result<P, Status>) -> Self
    where
        Q: Message + Default + 'static,
        P: Message + Default + 'static,
    {
        let handler = Handler { state: self.state.clone(), rpc };
        let route = post(move |request: Request| async move {
            Grpc::new(ProstCodec::<P, Q>::default()).unary(handler, request).await.map(Body::new)
        });
        self.router = self.router.route(&format!("/{}/{name}", S::NAME), route);
        self
    }

    /// The same with an rpc that answers with a stream.
    pub(super) fn server_streaming<Q, P>(mut self, name: &str, rpc: fn(&S, &Q) -> Streamed<P>) -> Self
    where
        Q: Message + Default + 'static,
        P: Message + Default + 'static,
    {
        let handler = Handler { state: self.state.clone(), rpc };
        let route = post(move |request: Request| async move {
            Grpc::new(ProstCodec::<P, Q>::default()).server_streaming(handler, request).await.map(Body::new)
        });
        self.router = self.router.route(&format!("/{}/{name}", S::NAME), route);
        self
    }

    /// The routes of the service, of its health check and of `/healthz`; UNIMPLEMENTED for all others.
    pub(super) fn router(self) -> Router {
        self.router
            .merge(Service::new(Health { service: S::NAME }).unary("Check", Health::check).router)
            .route("/healthz", get(rest::healthy))
            .fallback(|request: Request| async move { unimplemented(request.uri().path()) })
    }
}

/// What a streaming rpc answers: messages, or a status instead of any.
pub(super) type Streamed<P> = Result<Messages<P>, Status>;

/// The messages of a streaming rpc. A type of its own, because a bare `BoxStream` would bring its
/// lifetime into the type of [`Handler`], where no implementation is general enough.
pub(super) struct Messages<P>(BoxStream<'static, Result<P, Status>>);

impl<P: 'static> Messages<P> {
    /// The messages of `stream`, then OK.
    pub(super) fn of(stream: impl Stream<Item = P> + Send + 'static) -> Self {
        Self(stream.map(Ok).boxed())
    }
}

impl<P> Stream for Messages<P> {
    type Item = Result<P, Status>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(task)
    }
}

/// A function as tonic calls it.
struct Handler<S, F> {
    state: Arc<S>,
    rpc: F,
}

impl<S, F: Clone> Clone for Handler<S, F> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), rpc: self.rpc.clone() }
    }
}

impl<S, Q, P> UnaryService<Q> for Handler<S, fn(&S, &Q) -> Result<P, Status>> {
    type Response = P;
    type Future = Ready<Result<tonic::Response<P>, Status>>;

    fn call(&mut self, request: tonic::Request<Q>) -> Self::Future {
        ready((self.rpc)(&self.state, request.get_ref()).map(tonic::Response::new))
    }
}

impl<S, Q, P> ServerStreamingService<Q> for Handler<S, fn(&S, &Q) -> Streamed<P>> {
    type Response = P;
    type ResponseStream = Messages<P>;
    type Future = Ready<Result<tonic::Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: tonic::Request<Q>) -> Self::Future {
        ready((self.rpc)(&self.state, request.get_ref()).map(tonic::Response::new))
    }
}

/// The unary half of grpc.health.v1: the process answers, so it is healthy.
struct Health {
    /// The one service that runs beside it.
    service: &'static str,
}

impl Health {
    fn check(&self, request: &HealthCheckRequest) -> Result<HealthCheckResponse, Status> {
        if request.service.is_empty() || request.service == self.service {
            return Ok(HealthCheckResponse { status: HealthCheckResponse::SERVING });
        }
        Err(Status::not_found(format!("there is no service {}", request.service)))
    }
}

impl NamedService for Health {
    const NAME: &'static str = "grpc.health.v1.Health";
}

/// grpc.health.v1.HealthCheckRequest.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HealthCheckRequest {
    /// The service asked about; empty for the whole server.
    #[prost(string, tag = "1")]
    pub(super) service: String,
}

/// grpc.health.v1.HealthCheckResponse.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HealthCheckResponse {
    /// A value of ServingStatus.
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
}

impl HealthCheckResponse {
    /// ServingStatus.SERVING.
    pub(super) const SERVING: i32 = 1;
}

fn unimplemented(path: &str) -> Response<Body> {
    Status::unimplemented(format!("there is no rpc {path}")).into_http()
}
