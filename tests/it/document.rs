//! A behaviour document, read: its project, its backends, and what happens in which order.
//!
//! The form is told in `tests/behaviour/README.md`.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::script::{self, Asked, Script};
use crate::zone::{self, Zone};

/// One file of `tests/behaviour/`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    /// The claim.
    pub(crate) title: String,
    /// The project: path in the project folder, and text.
    pub(crate) files: Vec<(String, String)>,
    /// The profile that it is started with.
    pub(crate) profile: Option<String>,
    /// The backends that it calls.
    pub(crate) backends: Vec<Script>,
    /// What the name server answers, if there is one.
    pub(crate) names: Option<Zone>,
    /// What happens, in order.
    pub(crate) events: Vec<Event>,
}

/// One step of a document, with the line where its block begins.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// From 1.
    pub(crate) line: usize,
    /// What happens.
    pub(crate) kind: Kind,
}

/// What happens in a document.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The client sends this.
    Request(Request),
    /// The client must have received this.
    Answer(Answer),
    /// The backends must have received exactly this since the last such block.
    Calls(Calls),
    /// Operators must be told exactly this about what replies do not keep: one line for each promise.
    Drift(Vec<String>),
    /// The access log must have got exactly these lines since the last such block; `*` stands for anything.
    Log(Vec<String>),
    /// The gateway must have ended so long after it was told to: the shortest and the longest time.
    End(Duration, Duration),
}

impl Document {
    /// Whether it is about the command itself: what it logs, and how it ends.
    pub(crate) fn is_of_the_command(&self) -> bool {
        self.events.iter().any(|event| match &event.kind {
            Kind::Log(_) | Kind::End(..) => true,
            Kind::Request(request) => request.way.drains.is_some(),
            _ => false,
        })
    }
}

/// A request of the client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// The HTTP method.
    pub(crate) method: String,
    /// Path and query as they go on the wire.
    pub(crate) target: String,
    /// Header fields beyond `host` and `content-length`.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// The client closes the connection so long after it sent the request.
    pub(crate) leaves: Option<Duration>,
    /// How it comes to the gateway.
    pub(crate) way: Way,
}

/// How a request comes to the gateway: as one of a client, to where it listens, without TLS, unless said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Whose request it is.
    pub(crate) from: Asker,
    /// The address of this machine that it is sent to.
    pub(crate) at: Option<IpAddr>,
    /// The version of TLS.
    pub(crate) tls: Option<Tls>,
    /// The gateway is told to end so long after it was sent.
    pub(crate) drains: Option<Duration>,
}

/// Whose request it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A client's.
    #[default]
    Client,
    /// An operator's, who has an address of its own.
    Operator,
}

/// Versions of TLS that the client of a document speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// 1.2 and no other.
    Old,
    /// 1.3 and no other.
    New,
}

/// An answer as it must be.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The HTTP status; `None` where no answer must come.
    pub(crate) status: Option<u16>,
    /// The longest time from sending the request to the end of the answer.
    pub(crate) within: Option<Duration>,
    /// The shortest such time.
    pub(crate) after: Option<Duration>,
    /// Whether the body is compared as JSON instead of byte for byte.
    pub(crate) json: bool,
    /// Header fields with these values (`*`: any), or, with `None`, not there.
    pub(crate) headers: Vec<(String, Option<String>)>,
    /// The body; `...` alone stands for any, `"*"` in it for any JSON string. Where no answer must come, a part of the
    /// reason.
    pub(crate) body: String,
}

/// The calls that must have been made.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    /// Whether they must have arrived in this order.
    pub(crate) in_order: bool,
    /// The calls.
    pub(crate) calls: Vec<Expected>,
}

/// One call that must have been made.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The line as written.
    pub(crate) text: String,
    /// The backend.
    pub(crate) backend: String,
    /// The question; without body or message any will do.
    pub(crate) asked: Asked,
    /// Header fields with these values (`*`: any), or, with `None`, not there.
    pub(crate) headers: Vec<(String, Option<String>)>,
    /// Whether the backend must have seen the call given up.
    pub(crate) cancelled: bool,
}

