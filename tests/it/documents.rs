//! The documents for people: what they show is so.
//!
//! The fenced blocks of the README and the manual are played in order. `yaml composition` is a whole file that loads
//! without a word, `yaml mistaken` one that does not start; each stands beside the backends and protos of the demo
//! store and the `graphql schema` block before it. `yaml profile NAME` is a file of a profile of the composition above
//! it. The lines of a `console` block that begin with `$ ` are run beside
//! the composition above it (or the store, where none stands above under the same heading), and print what follows
//! them. `UPDATE=1` writes what they print, and the table of causes.

use std::path::Path;
use std::process::Command;

use selvedge::base::attempt::{Again, Health, Load};
use selvedge::base::failure::{Cause, Fault};
use selvedge::demo::{self, Backends};
use selvedge::policy::verdict::ROWS;
use selvedge::spec::NOT_SUPPORTED_KEYS;

use crate::claim::{claims, repository, run};
use crate::gateway::{Running, check};
use crate::project::Project;

claims![
    the_readme_shows_what_happens,
    the_manual_shows_what_happens,
    the_table_of_causes_is_that_of_the_code,
    the_table_of_verdicts_is_that_of_the_code,
    the_one_picture_is_the_same_everywhere,
    every_key_that_is_refused_is_in_the_manual,
    what_a_document_shows_wrongly_is_found,
];

fn the_readme_shows_what_happens() -> Result<(), String> {
    is_as_played("README.md")
}

fn the_manual_shows_what_happens() -> Result<(), String> {
    is_as_played("docs/LANGUAGE.md")
}

fn the_table_of_causes_is_that_of_the_code() -> Result<(), String> {
    is_current("docs/ERRORS.md", &causes())
}

fn the_table_of_verdicts_is_that_of_the_code() -> Result<(), String> {
    is_current("docs/POLICIES.md", &verdicts())
}

fn the_one_picture_is_the_same_everywhere() -> Result<(), String> {
    let architecture = text("docs/ARCHITECTURE.md")?;
    let picture = architecture.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let picture = picture.ok_or("docs/ARCHITECTURE.md has no picture")?;
    assert!(picture.contains("client ─▶"), "{picture}");
    assert!(text("README.md")?.contains(&format!("```text\n{picture}```")), "the picture of README.md is another");
    let front = "#![doc = include_str!(\"../docs/ARCHITECTURE.md\")]";
    assert!(text("src/lib.rs")?.starts_with(front), "the front page of the crate is another");
    Ok(())
}

fn every_key_that_is_refused_is_in_the_manual() -> Result<(), String> {
    let manual = text("docs/LANGUAGE.md")?;
    let table = manual.split("## What this version refuses").nth(1).ok_or("the manual has no such section")?;
    let missing = NOT_SUPPORTED_KEYS.iter().flat_map(|(_, keys)| keys.iter()).find(|key| {
        let written = [format!("`{key}`"), format!(".{key}`")];
        !written.iter().any(|written| table.contains(written))
    });
    missing.map_or(Ok(()), |key| Err(format!("`{key}` is refused and not in the manual")))
}

fn what_a_document_shows_wrongly_is_found() {
    let played = |text: &str| run(play("documents/wrong", text));
    let printed = "## A\n\n```console\n$ printf 'a\\nb\\n'\na\nb\n$ printf c\nc\n```\n";
    assert_eq!(played(&printed.replace("\nb\n$", "\nx\n$")).as_deref(), Ok(printed));
    let right = "```yaml composition\nendpoints: { GET /a: { result: 1 } }\n```\n";
    assert_eq!(played(right).as_deref(), Ok(right));
    for wrong in [
        right.replace("result", "reslut"),
        right.replace("composition", "mistaken"),
        right.replace("endpoints", "parts: { p: { result: 1 } }\nendpoints"),
        right.replace("\n```\n", "\n"),
    ] {
        assert!(played(&wrong).is_err(), "{wrong}");
    }
}

/// Whether playing a document prints what it shows.
fn is_as_played(document: &str) -> Result<(), String> {
    let name = format!("documents/{}", document.replace(['/', '.'], "-").to_lowercase());
    let played = run(play(&name, &text(document)?)).map_err(|why| format!("{document}: {why}"))?;
    is_current(document, &played)
}

