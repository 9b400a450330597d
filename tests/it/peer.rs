//! The gateway against a gRPC server of other make: grpcio, whose transport is the C core of gRPC.
//!
//! `tests/run` installs it below the target folder; without it these claims fail and say so.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::behaviour::send;
use crate::certificates;
use crate::claim::{claims, repository, run};
use crate::document::Request;
use crate::gateway::Running;
use crate::http1::Message;
use crate::project::Project;
use crate::script::STATUSES;

claims![
    a_unary_call_to_a_foreign_server_succeeds,
    every_status_of_a_foreign_server_is_read_in_trailers_and_alone,
    metadata_of_text_and_bytes_goes_both_ways,
    large_messages_go_both_ways,
    a_foreign_server_is_asked_over_tls_and_answers_in_gzip,
    a_foreign_server_is_told_the_deadline,
    a_foreign_server_sees_within_100_ms_that_a_client_left,
];

const COMPOSITION: &str = r#"
backends:
  peer: { grpc: "http://ADDRESS", proto: proto/peer.proto, reads: all, max_reply: 8MiB }
endpoints:
  POST /echo:
    max_body: 4MiB
    steps:
      told:
        backend: peer
        rpc: peer.v1.Peer/Echo
        message: { text: "${request.body.text}", number: "${request.body.number}" }
        metadata: { x-user: Ann, x-trace-bin: AAEC/w }
        result: { text: "${reply.text}", seen: "${meta.headers['x-seen']}", seen_bin: "${meta.headers['x-seen-bin']}", last: "${meta.headers['x-last']}", last_bin: "${meta.headers['x-last-bin']}" }
    result: ${told}
  GET /fail/{number}:
    args: { number: Int! }
    steps:
      late: { backend: peer, rpc: peer.v1.Peer/Fail, message: { text: trailers, number: "${args.number}" }, optional: true }
      early: { backend: peer, rpc: peer.v1.Peer/Fail, message: { number: "${args.number}" }, optional: true }
    result: ["${steps.late.error.status}", "${steps.early.error.status}"]
  GET /wait:
    timeout: 700ms
    steps: { w: { backend: peer, rpc: peer.v1.Peer/Wait } }
    result: ${w}
"#;

/// What the composition says of a backend over TLS.
const SECURED: &str = ", tls: { authorities: /tls.test/authority.pem }, \
                       auth: { mtls: { certificate: /tls.test/client.pem, key: /tls.test/client.key } }";

/// The foreign server and a gateway before it.
struct Stage {
    gateway: Running,
    said: Lines<BufReader<ChildStdout>>,
    /// Ends the server when dropped.
    _server: Child,
}

impl Stage {
    async fn set(name: &str) -> Result<Self, String> {
        Self::set_with(name, None).await
    }

    /// The same over TLS and in gzip, with the certificates of a folder.
    async fn set_secured(name: &str) -> Result<Self, String> {
        let certificate = certificates::file("server.pem");
        Self::set_with(name, certificate.parent()).await
    }

    async fn set_with(name: &str, certificates: Option<&Path>) -> Result<Self, String> {
        let python = python()?;
        let mut server = Command::new(python)
            .arg(repository("tests/peers/grpc_server.py"))
            .args(certificates)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut said = BufReader::new(server.stdout.take().ok_or("no standard output")?).lines();
        let port = next(&mut said, "port").await?;
        let proto = std::fs::read_to_string(repository("tests/peers/peer.proto")).map_err(|error| error.to_string())?;
        let composition = match certificates {
            None => COMPOSITION.replace("ADDRESS", &format!("127.0.0.1:{port}")),
            Some(_) => crate::certificates::locate(
                &COMPOSITION.replace("http://ADDRESS\"", &format!("https://localhost:{port}\"{SECURED}")),
            ),
        };
        let files = [("compositions/main.yaml".to_owned(), composition), ("proto/peer.proto".to_owned(), proto)];
        let project = Project::write(&format!("peer/{name}"), &files)?;
        Ok(Self { gateway: Running::start(project.root()).await?, said, _server: server })
    }

    async fn get(&self, target: &str) -> Result<Message, String> {
        let answer = send(&self.gateway, &request("GET", target, Vec::new())).await?;
        answer.ok_or_else(|| "the client does not leave".into())
    }

    async fn echo(&self, text: &str, number: usize) -> Result<serde_json::Value, String> {
        let body = serde_json::json!({ "text": text, "number": number }).to_string().into_bytes();
        let answer = send(&self.gateway, &request("POST", "/echo", body)).await?.ok_or("the client does not leave")?;
        match answer.status() {
            200 => serde_json::from_slice(&answer.body).map_err(|error| error.to_string()),
            _ => Err(format!("{}\n{}", answer.first_line, answer.text())),
        }
    }
}

fn request(method: &str, target: &str, body: Vec<u8>) -> Request {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Request { method: method.into(), target: target.into(), headers, body, ..Request::default() }
}

/// The interpreter that `tests/run` prepares.
pub(crate) fn python() -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    let python = target.join("peers/bin/python");
    match python.exists() {
        true => Ok(python),
        false => Err(format!("no Python with grpcio at {}; `tests/run` installs it", python.display())),
    }
}

