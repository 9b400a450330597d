//! Backends that say themselves what they promise, spoken to by a server of other make: grpcio-reflection.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::behaviour::send;
use crate::certificates;
use crate::claim::{claims, repository, run};
use crate::document::Request;
use crate::gateway::Running;
use crate::peer::{next, python};
use crate::project::Project;
use crate::reload::ask;

claims![
    a_server_is_asked_in_the_first_version_of_reflection,
    a_server_that_knows_only_the_alpha_version_is_asked_in_that,
    what_a_server_says_is_a_contract_like_any_other,
    a_server_that_refuses_the_caller_is_quoted,
    a_server_without_reflection_is_named,
    a_server_is_asked_over_tls_with_the_certificate_of_the_gateway,
    what_a_server_says_anew_is_a_changed_project,
    a_server_that_is_away_at_a_reload_is_taken_at_its_word,
    a_reply_against_what_a_server_says_lets_it_be_asked_again,
];

const COMPOSITION: &str = r#"
backends:
  mirror: { grpc: "http://ADDRESS", reflection: true, metadata: { x-token: "${env('SELVEDGE_TEST_NONE', 'TOKEN')}" } }
endpoints:
  GET /mirror/{id}:
    args: { id: ID! }
    steps:
      got: { backend: mirror, rpc: mirror.v1.Mirror/Get, message: { id: "${args.id}" } }
    result: { key: "${got.key.id}", text: "${got.text}" }
"#;

/// The same over TLS.
const SECURED: &str = r#""https://localhost:PORT", tls: { authorities: /tls.test/authority.pem }"#;
/// What it shows the server then.
const SHOWN: &str = ", auth: { mtls: { certificate: /tls.test/client.pem, key: /tls.test/client.key } }";

/// A server with these arguments, the versions that it speaks among them, and a project whose backend it is. The server ends with the first.
async fn project(arguments: &[&str], named: (&str, &str)) -> Result<(Child, Project), String> {
    let (server, mut said) = serve(arguments)?;
    let port = next(&mut said, "port").await?;
    Ok((server, written(named, &port)?))
}

fn written((name, composition): (&str, &str), port: &str) -> Result<Project, String> {
    let text = composition.replace("ADDRESS", &format!("127.0.0.1:{port}")).replace("PORT", port);
    let files = [("compositions/main.yaml".to_owned(), certificates::locate(&text))];
    Project::write(&format!("reflection/{name}"), &files)
}

