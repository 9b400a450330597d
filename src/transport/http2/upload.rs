//! Request bodies that stream, at the pace at which the backend takes them.

use std::future::poll_fn;

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body_util::BodyExt as _;

use crate::transport::RequestBody;

/// Sends a body to its end. A body that breaks off cancels the call; a call that the backend ends is sent no more.
pub(super) async fn stream(mut body: RequestBody, mut stream: SendStream<Bytes>) {
    loop {
        let frame = tokio::select! {
            biased;
            _ = poll_fn(|context| stream.poll_reset(context)) => return,
            frame = body.frame() => frame,
        };
        let sent = match frame {
            None => return drop(stream.send_data(Bytes::new(), true)),
            Some(Err(_)) => return stream.send_reset(Reason::CANCEL),
            // Trailers of a client are not passed on.
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => send(data, &mut stream).await,
                Err(_) => Some(()),
            },
        };
        if sent.is_none() {
            return;
        }
    }
}

/// Sends bytes as far as the backend's window opens; `None` when the call is over.
async fn send(mut data: Bytes, stream: &mut SendStream<Bytes>) -> Option<()> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let capacity = poll_fn(|context| stream.poll_capacity(context)).await?.ok()?;
        let part = data.split_to(capacity.min(data.len()));
        stream.send_data(part, false).ok()?;
    }
    Some(())
}
