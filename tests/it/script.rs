//! What a scripted backend answers: the `backend NAME` blocks of a behaviour document, read.
//!
//! The grammar is told in `tests/behaviour/README.md`.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;

/// All that one backend answers.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// The name in the composition's `http://NAME.test`.
    pub(crate) name: String,
    /// The backend whose port it has, and the address of this machine at which it has it; a port of its own unless said.
    pub(crate) beside: Option<(String, IpAddr)>,
    /// Tried from the first to the last.
    pub(crate) rules: Vec<Rule>,
}

/// One question and its answers in turn; the last one stands for all further calls.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// What is asked.
    pub(crate) asked: Asked,
    /// Header fields or metadata that the call must have.
    pub(crate) with: Vec<(String, String)>,
    /// At least one.
    pub(crate) replies: Vec<Reply>,
}

/// What a call must look like for a rule to answer it.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// `GET /products/7`, perhaps with a body that must be equal byte for byte; a `*` stands for anything.
    Rest { method: String, target: String, body: Option<String> },
    /// `rpc package.Service/Method`, perhaps with a message that must be equal as JSON.
    Rpc { path: String, message: Option<Value> },
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// How long the backend waits before it does anything.
    pub(crate) delay: Duration,
    /// What it does then.
    pub(crate) act: Act,
    /// Header fields, or initial metadata.
    pub(crate) headers: Vec<(String, String)>,
    /// Trailing metadata.
    pub(crate) trailers: Vec<(String, String)>,
}

/// What a backend does with a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// Never answers, and notices when the caller gives up.
    Hang,
    /// Closes the connection without a byte (REST), or resets the stream (gRPC).
    Close,
    /// Writes exactly these bytes on the socket and closes (REST); sends them as DATA, with status 0 (gRPC).
    Bytes(Vec<u8>),
    /// An HTTP response.
    Http { status: u16, body: String, whole: bool },
    /// An HTTP response whose body is in a content coding.
    Coded { status: u16, coding: String, body: String },
    /// An HTTP response whose body is one JSON string of so many bytes, made while it is sent.
    Long { status: u16, size: u64 },
    /// A gRPC message and status 0 in trailers.
    Message(Value),
    /// A gRPC message in gzip, which the metadata calls by this name, and status 0 in trailers.
    Packed { named: String, message: Value },
    /// Messages of a gRPC stream, and then what [`Last`] says.
    Stream(Vec<Value>, Last),
    /// A gRPC message and then the end of the stream without any trailers.
    NoTrailers(Value),
    /// A gRPC status: in trailers after headers, or in the headers alone.
    Status { code: u8, text: String, trailers_only: bool },
}

/// What comes behind the messages of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Last {
    /// A gRPC status in trailers.
    Status { code: u8, text: String },
    /// Nothing: the stream stays open, and the backend notices when the caller gives it up.
    Hang,
    /// The stream is reset.
    Close,
}

/// Reads the block of the backend `name`.
///
/// # Errors
/// The line that cannot be read, and why.
pub(crate) fn read(name: &str, text: &str) -> Result<Script, String> {
    let mut rules: Vec<Rule> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let wrong = |why: String| format!("backend {name}: {why}: {line}");
        if line.starts_with([' ', '\t']) {
            let rule = rules.last_mut().ok_or_else(|| wrong("nothing stands above".into()))?;
            continue_rule(rule, line.trim()).map_err(wrong)?;
            continue;
        }
        let (asked, reply) = match line.split_once(" -> ") {
            Some((asked, reply)) => (asked, vec![read_reply(reply).map_err(wrong)?]),
            None => (line, Vec::new()),
        };
        let asked = read_asked(asked.trim()).map_err(wrong)?;
        rules.push(Rule { asked, with: Vec::new(), replies: reply });
    }
    match rules.iter().find(|rule| rule.replies.is_empty()) {
        Some(rule) => Err(format!("backend {name}: no reply for {:?}", rule.asked)),
        None => Ok(Script { name: name.to_owned(), beside: None, rules }),
    }
}

/// Reads the question of a rule or a line of a `calls` block: `GET /a {"b":1}` or `rpc p.S/M {"b":1}`.
pub(crate) fn read_asked(text: &str) -> Result<Asked, String> {
    let mut words = text.splitn(3, ' ');
    let (first, second, rest) = (words.next().unwrap_or_default(), words.next(), words.next().map(str::trim));
    let Some(second) = second else { return Err("expected `METHOD TARGET` or `rpc SERVICE/METHOD`".into()) };
    if first != "rpc" {
        return Ok(Asked::Rest { method: first.to_owned(), target: second.to_owned(), body: rest.map(str::to_owned) });
    }
    let message = rest.map(serde_json::from_str).transpose().map_err(|error| format!("no JSON message: {error}"))?;
    Ok(Asked::Rpc { path: format!("/{second}"), message })
}

fn continue_rule(rule: &mut Rule, line: &str) -> Result<(), String> {
    if let Some(reply) = line.strip_prefix("-> ") {
        rule.replies.push(read_reply(reply)?);
        return Ok(());
    }
    let (name, value) = line.split_once(':').ok_or("expected `-> REPLY`, `with name: value` or `name: value`")?;
    let (name, value) = (name.trim(), value.trim().to_owned());
    if let Some(name) = name.strip_prefix("with ") {
        rule.with.push((name.trim().to_ascii_lowercase(), value));
        return Ok(());
    }
    let reply = rule.replies.last_mut().ok_or("a header stands before the reply")?;
    match name.strip_prefix("trailer ") {
        Some(name) => reply.trailers.push((name.trim().to_owned(), value)),
        None => reply.headers.push((name.to_owned(), value)),
    }
    Ok(())
}

