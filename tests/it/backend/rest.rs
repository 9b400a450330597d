//! The REST backend: HTTP/1.1, one rule a request, exactly the bytes that the script says.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Player;
use super::secured::{Accepted, accept};
use crate::coding;
use crate::http1::{Connection, Message, joined};
use crate::script::{Act, Asked, Reply};

/// Serves until the task is dropped.
pub(super) async fn serve(listener: TcpListener, player: Arc<Player>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let player = player.clone();
        connections.spawn(async move {
            let Some(Accepted { stream, facts }) = accept(stream, &player.name, b"http/1.1").await else { return };
            let mut connection = Connection::over(stream);
            while let Ok(Some(mut request)) = connection.request().await {
                request.headers.extend_from_slice(&facts);
                let answered = answer(&mut connection, &request, &player).await;
                if answered.is_none() {
                    return;
                }
            }
        });
    }
}

/// Answers one request; `None` when the connection is of no further use.
async fn answer(connection: &mut Connection, request: &Message, player: &Player) -> Option<()> {
    let mut words = request.first_line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (body, headers) = readable(request);
    let body = (!body.is_empty()).then_some(body);
    let (number, reply) = player.play(Asked::Rest { method: method.clone(), target, body }, headers);
    let Some(reply) = reply else {
        let text = "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 12\r\n\r\nnot scripted";
        return connection.send(text.as_bytes()).await.ok();
    };
    tokio::select! {
        () = tokio::time::sleep(reply.delay) => {}
        () = connection.closed() => {
            player.record.cancelled(number);
            return None;
        }
    }
    match &reply.act {
        Act::Http { status, body, whole: true } => {
            let head = head(&reply, *status, body.len() as u64);
            let body = if method == "HEAD" { "" } else { body };
            connection.send(format!("{head}{body}").as_bytes()).await.ok()
        }
        Act::Http { status, body, whole: false } => {
            let head = head(&reply, *status, body.len() as u64 + 10);
            let _ = connection.send(format!("{head}{body}").as_bytes()).await;
            None
        }
        Act::Coded { status, coding, body } => {
            let body = coding::coded(coding, body.as_bytes());
            let head = format!("content-encoding: {coding}\r\n\r\n");
            let head = self::head(&reply, *status, body.len() as u64).replacen("\r\n\r\n", &format!("\r\n{head}"), 1);
            connection.send(&[head.as_bytes(), &body].concat()).await.ok()
        }
        Act::Long { status, size } => long(connection, &head(&reply, *status, size + 2), *size).await,
        Act::Bytes(bytes) => {
            let _ = connection.send(bytes).await;
            None
        }
        Act::Hang => {
            connection.closed().await;
            player.record.cancelled(number);
            None
        }
        _ => None,
    }
}

/// The body and the header fields as documents write them: the boundary of a form is `boundary`, and the ends of its lines
/// are `⏎`.
fn readable(request: &Message) -> (String, Vec<(String, String)>) {
    let mut headers = request.headers.clone();
    let boundary = joined(&headers, "content-type")
        .and_then(|media_type| media_type.strip_prefix("multipart/form-data; boundary=").map(str::to_owned));
    let Some(boundary) = boundary else { return (request.text(), headers) };
    headers.iter_mut().for_each(|(_, value)| *value = value.replace(&boundary, "boundary"));
    (request.text().replace(&boundary, "boundary").replace("\r\n", "⏎"), headers)
}

fn head(reply: &Reply, status: u16, length: u64) -> String {
    let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if length > 0 && joined(&reply.headers, "content-type").is_none() {
        head.push_str("content-type: application/json\r\n");
    }
    if status != 204 && joined(&reply.headers, "content-length").is_none() {
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    head + "\r\n"
}

/// Sends one JSON string of `size` characters without ever holding it.
async fn long(connection: &mut Connection, head: &str, size: u64) -> Option<()> {
    let piece = [b'x'; 64 << 10];
    connection.send(format!("{head}\"").as_bytes()).await.ok()?;
    let mut left = size;
    while left > 0 {
        let part = left.min(piece.len() as u64);
        connection.send(&piece[..usize::try_from(part).ok()?]).await.ok()?;
        left -= part;
    }
    connection.send(b"\"").await.ok()
}