/// The rest of the next line, which must begin with `word`.
pub(crate) async fn next(said: &mut Lines<BufReader<ChildStdout>>, word: &str) -> Result<String, String> {
    let line = tokio::time::timeout(Duration::from_secs(10), said.next_line()).await;
    let line = line.map_err(|_| format!("the server does not say `{word}`"))?.map_err(|error| error.to_string())?;
    let line = line.ok_or("the server ended")?;
    line.strip_prefix(word).map(|rest| rest.trim().to_owned()).ok_or(format!("expected `{word}`, found `{line}`"))
}

fn a_unary_call_to_a_foreign_server_succeeds() -> Result<(), String> {
    run(async {
        let stage = Stage::set("unary").await?;
        assert_eq!(stage.echo("Grüße ", 2).await?["text"], "Grüße Grüße ");
        Ok(())
    })
}

fn every_status_of_a_foreign_server_is_read_in_trailers_and_alone() -> Result<(), String> {
    run(async {
        let stage = Stage::set("statuses").await?;
        // The mapping of google.rpc.Code, from CANCELLED on.
        let expected = [499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
        for ((number, name), status) in STATUSES.iter().enumerate().skip(1).zip(expected) {
            let answer = stage.get(&format!("/fail/{number}")).await?;
            // DEADLINE_EXCEEDED is the failure `timeout`, which has no status of the backend.
            let shown = if *name == "DEADLINE_EXCEEDED" { answer.text() } else { format!("[{status},{status}]") };
            assert_eq!(answer.text(), shown, "{name}");
            let code = match *name {
                "DEADLINE_EXCEEDED" => "timeout",
                "RESOURCE_EXHAUSTED" => "backend_busy",
                _ => "backend_status",
            };
            assert_eq!(
                answer.header("selvedge-partial"),
                Some(format!("early;code={code}, late;code={code}")),
                "{name}"
            );
        }
        Ok(())
    })
}

fn metadata_of_text_and_bytes_goes_both_ways() -> Result<(), String> {
    run(async {
        let told = Stage::set("metadata").await?.echo("a", 1).await?;
        assert_eq!((told["seen"].as_str(), told["last"].as_str()), (Some("Ann"), Some("two words")));
        // Bytes are base64 in a composition, with or without padding.
        let unpadded = |value: &serde_json::Value| value.as_str().map(|text| text.trim_end_matches('=').to_owned());
        assert_eq!(unpadded(&told["seen_bin"]).as_deref(), Some("AAEC/w"));
        assert_eq!(unpadded(&told["last_bin"]).as_deref(), Some("AP/+"));
        Ok(())
    })
}

fn large_messages_go_both_ways() -> Result<(), String> {
    run(async {
        let stage = Stage::set("large").await?;
        let long = "0123456789abcdef".repeat(64 << 10);
        assert_eq!(stage.echo(&long, 1).await?["text"].as_str(), Some(long.as_str()));
        assert_eq!(stage.echo(&long, 5).await?["text"].as_str().map(str::len), Some(5 << 20));
        Ok(())
    })
}

fn a_foreign_server_is_asked_over_tls_and_answers_in_gzip() -> Result<(), String> {
    run(async {
        let stage = Stage::set_secured("secured").await?;
        assert_eq!(stage.echo("Grüße ", 2).await?["text"], "Grüße Grüße ");
        let long = "0123456789abcdef".repeat(64 << 10);
        assert_eq!(stage.echo(&long, 5).await?["text"].as_str().map(str::len), Some(5 << 20));
        // What comes out of gzip counts, and not the little that came.
        let too_large = stage.echo(&long, 9).await;
        assert!(too_large.as_ref().is_err_and(|answer| answer.contains("reply_too_large")), "{too_large:?}");
        Ok(())
    })
}

fn a_foreign_server_is_told_the_deadline() -> Result<(), String> {
    run(async {
        let mut stage = Stage::set("deadline").await?;
        let asked = Instant::now();
        let answer = stage.get("/wait").await?;
        assert_eq!(answer.status(), 504);
        assert!(asked.elapsed() < Duration::from_millis(900), "{:?}", asked.elapsed());
        let seconds: f64 = next(&mut stage.said, "deadline").await?.parse().map_err(|_| "no deadline was sent")?;
        assert!((0.3..=0.7).contains(&seconds), "{seconds}");
        Ok(())
    })
}

fn a_foreign_server_sees_within_100_ms_that_a_client_left() -> Result<(), String> {
    run(async {
        let mut stage = Stage::set("cancel").await?;
        let leaving = Request { leaves: Some(Duration::from_millis(150)), ..request("GET", "/wait", Vec::new()) };
        send(&stage.gateway, &leaving).await?;
        let left = Instant::now();
        next(&mut stage.said, "deadline").await?;
        next(&mut stage.said, "cancelled").await?;
        assert!(left.elapsed() < Duration::from_millis(100), "{:?}", left.elapsed());
        Ok(())
    })
}