fn read_reply(text: &str) -> Result<Reply, String> {
    let mut text = text.trim();
    let mut delay = Duration::ZERO;
    if let Some(rest) = text.strip_prefix("after ") {
        let (duration, rest) = rest.split_once(' ').ok_or("`after` needs a duration and a reply")?;
        (delay, text) = (read_duration(duration)?, rest.trim());
    }
    Ok(Reply { delay, act: read_act(text)?, headers: Vec::new(), trailers: Vec::new() })
}

fn read_act(text: &str) -> Result<Act, String> {
    let (word, rest) = text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim()));
    let json = |text: &str| serde_json::from_str(text).map_err(|error| format!("no JSON message: {error}"));
    match word {
        "hang" => Ok(Act::Hang),
        "close" => Ok(Act::Close),
        "bytes" => read_bytes(rest).map(Act::Bytes),
        "status" => read_status(rest, false),
        "trailers-only" => read_status(rest, true),
        "stream" => read_stream(rest),
        "no-trailers" => json(rest).map(Act::NoTrailers),
        "packed" => {
            let (named, message) = rest.split_once(' ').ok_or("expected `packed NAME MESSAGE`")?;
            Ok(Act::Packed { named: named.to_owned(), message: json(message)? })
        }
        _ if text.starts_with('{') => json(text).map(Act::Message),
        _ => read_http(word, rest),
    }
}

/// Reads `{…} {…}`, perhaps with `then status NAME "text"`, `then hang` or `then close`.
fn read_stream(text: &str) -> Result<Act, String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let (mut messages, mut end) = (Vec::new(), 0);
    while let Some(Ok(value)) = values.next() {
        messages.push(value);
        end = values.byte_offset();
    }
    let last = match text[end..].trim().strip_prefix("then ") {
        None if text[end..].trim().is_empty() => Last::Status { code: 0, text: String::new() },
        Some("hang") => Last::Hang,
        Some("close") => Last::Close,
        Some(then) => match then.strip_prefix("status ").map(|rest| read_status(rest, false)).transpose()? {
            Some(Act::Status { code, text, .. }) => Last::Status { code, text },
            _ => return Err(format!("what follows `then` is none of `status`, `hang`, `close`: {then}")),
        },
        None => return Err(format!("no JSON message: {}", &text[end..])),
    };
    Ok(Act::Stream(messages, last))
}

fn read_http(word: &str, rest: &str) -> Result<Act, String> {
    let status = word.parse().map_err(|_| format!("`{word}` is neither a status nor a word of the grammar"))?;
    if let Some(size) = rest.strip_prefix("string of ") {
        let size = size.strip_suffix("MiB").and_then(|count| count.parse::<u64>().ok()).ok_or("expected `… MiB`")?;
        return Ok(Act::Long { status, size: size << 20 });
    }
    if let Some((coding @ ("gzip" | "br" | "zstd"), body)) = rest.split_once(' ') {
        return Ok(Act::Coded { status, coding: coding.to_owned(), body: body.to_owned() });
    }
    match rest.strip_prefix("cut ") {
        Some(body) => Ok(Act::Http { status, body: body.to_owned(), whole: false }),
        None => Ok(Act::Http { status, body: rest.to_owned(), whole: true }),
    }
}

fn read_status(rest: &str, trailers_only: bool) -> Result<Act, String> {
    let (name, text) = rest.split_once(' ').unwrap_or((rest, "\"\""));
    let code = STATUSES.iter().position(|status| *status == name).ok_or_else(|| format!("no gRPC status: {name}"))?;
    let text = serde_json::from_str(text).map_err(|error| format!("no quoted text: {error}"))?;
    Ok(Act::Status { code: u8::try_from(code).unwrap_or(u8::MAX), text, trailers_only })
}

/// google.rpc.Code, by number.
pub(crate) const STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Reads `50ms` or `2s`.
pub(crate) fn read_duration(text: &str) -> Result<Duration, String> {
    let number = |digits: &str| digits.parse::<u64>().map_err(|_| format!("no duration: {text}"));
    match text.strip_suffix("ms") {
        Some(digits) => number(digits).map(Duration::from_millis),
        None => number(text.strip_suffix('s').unwrap_or_default()).map(Duration::from_secs),
    }
}

/// Reads `"…"` with `\r`, `\n`, `\\`, `\"` and `\xNN` into bytes.
pub(crate) fn read_bytes(text: &str) -> Result<Vec<u8>, String> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or("expected quoted bytes")?;
    let (mut bytes, mut rest) = (Vec::new(), inner.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (escape, after) = rest.split_first().ok_or("a lone backslash")?;
        rest = after;
        match escape {
            b'r' => bytes.push(b'\r'),
            b'n' => bytes.push(b'\n'),
            b'\\' | b'"' => bytes.push(*escape),
            b'x' => {
                let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default();
                bytes.push(u8::from_str_radix(digits, 16).map_err(|_| "expected two hexadecimal digits")?);
                rest = &rest[2..];
            }
            _ => return Err(format!("unknown escape \\{}", char::from(*escape))),
        }
    }
    Ok(bytes)
}
