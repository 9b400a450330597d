//! Backends that say themselves what they promise, spoken to by a server of other make: grpcio-reflection.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::behaviour::send;
use crate::certificates;
use crate::claim::{claims, repository, run};
use crate::document::Request;
use crate::gateway::Running;
use crate::peer::{next, python};
use crate::project::Project;

claims![
    a_server_is_asked_in_the_first_version_of_reflection,
    a_server_that_knows_only_the_alpha_version_is_asked_in_that,
    what_a_server_says_is_a_contract_like_any_other,
    a_server_that_refuses_the_caller_is_quoted,
    a_server_without_reflection_is_named,
    a_server_is_asked_over_tls_with_the_certificate_of_the_gateway,
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
async fn project(arguments: &[&str], (name, composition): (&str, &str)) -> Result<(Child, Project), String> {
    let mut server = Command::new(python()?)
        .arg(repository("tests/peers/reflection_server.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut said = BufReader::new(server.stdout.take().ok_or("no standard output")?).lines();
    let port = next(&mut said, "port").await?;
    let text = composition.replace("ADDRESS", &format!("127.0.0.1:{port}")).replace("PORT", &port);
    let text = certificates::locate(&text);
    let files = [("compositions/main.yaml".to_owned(), text)];
    Ok((server, Project::write(&format!("reflection/{name}"), &files)?))
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