/// Whether a file holds `text`. With `UPDATE=1` it does afterwards.
pub(crate) fn is_current(file: &str, current: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        return std::fs::write(repository(file), current).map_err(|error| format!("{file}: {error}"));
    }
    let found = text(file).unwrap_or_default();
    let differs = (1..).zip(found.lines().zip(current.lines())).find(|(_, (found, current))| found != current);
    match differs {
        Some((line, (found, current))) => Err(format!("{file}:{line}\n  says  {found}\n  is    {current}")),
        None if found != current => Err(format!("{file} ends elsewhere; UPDATE=1 writes it anew")),
        None => Ok(()),
    }
}

fn text(file: &str) -> Result<String, String> {
    std::fs::read_to_string(repository(file)).map_err(|error| format!("{file}: {error}"))
}

/// `docs/ERRORS.md`.
fn causes() -> String {
    let mut out = String::from(
        "# Errors\n\n\
         Every failure has one cause of this table. A client reads its code as `code` of a problem document, as \
         `extensions.code` of a\nGraphQL error, and in `Selvedge-Partial`; the access log has it as `error.type`. A \
         `fail` rule may declare another code, status and\nsentence in its place.\n\n\
         The table is made from the code (`src/base/failure.rs`); `UPDATE=1 cargo test --test it documents` writes it \
         anew.\n\n\
         | code | HTTP | gRPC | whose fault | may a retry help | what it is | what the client reads |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for cause in Cause::ALL {
        let fault = match cause.fault() {
            Fault::Client => "client",
            Fault::Backend => "backend",
            Fault::Gateway => "gateway",
        };
        let retry = if cause.retry_may_help() { "yes" } else { "no" };
        let (code, status, grpc) = (cause.code(), cause.status(), cause.grpc_status());
        let (meaning, client) = (cause.meaning().trim(), cause.client_text());
        out.push_str(&format!("| `{code}` | {status} | {grpc} | {fault} | {retry} | {meaning} | {client} |\n"));
    }
    out
}

/// `docs/POLICIES.md`.
fn verdicts() -> String {
    let mut out = String::from(
        "# What counts as a failure\n\n\
         Each attempt at a backend call ends in one way of this table, read from its top. Breaker, ejection, bulkhead and retry \
         know nothing else\nof it. `verdicts` at a backend says otherwise for single ends (docs/LANGUAGE.md).\n\n\
         A *failure* counts in a row and in shares, an *overload* in shares only, *success* ends a row, and what is \
         *neutral* counts\nnowhere. *Load* says whether it \
         has too much to do, as far as the end of a\ncall tells: then `concurrency: { adaptive }` lets fewer calls be under \
         way. *Again* says whether the call may be sent once more, if `retry` wants that: always, \
         because nobody worked on it; if it may be\nmade twice (a read, or `idempotent: true`); or never.\n\n\
         The table is made from the code (`src/policy/verdict.rs`); `UPDATE=1 cargo test --test it documents` writes it \
         anew.\n\n\
         | an attempt ends in | the backend | load | again | why |\n|---|---|---|---|---|\n",
    );
    for row in ROWS {
        let health = match row.verdict.health {
            Health::Success => "success",
            Health::Hard => "failure",
            Health::Soft => "overload",
            Health::Neutral => "neutral",
        };
        let again = match row.verdict.again {
            Again::Always => "always",
            Again::Idempotent => "if it may be made twice",
            Again::Never => "never",
        };
        let load = match row.verdict.load {
            Load::Bearable => "bearable",
            Load::TooMuch => "too much",
            Load::Unsaid => "",
        };
        out.push_str(&format!("| {} | {health} | {load} | {again} | {} |\n", row.events, row.reason));
    }
    out
}

/// Where the documents say that the gateway is.
const GATEWAY: &str = "http://127.0.0.1:8080";

/// The text of a document with what its console blocks print now.
///
/// # Errors
/// The line of a block that is not what it says it is, and why.
async fn play(name: &str, text: &str) -> Result<String, String> {
    let backends = demo::start(demo::Options { ports: [0; 4], ..demo::Options::default() }).await;
    let backends = backends.map_err(|error| error.to_string())?;
    let mut player = Player { name, backends: &backends, schema: None, stage: None };
    let mut played = String::new();
    let mut lines = (1_usize..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        played.push_str(line);
        played.push('\n');
        if line.starts_with("## ") {
            player.stage = None;
        }
        let Some(kind) = line.strip_prefix("```") else { continue };
        let mut block = String::new();
        loop {
            match lines.next() {
                Some((_, "```")) => break,
                Some((_, line)) => block = block + line + "\n",
                None => return Err(format!("line {number}: the block does not end")),
            }
        }
        let block = player.block(kind, block).await.map_err(|why| format!("line {number}: {why}"))?;
        played.push_str(&block);
        played.push_str("```\n");
    }
    if let Some(Stage { gateway: Some(gateway), .. }) = player.stage {
        gateway.stop().await;
    }
    backends.stop().await;
    Ok(played)
}