/// Reads a document.
///
/// # Errors
/// What is wrong with it, with the line.
pub(crate) fn read(text: &str) -> Result<Document, String> {
    let mut document = Document::default();
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("# ") {
            document.title = title.to_owned();
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        read_block(&mut document, number, info, &block.join("\n")).map_err(|why| format!("line {number}: {why}"))?;
    }
    match document.title.is_empty() {
        true => Err("no title: the first line must be `# ` and a claim".into()),
        false => Ok(document),
    }
}

fn read_block(document: &mut Document, line: usize, info: &str, text: &str) -> Result<(), String> {
    let words: Vec<&str> = info.split_whitespace().collect();
    let kind = match words.as_slice() {
        ["yaml", "composition"] => return project_file(document, "compositions/main.yaml", text),
        ["yaml", "composition", name] => return project_file(document, &format!("compositions/{name}"), text),
        ["yaml", "profile", name] => {
            document.profile = Some((*name).to_owned());
            return project_file(document, &format!("compositions/{name}/main.yaml"), text);
        }
        ["json", "composition", name] => return project_file(document, &format!("compositions/{name}"), text),
        ["yaml" | "json", "schema", name] => return project_file(document, &format!("schema/{name}"), text),
        ["graphql", "schema"] => return project_file(document, "schema/schema.graphql", text),
        ["proto", name] | ["descriptors", name] => return project_file(document, &format!("proto/{name}"), text),
        ["backend", name] => {
            document.backends.push(script::read(name, text)?);
            return Ok(());
        }
        ["backend", name, "beside", other, "at", address] => {
            let address = address.parse().map_err(|_| format!("no address: {address}"))?;
            let beside = Some(((*other).to_owned(), address));
            document.backends.push(Script { beside, ..script::read(name, text)? });
            return Ok(());
        }
        ["names"] => {
            document.names = Some(zone::read(text)?);
            return Ok(());
        }
        ["text"] => return Ok(()),
        ["request"] => Kind::Request(read_request(text)?),
        ["operator", "request"] => asked(text, Way { from: Asker::Operator, ..Way::default() })?,
        ["request", "over", "TLS", "1.2"] => asked(text, Way { tls: Some(Tls::Old), ..Way::default() })?,
        ["request", "over", "TLS", "1.3"] => asked(text, Way { tls: Some(Tls::New), ..Way::default() })?,
        ["graphql", "request"] => Kind::Request(read_graphql(text)?),
        ["answer"] => Kind::Answer(read_answer(text)?),
        ["calls"] => Kind::Calls(Calls { in_order: false, calls: read_calls(text)? }),
        ["calls", "in", "order"] => Kind::Calls(Calls { in_order: true, calls: read_calls(text)? }),
        ["drift"] => Kind::Drift(lines(text)),
        ["access", "log"] => Kind::Log(lines(text)),
        ["end"] => read_end(text)?,
        _ => return Err(format!("unknown block `{info}`")),
    };
    document.events.push(Event { line, kind });
    Ok(())
}

fn project_file(document: &mut Document, path: &str, text: &str) -> Result<(), String> {
    if document.files.iter().any(|(known, _)| known == path) {
        return Err(format!("{path} is written twice"));
    }
    document.files.push((path.to_owned(), format!("{text}\n")));
    Ok(())
}

/// The lines of a block, of which `none` alone says that there are none.
fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| *line != "none").map(str::to_owned).collect()
}

/// A request that comes in this way, as far as its first line does not say more.
fn asked(text: &str, way: Way) -> Result<Kind, String> {
    let request = read_request(text)?;
    Ok(Kind::Request(Request { way: Way { from: way.from, tls: way.tls, ..request.way }, ..request }))
}

