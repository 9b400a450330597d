//! The gRPC backend of the load comparison: every call is answered with bytes that were encoded once at the start,
//! so that the backend costs next to nothing and the same for everybody.
//!
//! Usage: `load-backend ADDRESS`. It serves `load.v1.Orders` of `project/proto/orders.proto` until it is ended.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use tokio::net::{TcpListener, TcpStream};

/// One order, by the rules of ProtoJSON.
const ORDER: &str = include_str!("order.json");
/// How many orders the list holds.
const LIST_LENGTH: usize = 100;
const PROTOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/project/proto");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: load-backend ADDRESS")?.parse()?;
    let replies = Arc::new(Replies::encode()?);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(address, replies))
}

/// The framed messages that the rpcs answer with.
struct Replies {
    order: Bytes,
    list: Bytes,
}

impl Replies {
    fn encode() -> Result<Self, Box<dyn Error>> {
        let pool = DescriptorPool::from_file_descriptor_set(protox::compile(["orders.proto"], [PROTOS])?)?;
        let list = format!("{{\"orders\":[{}]}}", vec![ORDER; LIST_LENGTH].join(","));
        Ok(Self { order: framed(&pool, "load.v1.Order", ORDER)?, list: framed(&pool, "load.v1.OrderList", &list)? })
    }
}

/// A message behind its prefix: one byte of flags, four of length.
fn framed(pool: &DescriptorPool, name: &str, json: &str) -> Result<Bytes, Box<dyn Error>> {
    let descriptor = pool.get_message_by_name(name).ok_or("no such message")?;
    let message = DynamicMessage::deserialize(descriptor, &mut serde_json::Deserializer::from_str(json))?;
    let mut out = BytesMut::new();
    out.put_u8(0);
    out.put_u32(u32::try_from(message.encoded_len())?);
    message.encode(&mut out)?;
    Ok(out.freeze())
}

async fn serve(address: SocketAddr, replies: Arc<Replies>) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(converse(stream, replies.clone()));
    }
}

async fn converse(stream: TcpStream, replies: Arc<Replies>) {
    let service = service_fn(|request| answer(request, &replies));
    let conversation = http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(1_000)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(16 << 20)
        .max_send_buf_size(1 << 20)
        // At the end of a load all of its requests are given up at once, which is no attack.
        .max_pending_accept_reset_streams(10_000)
        .serve_connection(TokioIo::new(stream), service);
    // A gateway that leaves is the end of the conversation and nobody's mistake.
    let _ = conversation.await;
}

fn answer(
    request: Request<Incoming>,
    replies: &Replies,
) -> impl Future<Output = Result<Response<impl Body<Data = Bytes, Error = Infallible> + use<>>, Infallible>> + use<> {
    let (message, status) = match request.uri().path() {
        "/load.v1.Orders/Get" => (replies.order.clone(), "0"),
        "/load.v1.Orders/List" => (replies.list.clone(), "0"),
        _ => (Bytes::new(), "12"),
    };
    async move {
        // A request that is not read to its end would be reset.
        let _ = request.into_body().collect().await;
        let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static(status))]);
        let mut response = Response::new(Full::new(message).with_trailers(async { Some(Ok(trailers)) }));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        Ok(response)
    }
}