/// A server with these arguments, and what it says.
fn serve(arguments: &[&str]) -> Result<(Child, Lines<BufReader<ChildStdout>>), String> {
    let mut server = Command::new(python()?)
        .arg(repository("tests/peers/reflection_server.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| error.to_string())?;
    let said = BufReader::new(server.stdout.take().ok_or("no standard output")?).lines();
    Ok((server, said))
}

/// A server that is told what to say, and a gateway before it that asks it `every` so long.
struct Told {
    server: Child,
    said: Lines<BufReader<ChildStdout>>,
    gateway: Running,
}

impl Told {
    async fn start(name: &str, every: Duration) -> Result<Self, String> {
        let (server, mut said) = serve(&["v1"])?;
        let port = next(&mut said, "port").await?;
        let project = written((name, &COMPOSITION.replace("TOKEN", "t")), &port)?;
        let gateway = Running::start_asking(project.root(), every, Duration::ZERO).await?;
        Ok(Self { server, said, gateway })
    }

    async fn tell(&mut self, what: &str) -> Result<(), String> {
        let input = self.server.stdin.as_mut().ok_or("no standard input")?;
        input.write_all(format!("{what}\n").as_bytes()).await.map_err(|error| error.to_string())?;
        input.flush().await.map_err(|error| error.to_string())?;
        let done = self.said.next_line().await.map_err(|error| error.to_string())?;
        (done.as_deref() == Some("done")).then_some(()).ok_or(format!("{done:?}"))
    }

    async fn ask(&self) -> Result<(u16, String), String> {
        ask(self.gateway.address(), "GET", "/mirror/abc").await
    }

    /// What operators read of reloads, once `holds` of it.
    async fn state(&self, holds: impl Fn(&Value) -> bool) -> Result<Value, String> {
        let since = Instant::now();
        loop {
            let (_, text) = ask(self.gateway.admin_address(), "GET", "/reload").await?;
            let state: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            if holds(&state) {
                return Ok(state);
            }
            if since.elapsed() > Duration::from_secs(5) {
                return Err(text);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What the mirror answers behind a gateway.
async fn answer(arguments: &[&str], name: &str) -> Result<String, String> {
    answer_behind(arguments, (name, &COMPOSITION.replace("TOKEN", "t"))).await
}

/// The same behind a gateway with this composition.
async fn answer_behind(arguments: &[&str], named: (&str, &str)) -> Result<String, String> {
    let (_server, project) = project(arguments, named).await?;
    let gateway = Running::start(project.root()).await?;
    let request = Request {
        method: "GET".into(),
        target: "/mirror/abc".into(),
        headers: Vec::new(),
        body: Vec::new(),
        ..Request::default()
    };
    let answer = send(&gateway, &request).await?.ok_or("the client does not leave")?;
    Ok(answer.text())
}

/// What is said of a project that does not start.
async fn refusal(versions: &[&str], (name, composition): (&str, &str)) -> Result<String, String> {
    let (_server, project) = project(versions, (name, composition)).await?;
    match Running::start(project.root()).await {
        Ok(_) => Err("the project starts".to_owned()),
        Err(said) => Ok(said),
    }
}

fn a_server_is_asked_in_the_first_version_of_reflection() -> Result<(), String> {
    run(async {
        assert_eq!(answer(&["v1"], "v1").await?, r#"{"key":"abc","text":"cba"}"#);
        Ok(())
    })
}

fn a_server_that_knows_only_the_alpha_version_is_asked_in_that() -> Result<(), String> {
    run(async {
        assert_eq!(answer(&["v1alpha"], "v1alpha").await?, r#"{"key":"abc","text":"cba"}"#);
        Ok(())
    })
}

fn what_a_server_says_is_a_contract_like_any_other() -> Result<(), String> {
    run(async {
        let composition = COMPOSITION.replace("TOKEN", "t").replace("got.text", "got.txt");
        let said = refusal(&["v1"], ("contract", &composition)).await?;
        assert!(said.contains("mirror.v1.Thing has no member `txt`"), "{said}");
        assert!(said.contains("did you mean `text`?"), "{said}");
        Ok(())
    })
}

fn a_server_that_refuses_the_caller_is_quoted() -> Result<(), String> {
    run(async {
        let said = refusal(&["v1"], ("refused", COMPOSITION)).await?;
        let expected = "the backend does not say what it promises: it answers UNAUTHENTICATED no token, at 127.0.0.1:";
        assert!(said.contains(expected), "{said}");
        Ok(())
    })
}

fn a_server_without_reflection_is_named() -> Result<(), String> {
    run(async {
        let said = refusal(&[], ("without", &COMPOSITION.replace("TOKEN", "t"))).await?;
        assert!(said.contains("the backend does not say what it promises: it has no server reflection"), "{said}");
        Ok(())
    })
}

fn a_server_is_asked_over_tls_with_the_certificate_of_the_gateway() -> Result<(), String> {
    run(async {
        let authority = certificates::file("authority.pem");
        let folder = authority.parent().and_then(std::path::Path::to_str).ok_or("no folder")?;
        let composition = COMPOSITION.replace("TOKEN", "t").replace("\"http://ADDRESS\"", SECURED);
        let showing = composition.replace(SECURED, &format!("{SECURED}{SHOWN}"));
        let arguments = ["--tls", folder, "v1"];
        let text = answer_behind(&arguments, ("tls", &showing)).await?;
        assert_eq!(text, r#"{"key":"abc","text":"cba"}"#);
        let said = refusal(&arguments, ("tls-nobody", &composition)).await?;
        assert!(said.contains("the backend does not say what it promises"), "{said}");
        Ok(())
    })
}

/// Longer than any claim lasts.
const NEVER: Duration = Duration::from_secs(3600);
const ANSWER: &str = r#"{"key":"abc","text":"cba"}"#;

fn what_a_server_says_anew_is_a_changed_project() -> Result<(), String> {
    run(async {
        let mut told = Told::start("anew", Duration::from_millis(100)).await?;
        // The composition reads a field that is gone: it is a mistake, and what was served before still is.
        told.tell("text note").await?;
        let state = told.state(|state| state["failed"] == 1).await?;
        let message = state["last_reload"]["diagnostics"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains("mirror.v1.Thing has no member `text`"), "{state}");
        assert_eq!(told.ask().await?, (200, ANSWER.to_owned()));
        // What was said is said once, however often the backend is asked.
        tokio::time::sleep(Duration::from_millis(400)).await;
        told.state(|state| state["failed"] == 1 && state["taken_up"] == 0).await?;
        told.tell("text text").await?;
        told.state(|state| state["taken_up"] == 1 && state["last_reload"]["ok"] == true).await?;
        told.gateway.stop().await;
        Ok(())
    })
}

fn a_server_that_is_away_at_a_reload_is_taken_at_its_word() -> Result<(), String> {
    run(async {
        let mut told = Told::start("away", NEVER).await?;
        told.server.kill().await.map_err(|error| error.to_string())?;
        let (status, text) = ask(told.gateway.admin_address(), "POST", "/reload").await?;
        assert_eq!((status, text.as_str()), (200, "taken up; no file changed\n"));
        told.gateway.stop().await;
        Ok(())
    })
}

fn a_reply_against_what_a_server_says_lets_it_be_asked_again() -> Result<(), String> {
    run(async {
        let mut told = Told::start("doubt", NEVER).await?;
        told.tell("text note").await?;
        assert_eq!(told.ask().await?, (200, ANSWER.to_owned()));
        tokio::time::sleep(Duration::from_millis(200)).await;
        told.state(|state| state["failed"] == 0).await?;
        told.tell("forget").await?;
        assert_eq!(told.ask().await?.0, 502);
        told.state(|state| state["failed"] == 1).await?;
        told.gateway.stop().await;
        Ok(())
    })
}