/// A document on its way.
struct Player<'a> {
    /// The folder of its projects.
    name: &'a str,
    backends: &'a Backends,
    /// The schema for the next composition.
    schema: Option<String>,
    stage: Option<Stage>,
}

/// What console blocks are run beside.
struct Stage {
    project: Project,
    /// Absent when the project does not start.
    gateway: Option<Running>,
}

impl Player<'_> {
    /// Plays a block; gives its text, as it is now.
    async fn block(&mut self, kind: &str, block: String) -> Result<String, String> {
        match kind {
            "graphql schema" => self.schema = Some(block.clone()),
            "yaml composition" => self.stage = Some(self.composition(&block).await?),
            "yaml mistaken" => {
                let project = self.example(&block)?;
                if check(project.root()).starts {
                    return Err("it starts, and is said to be mistaken".into());
                }
                self.stage = Some(Stage { project, gateway: None });
            }
            "console" => return self.console(&block).await,
            kind if kind.starts_with("yaml profile ") => self.profile(&kind["yaml profile ".len()..], &block)?,
            _ => {}
        }
        Ok(block)
    }

    async fn composition(&mut self, text: &str) -> Result<Stage, String> {
        let project = self.example(text)?;
        let checked = check(project.root());
        if !checked.said.is_empty() {
            return Err(checked.text);
        }
        let gateway = Some(Running::start(project.root()).await?);
        Ok(Stage { project, gateway })
    }

    /// Adds a file to a profile of the composition above.
    fn profile(&self, name: &str, text: &str) -> Result<(), String> {
        let stage = self.stage.as_ref().ok_or("a profile stands below a composition")?;
        let folder = stage.project.root().join("compositions").join(name);
        let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join("example.yaml"), text));
        written.map_err(|error| error.to_string())
    }

    /// A project of one composition file beside the backends of the store.
    fn example(&mut self, text: &str) -> Result<Project, String> {
        let mut files = self.store();
        let is_of_backends = |path: &str| path.starts_with("proto/") || path.ends_with(".openapi.yaml");
        files.retain(|(path, _)| is_of_backends(path) || path == "compositions/backends.yaml");
        files.extend(self.schema.take().map(|schema| ("schema/example.graphql".to_owned(), schema)));
        files.push(("compositions/example.yaml".to_owned(), text.to_owned()));
        Project::write(self.name, &files)
    }

    /// The files of the demo store, with its backends where they are.
    fn store(&self) -> Vec<(String, String)> {
        let located = |text: &str| {
            let ports = demo::Options::default().ports.into_iter().zip(&self.backends.addresses);
            ports.fold(text.to_owned(), |text, (port, address)| {
                text.replace(&format!("http://127.0.0.1:{port}"), &format!("http://{address}"))
            })
        };
        demo::PROJECT.iter().map(|(path, text)| ((*path).to_owned(), located(text))).collect()
    }

    async fn console(&mut self, block: &str) -> Result<String, String> {
        let stage = match self.stage.take() {
            Some(stage) => stage,
            None => {
                let project = Project::write(self.name, &self.store())?;
                let gateway = Some(Running::start(project.root()).await?);
                Stage { project, gateway }
            }
        };
        let address = stage.gateway.as_ref().map_or(GATEWAY.to_owned(), |at| format!("http://{}", at.address()));
        let mut played = String::new();
        for line in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            let printed = shell(&line.replace(GATEWAY, &address), stage.project.root())?;
            played = format!("{played}$ {line}\n{}", masked(&printed));
        }
        self.stage = Some(stage);
        Ok(played)
    }
}

/// What a line of shell prints in a folder, with a line end. `selvedge` is the binary under test.
fn shell(line: &str, folder: &Path) -> Result<String, String> {
    let binary = Path::new(env!("CARGO_BIN_EXE_selvedge"));
    let path = format!("{}:{}", binary.parent().unwrap_or(binary).display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{{ {line}; }} 2>&1")]).current_dir(folder).env("PATH", path);
    let output = command.output().map_err(|error| error.to_string())?;
    let mut printed = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    if !printed.is_empty() && !printed.ends_with('\n') {
        printed.push('\n');
    }
    Ok(printed)
}

/// The same with ids of requests, which no two runs share, left out.
fn masked(printed: &str) -> String {
    const ID: &str = "\"request_id\":\"";
    let mut parts = printed.split(ID);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out = out + ID + "…" + part.find('"').map_or("", |end| &part[end..]);
    }
    out
}
