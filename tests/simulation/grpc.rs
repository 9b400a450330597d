//! The gRPC backend: an rpc that echoes its message, in whatever mood it is.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fastrand::Rng;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, server};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::time::sleep;
use turmoil::net::{TcpListener, TcpStream};

use crate::game::Mood;
use crate::judge::Judge;

/// Serves as `host` until it is gone.
pub(crate) async fn serve(host: &'static str, seed: u64, judge: Judge) -> turmoil::Result {
    let listener = TcpListener::bind(("0.0.0.0", 80)).await?;
    let mut random = Rng::with_seed(seed);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(converse(stream, (host, random.fork()), judge.clone()));
    }
}

async fn converse(stream: TcpStream, (host, mut random): (&'static str, Rng), judge: Judge) {
    let Ok(mut connection) = server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (random, judge) = (random.fork(), judge.clone());
        tokio::spawn(async move {
            // A call that ends in any way is its client's concern.
            let _ = answer(request, respond, (host, random, &judge)).await;
        });
    }
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    (host, mut random, judge): (&str, Rng, &Judge),
) -> Result<(), h2::Error> {
    let (mut body, mut message) = (request.into_body(), BytesMut::new());
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        message.extend_from_slice(&piece);
    }
    let message = message.freeze();
    // Five bytes of the frame, and two of the field before its text.
    judge.called(host, ("", &String::from_utf8_lossy(message.get(7..).unwrap_or_default())));
    match judge.mood(host) {
        Mood::Moody if random.bool() => fail(respond, &mut random),
        Mood::Calm | Mood::Moody => echo(respond, message),
        Mood::Broken => fail(respond, &mut random),
        Mood::Slow => {
            sleep(Duration::from_millis(random.u64(0..500))).await;
            echo(respond, message)
        }
        Mood::Late => {
            sleep(crate::game::LATE).await;
            echo(respond, message)
        }
        Mood::Mute => std::future::poll_fn(|context| respond.poll_reset(context)).await.map(drop),
        Mood::Abrupt => {
            if random.bool() {
                let mut stream = respond.send_response(head(), false)?;
                stream.send_data(message.slice(..random.usize(0..message.len())), false)?;
                stream.send_reset(Reason::INTERNAL_ERROR);
            } else {
                respond.send_reset(Reason::REFUSED_STREAM);
            }
            Ok(())
        }
        // A message that is none, or one behind which nothing says how it ended.
        Mood::Mad if random.bool() => respond.send_response(head(), false)?.send_data(message.slice(1..), true),
        Mood::Mad => respond.send_response(head(), false)?.send_data(message, true),
    }
}

fn echo(mut respond: SendResponse<Bytes>, message: Bytes) -> Result<(), h2::Error> {
    let mut stream = respond.send_response(head(), false)?;
    stream.send_data(message, false)?;
    stream.send_trailers(status(0))
}

fn fail(mut respond: SendResponse<Bytes>, random: &mut Rng) -> Result<(), h2::Error> {
    let mut head = head();
    // INTERNAL, or UNAVAILABLE.
    head.headers_mut().extend(status(if random.bool() { 13 } else { 14 }));
    respond.send_response(head, true).map(drop)
}

fn head() -> Response<()> {
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    head
}

fn status(code: u16) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from(code))])
}
