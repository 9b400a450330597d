//! The binary from outside: its exit codes, what it prints, and the demo store as a newcomer meets it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::certificates;
use crate::claim::{claims, repository};
use crate::project::Project;

claims![
    the_store_is_checked_without_a_word,
    what_cannot_be_checked_is_said_to_who_asks,
    ten_mistakes_are_ten_diagnostics_and_exit_code_1,
    files_of_tls_are_those_of_the_project,
    wrong_usage_is_exit_code_2,
    an_endpoint_and_a_field_can_be_explained,
    what_there_is_to_explain_is_listed,
    explanations_come_in_three_forms,
    a_document_can_be_explained,
    a_project_with_a_key_of_another_version_is_not_explained,
    profiles_are_checked_and_named,
    every_line_that_the_demo_prints_works_and_an_interrupt_ends_it,
    a_port_that_is_taken_is_named,
    a_changed_composition_is_checked_and_served,
];

fn selvedge(arguments: &[&str]) -> Result<Output, String> {
    let folder = repository(".");
    let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    command.args(arguments).current_dir(folder).output().map_err(|error| error.to_string())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn the_store_is_checked_without_a_word() -> Result<(), String> {
    let checked = selvedge(&["check", "."])?;
    assert_eq!((text(&checked.stdout), text(&checked.stderr)), (String::new(), String::new()));
    assert_eq!(checked.status.code(), Some(0));
    Ok(())
}

fn what_cannot_be_checked_is_said_to_who_asks() -> Result<(), String> {
    let checked = selvedge(&["check", ".", "-v"])?;
    let said = "backends.shop: paths into its replies are not checked; `openapi` names a contract\n";
    assert_eq!((text(&checked.stdout), text(&checked.stderr)), (said.to_owned(), String::new()));
    assert_eq!(checked.status.code(), Some(0));
    Ok(())
}

fn ten_mistakes_are_ten_diagnostics_and_exit_code_1() -> Result<(), String> {
    let wrong = std::fs::read_to_string(repository("tests/rejects/ten-mistakes.yaml")).map_err(|e| e.to_string())?;
    let proto = "syntax = \"proto3\";\npackage t;\nservice T { rpc Get(Key) returns (Key); }\nmessage Key { string sku = 1; }\n";
    let files = [("compositions/main.yaml".to_owned(), wrong), ("proto/t.proto".to_owned(), proto.to_owned())];
    let project = Project::write("command/ten-mistakes", &files)?;
    let checked = selvedge(&["check", &project.root().to_string_lossy()])?;
    let said = text(&checked.stderr);
    assert_eq!(said.matches("error[").count(), 10, "{said}");
    assert_eq!(said.matches("--> compositions/main.yaml:").count(), 10, "{said}");
    assert_eq!(checked.status.code(), Some(1));
    let served = selvedge(&["serve", &project.root().to_string_lossy()])?;
    assert_eq!((served.status.code(), text(&served.stderr).matches("error[").count()), (Some(1), 10));
    Ok(())
}

fn files_of_tls_are_those_of_the_project() -> Result<(), String> {
    let authority = std::fs::read_to_string(certificates::file("authority.pem")).map_err(|e| e.to_string())?;
    let composition = "backends:\n  b: { rest: \"https://localhost:1\", tls: { authorities: [tls/authority.pem, tls/none.pem] } }\n\
                       endpoints:\n  GET /b: { steps: { r: { backend: b, get: / } } }\n";
    let files =
        [("compositions/main.yaml".to_owned(), composition.to_owned()), ("tls/authority.pem".to_owned(), authority)];
    let project = Project::write("command/tls", &files)?;
    // The command runs in another folder.
    let checked = selvedge(&["check", &project.root().to_string_lossy()])?;
    let said = text(&checked.stderr);
    assert_eq!(said.matches("error[").count(), 1, "{said}");
    assert!(said.contains("the file is not there\n  --> compositions/main.yaml:2:77"), "{said}");
    assert!(said.contains("help: a path that does not begin with `/` is one of the project's folder"), "{said}");
    Ok(())
}

fn wrong_usage_is_exit_code_2() -> Result<(), String> {
    for arguments in [&["srve"][..], &["check", "--jsno"], &["demo", "--backend-ports", "1"], &[]] {
        let ended = selvedge(arguments)?;
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {}", text(&ended.stderr));
    }
    Ok(())
}

fn an_endpoint_and_a_field_can_be_explained() -> Result<(), String> {
    let page = selvedge(&["explain", "GET /v1/products/{id}/page"])?;
    assert_eq!(page.status.code(), Some(0), "{}", text(&page.stderr));
    assert!(text(&page.stdout).contains("catalog"), "{}", text(&page.stdout));
    let field = selvedge(&["explain", "Product.seller"])?;
    assert_eq!(field.status.code(), Some(0), "{}", text(&field.stderr));
    for (mistaken, meant) in [
        ("Product.sellr", "`Product.seller`"),
        ("GET /v1/prodcts", "`GET /v1/products`"),
        ("/v1/compar", "`/v1/compare`"),
        ("Product.name", "runs nothing"),
    ] {
        let unknown = selvedge(&["explain", mistaken])?;
        assert_eq!(unknown.status.code(), Some(2), "{mistaken}");
        assert!(text(&unknown.stderr).contains(meant), "{mistaken}: {}", text(&unknown.stderr));
    }
    Ok(())
}

fn what_there_is_to_explain_is_listed() -> Result<(), String> {
    let folder = repository(".").to_string_lossy().into_owned();
    for arguments in [&["explain"][..], &["explain", &folder]] {
        let listed = selvedge(arguments)?;
        let lines = text(&listed.stdout);
        assert_eq!(listed.status.code(), Some(0), "{}", text(&listed.stderr));
        assert!(lines.starts_with("Endpoints\n  GET /"), "{lines}");
        assert!(lines.contains("\n  POST /v1/checkout  "), "{lines}");
        assert!(lines.contains("\nFields of the graph\n  Query.products  "), "{lines}");
        assert!(lines.lines().all(|line| line.chars().count() <= 100), "{lines}");
    }
    let listed: serde_json::Value =
        serde_json::from_slice(&selvedge(&["explain", "--json"])?.stdout).map_err(|error| error.to_string())?;
    assert_eq!(listed["endpoints"][0]["name"], "GET /");
    assert!(listed["fields"].as_array().is_some_and(|fields| fields.len() > 30), "{listed}");
    Ok(())
}

fn explanations_come_in_three_forms() -> Result<(), String> {
    let chart = selvedge(&["explain", "GET /v1/compare", "--format", "mermaid"])?;
    assert!(text(&chart.stdout).starts_with("flowchart TD\n"), "{}", text(&chart.stdout));
    for json in [&["--json"][..], &["--format", "json"]] {
        let printed = selvedge(&[&["explain", "/v1/products/{id}/reviews"], json].concat())?;
        let explained: serde_json::Value =
            serde_json::from_slice(&printed.stdout).map_err(|error| error.to_string())?;
        let names = explained["explanations"].as_array().into_iter().flatten().map(|found| &found["name"]);
        let names: Vec<_> = names.collect();
        assert_eq!(names, ["GET /v1/products/{id}/reviews", "POST /v1/products/{id}/reviews"]);
    }
    Ok(())
}

fn a_document_can_be_explained() -> Result<(), String> {
    let document = "query A { categories { name } } query B { sellers { name badge } }";
    let explained = selvedge(&["explain", document, "--operation", "B"])?;
    assert_eq!(explained.status.code(), Some(0), "{}", text(&explained.stderr));
    assert!(text(&explained.stdout).starts_with("query B\n"), "{}", text(&explained.stdout));
    let project = Project::write("command/document", &[("b.graphql".to_owned(), document.to_owned())])?;
    let file = format!("@{}", project.root().join("b.graphql").display());
    let filed = selvedge(&["explain", &file, "--operation", "B"])?;
    assert_eq!(filed.stdout, explained.stdout, "{}", text(&filed.stderr));
    for (wrong, said, code) in
        [(document, "operation", 1), ("{ categoris { name } }", "1:3: ", 1), ("@no/such/file", "cannot be read", 2)]
    {
        let refused = selvedge(&["explain", wrong])?;
        assert_eq!(refused.status.code(), Some(code), "{wrong}: {}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains(said), "{wrong}: {}", text(&refused.stderr));
    }
    Ok(())
}

fn a_project_with_a_key_of_another_version_is_not_explained() -> Result<(), String> {
    let composition = "backends: { a: { rest: 'http://127.0.0.1:1' } }
endpoints:
  POST /e:
    mcp: true
    steps: { w: { backend: a, post: /w } }
";
    let project = Project::write("command/refused", &[("compositions/a.yaml".to_owned(), composition.to_owned())])?;
    let ended = selvedge(&["explain", "POST /e", &project.root().to_string_lossy()])?;
    assert_eq!((ended.status.code(), text(&ended.stdout)), (Some(1), String::new()));
    assert!(text(&ended.stderr).contains("not-supported-yet"), "{}", text(&ended.stderr));
    Ok(())
}

fn profiles_are_checked_and_named() -> Result<(), String> {
    let files = [
        ("compositions/main.yaml", "endpoints:\n  GET /page: { result: 1 }\n"),
        ("compositions/prod/main.yaml", "endpoints:\n  GET /page: { summary: The page }\n"),
        ("compositions/test/main.yaml", "endpoints:\n  GET /page: { timeot: 1s }\n"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let project = Project::write("command/profiles", &files)?;
    let root = project.root().to_string_lossy().into_owned();
    let every = selvedge(&["check", &root])?;
    let said = text(&every.stderr);
    assert_eq!(every.status.code(), Some(1), "{said}");
    assert!(said.starts_with("With the profile `test`:\n\nerror[unknown-key]"), "{said}");
    assert!(said.ends_with("1 error; nothing starts with the profile `test`\n"), "{said}");
    let as_json = text(&selvedge(&["check", &root, "--json"])?.stdout);
    assert!(as_json.contains("\"profile\":\"test\""), "{as_json}");
    assert_eq!(selvedge(&["check", &root, "--profile", "prod"])?.status.code(), Some(0));
    let explained = text(&selvedge(&["explain", "/page", &root, "--profile", "prod"])?.stdout);
    assert!(explained.contains("The page"), "{explained}");
    for command in ["check", "serve"] {
        let unknown = selvedge(&[command, &root, "--profile", "prd"])?;
        let said = text(&unknown.stderr);
        assert_eq!(unknown.status.code(), Some(2), "{said}");
        assert!(said.contains("there is no profile `prd`") && said.contains("did you mean `prod`?"), "{said}");
    }
    Ok(())
}

/// A demo that runs, ended when dropped.
struct Demo {
    process: Child,
    /// What it has printed up to its last line, "Press Ctrl-C to stop."
    banner: Vec<String>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Demo {
    fn start(folder: &Path, arguments: &[&str]) -> Result<Self, String> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_selvedge"))
            .args(["demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--backend-ports", "0,0,0,0"])
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let output = process.stdout.take().ok_or("no standard output")?;
        let mut demo = Self { process, banner: Vec::new() };
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        while !demo.banner.iter().any(|line| line.starts_with("Press Ctrl-C")) {
            let line = receiver.recv_timeout(Duration::from_secs(20)).map_err(|_| "the demo does not start")?;
            demo.banner.push(line);
        }
        Ok(demo)
    }

    /// The address of the gateway, as the banner says it.
    fn address(&self) -> Result<&str, String> {
        let line = self.banner.iter().find(|line| line.contains("/graphql")).ok_or("no line for GraphQL")?;
        let start = line.find("http://").ok_or("no address")?;
        Ok(line[start..].split("/graphql").next().unwrap_or_default())
    }

    fn interrupt(mut self) -> Result<Option<i32>, String> {
        let id = self.process.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().map_err(|error| error.to_string())?;
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(5) {
            if let Some(status) = self.process.try_wait().map_err(|error| error.to_string())? {
                return Ok(status.code());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("it goes on for five seconds after an interrupt".into())
    }
}

/// What a line of shell prints, which must succeed.
fn shell(line: &str) -> Result<String, String> {
    let ran = Command::new("sh").args(["-c", line]).output().map_err(|error| error.to_string())?;
    match ran.status.success() {
        true => Ok(text(&ran.stdout)),
        false => Err(format!("{line}\n{}", text(&ran.stderr))),
    }
}

fn every_line_that_the_demo_prints_works_and_an_interrupt_ends_it() -> Result<(), String> {
    let demo = Demo::start(&repository("."), &[])?;
    let lines: Vec<&str> =
        demo.banner.iter().map(|line| line.trim()).filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 6, "{:#?}", demo.banner);
    for line in lines {
        let answer = shell(line)?;
        let body = match answer.strip_prefix("HTTP/1.1 ") {
            Some(rest) => {
                assert!(rest.starts_with('2'), "{line}\n{answer}");
                rest.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
            }
            None => answer,
        };
        let body: serde_json::Value =
            serde_json::from_str(&body).map_err(|error| format!("{line}\n{error}\n{body}"))?;
        assert!(body.get("errors").is_none() && body.get("request_id").is_none(), "{line}\n{body}");
    }
    assert_eq!(demo.interrupt()?, Some(0));
    Ok(())
}

fn a_port_that_is_taken_is_named() -> Result<(), String> {
    let taken = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let port = taken.local_addr().map_err(|error| error.to_string())?.port().to_string();
    let (listen, backends) = (format!("127.0.0.1:{port}"), format!("0,0,{port},0"));
    for arguments in [
        ["--listen", &listen, "--admin", "127.0.0.1:0", "--backend-ports", "0,0,0,0"],
        ["--listen", "127.0.0.1:0", "--admin", &listen, "--backend-ports", "0,0,0,0"],
        ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--backend-ports", &backends],
    ] {
        let ended = selvedge(&[&["demo"], &arguments[..]].concat())?;
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
        assert!(text(&ended.stderr).contains(&port), "{}", text(&ended.stderr));
    }
    Ok(())
}

fn a_changed_composition_is_checked_and_served() -> Result<(), String> {
    let mut files = Vec::new();
    for folder in ["compositions", "schema", "proto"] {
        collect(&repository(folder), folder, &mut files)?;
    }
    files.push(("compositions/mine.yaml".into(), "endpoints:\n  GET /mine: { result: \"${1 + 1}\" }\n".into()));
    let project = Project::write("command/changed", &files)?;
    let folder = project.root().to_string_lossy().into_owned();
    assert_eq!(selvedge(&["check", &folder])?.status.code(), Some(0));
    let demo = Demo::start(&repository("."), &[&folder])?;
    assert_eq!(shell(&format!("curl -s {}/mine", demo.address()?))?, "2");
    Ok(())
}

fn collect(folder: &Path, name: &str, files: &mut Vec<(String, String)>) -> Result<(), String> {
    for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())?.filter_map(Result::ok) {
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &name, files)?;
        } else {
            files.push((name, std::fs::read_to_string(entry.path()).map_err(|error| error.to_string())?));
        }
    }
    Ok(())
}
