//! Floods of frames, written by hand.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::backend::rest::Reply;
use crate::case::{Bar, Beside, Case, row};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(87, "HTTP/2: a burst of requests that are reset", burst),
    row!(88, "HTTP/2: requests that are reset one after another", paced),
    row!(89, "HTTP/2: floods of frames", floods, beside: Beside::Nobody),
];

/// What a client says first (RFC 9113, section 3.4), with SETTINGS that say nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// Types of frames (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame((kind, flags): (u8, u8), stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET /agg` in HPACK, with names of the static table and nothing remembered (RFC 7541, section 6.2.2).
fn get() -> Vec<u8> {
    [&[0x82, 0x86, 0x04, 4][..], b"/agg", &[0x01, 1], b"a"].concat()
}

async fn open(scene: &Scene) -> Result<TcpStream, String> {
    scene.tally.asks_beyond();
    let mut client = TcpStream::connect(scene.gateway.clients).await.map_err(|error| error.to_string())?;
    client.write_all(PREFACE).await.map_err(|error| error.to_string())?;
    Ok(client)
}

/// The code of a GOAWAY among what came until the connection ended; `None` when it did not end.
async fn goodbye(client: &mut TcpStream) -> Option<u32> {
    let mut all = Vec::new();
    timeout(Duration::from_secs(3), client.read_to_end(&mut all)).await.ok()?.ok();
    let mut rest = all.as_slice();
    let mut code = None;
    while let [a, b, c, kind, ..] = *rest {
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let payload = rest.get(9..9 + length)?;
        if let (GOAWAY, [_, _, _, _, error @ ..]) = (kind, payload) {
            code = error.get(..4).and_then(|error| error.try_into().ok()).map(u32::from_be_bytes);
        }
        rest = &rest[9 + length..];
    }
    Some(code.unwrap_or(0))
}

/// ENHANCE_YOUR_CALM (RFC 9113, section 7).
const CALM: u32 = 0xb;

async fn burst(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let from = scene.a.record.count();
    let mut client = open(scene).await?;
    let requests = (0..1_000_u32).flat_map(|number| {
        let stream = number * 2 + 1;
        [frame((HEADERS, END_STREAM | END_HEADERS), stream, &get()), frame((RST_STREAM, 0), stream, &[0, 0, 0, 8])]
            .concat()
    });
    let requests: Vec<u8> = requests.collect();
    // The connection may end before all is sent.
    let _ = client.write_all(&requests).await;
    let code = goodbye(&mut client).await;
    let asked = scene.a.record.count() - from;
    scene.tally.left("/agg", asked);
    Ok(vec![
        Bar::holds(("the goodbye", "ENHANCE_YOUR_CALM"), format!("{code:?}"), code == Some(CALM)),
        Bar::at_most("calls of A", asked, 50),
    ])
}

async fn paced(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    // So that none is answered before it is reset.
    scene.a.play(|_| Reply::json(200, r#"{"value":"a"}"#).after(Duration::from_millis(200)));
    let from = scene.a.record.count();
    let mut client = open(scene).await?;
    let mut sent = 0_u32;
    while sent < 3_000 {
        let stream = sent * 2 + 1;
        let request = frame((HEADERS, END_STREAM | END_HEADERS), stream, &get());
        let reset = frame((RST_STREAM, 0), stream, &[0, 0, 0, 8]);
        if client.write_all(&request).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(1)).await;
        if client.write_all(&reset).await.is_err() {
            break;
        }
        sent += 1;
    }
    let ended = goodbye(&mut client).await.is_some();
    let asked = scene.a.record.count() - from;
    scene.tally.left("/agg", asked);
    Ok(vec![Bar::equal("the connection ended", ended, true), Bar::at_most("calls of A", asked, 500)])
}

/// Frames of each flood; a tenth of the matrix's.
const FRAMES: usize = 30_000;

async fn floods(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let request = frame((HEADERS, END_HEADERS), 1, &get());
    let open_head = frame((HEADERS, 0), 1, &get());
    let floods = [
        ("SETTINGS", Vec::new(), frame((SETTINGS, 0), 0, &[])),
        ("PING", Vec::new(), frame((PING, 0), 0, &[0; 8])),
        ("PRIORITY", Vec::new(), frame((PRIORITY, 0), 1, &[0, 0, 0, 3, 1])),
        ("WINDOW_UPDATE", Vec::new(), frame((WINDOW_UPDATE, 0), 0, &[0, 0, 0, 1])),
        ("empty DATA", request, frame((DATA, 0), 1, &[])),
        ("CONTINUATION", open_head, frame((CONTINUATION, 0), 1, &[])),
    ];
    let held = || scene.gateway.held().unwrap_or_default();
    let memory = held().memory;
    // A build without optimisation is many times slower; a fiftieth of a request is about as much where there is one.
    let of_all = (Duration::from_secs(1) / 300_000).max(scene.control.request / 50) * FRAMES as u32;
    let mut bars = Vec::new();
    for (what, first, piece) in floods {
        let before = held().processor;
        let mut client = open(scene).await?;
        let (mut read, mut write) = client.split();
        let mut ignored = tokio::io::sink();
        let send = async {
            let _ = write.write_all(&first).await;
            for _ in 0..FRAMES / 100 {
                if write.write_all(&piece.repeat(100)).await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            _ = tokio::io::copy(&mut read, &mut ignored) => {}
            () = send => {}
        }
        let took = held().processor - before;
        bars.push(Bar::within(what, took, of_all));
    }
    bars.push(Bar::at_most("rise of memory, KiB", held().memory.saturating_sub(memory), 8 << 10));
    Ok(bars)
}