fn read_request(text: &str) -> Result<Request, String> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (mut line, mut request) = (lines.next().unwrap_or_default(), Request::default());
    loop {
        if let Some((rest, after)) = line.split_once(" leaves after ") {
            (line, request.leaves) = (rest, Some(script::read_duration(after)?));
        } else if let Some((rest, after)) = line.split_once(" drains after ") {
            (line, request.way.drains) = (rest, Some(script::read_duration(after)?));
        } else if let Some((rest, address)) = line.split_once(" at ") {
            (line, request.way.at) = (rest, Some(address.parse().map_err(|_| format!("no address: {address}"))?));
        } else {
            break;
        }
    }
    let (method, target) = line.split_once(' ').ok_or("expected `METHOD TARGET`")?;
    (request.method, request.target) = (method.to_owned(), target.to_owned());
    request.headers = lines.map(read_header).collect::<Result<_, _>>()?;
    request.body = match body.strip_prefix("bytes ") {
        Some(quoted) => script::read_bytes(quoted)?,
        None => body.as_bytes().to_vec(),
    };
    Ok(request)
}

/// `after 300ms within 2s`
fn read_end(text: &str) -> Result<Kind, String> {
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["after", after, "within", within] => {
            Ok(Kind::End(script::read_duration(after)?, script::read_duration(within)?))
        }
        _ => Err("expected `after DURATION within DURATION`".into()),
    }
}

fn read_header(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(':').ok_or_else(|| format!("expected `name: value`, found {line:?}"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// A GraphQL document whose leading comments give `variables`, `operation` and further headers.
fn read_graphql(text: &str) -> Result<Request, String> {
    let mut body = json!({ "query": text });
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    for comment in text.lines().map_while(|line| line.strip_prefix("# ")) {
        if let Some(variables) = comment.strip_prefix("variables: ") {
            body["variables"] = serde_json::from_str(variables).map_err(|error| format!("variables: {error}"))?;
        } else if let Some(operation) = comment.strip_prefix("operation: ") {
            body["operationName"] = Value::from(operation);
        } else if let Some(header) = comment.strip_prefix("header: ") {
            headers.push(read_header(header)?);
        } else {
            return Err(format!("expected `# variables:`, `# operation:` or `# header:`, found {comment:?}"));
        }
    }
    let body = body.to_string().into_bytes();
    Ok(Request { method: "POST".into(), target: "/graphql".into(), headers, body, ..Request::default() })
}

fn read_answer(text: &str) -> Result<Answer, String> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split_whitespace();
    let status = match words.next() {
        Some("none") => None,
        word => Some(word.and_then(|status| status.parse().ok()).ok_or("expected a status or `none`")?),
    };
    let mut answer =
        Answer { status, within: None, after: None, json: false, headers: Vec::new(), body: body.to_owned() };
    while let Some(word) = words.next() {
        match (word, words.clone().next()) {
            ("json", _) => answer.json = true,
            ("within", Some(duration)) => answer.within = Some(script::read_duration(duration)?),
            ("after", Some(duration)) => answer.after = Some(script::read_duration(duration)?),
            _ => return Err(format!("unknown word `{word}` after the status")),
        }
        if word != "json" {
            words.next();
        }
    }
    if status.is_none() && body.is_empty() {
        return Err("below `none` stands why there is no answer".into());
    }
    answer.headers = lines.map(read_expected_header).collect::<Result<_, _>>()?;
    Ok(answer)
}

/// `name: value`, `name: *` or `no name`.
fn read_expected_header(line: &str) -> Result<(String, Option<String>), String> {
    match line.trim().strip_prefix("no ") {
        Some(name) => Ok((name.to_ascii_lowercase(), None)),
        None => read_header(line).map(|(name, value)| (name.to_ascii_lowercase(), Some(value))),
    }
}

fn read_calls(text: &str) -> Result<Vec<Expected>, String> {
    let mut calls: Vec<Expected> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && *line != "none") {
        if let (true, Some(call)) = (line.starts_with(' '), calls.last_mut()) {
            match line.trim() {
                "cancelled" => call.cancelled = true,
                header => call.headers.push(read_expected_header(header)?),
            }
            continue;
        }
        let (backend, asked) = line.split_once(' ').ok_or("expected `BACKEND CALL`")?;
        calls.push(Expected {
            text: line.to_owned(),
            backend: backend.to_owned(),
            asked: script::read_asked(asked)?,
            headers: Vec::new(),
            cancelled: false,
        });
    }
    Ok(calls)
}
