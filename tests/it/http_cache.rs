//! The HTTP cache against other people's tests. `tests/conformance/http-cache/README.md` tells about them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use crate::claim::{claims, repository};
use crate::gateway::Running;
use crate::project::Project;

claims![the_tests_of_http_caches_fail_where_it_is_listed_and_nowhere_else];

const COMPOSITION: &str = r#"
gateway: { listen: "127.0.0.1:0", admin: { listen: "127.0.0.1:0" } }
backends: { origin: { rest: "http://127.0.0.1:PORT" } }
endpoints: { "ANY /{*rest}": { proxy: { backend: origin, cache: http } } }
"#;

/// What became of one test.
#[derive(Deserialize)]
struct Played {
    id: String,
    kind: String,
    /// Why it failed, if it did.
    why: Option<String>,
}

/// The suite's origin and client; ended when dropped.
struct Suite(Child);

impl Drop for Suite {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where `tests/run` puts the suite.
fn installed() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    Some(target.join("peers/http-cache")).filter(|path| path.join("installed.txt").exists())
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests is told what is not played")]
fn the_tests_of_http_caches_fail_where_it_is_listed_and_nowhere_else() -> Result<(), String> {
    let Some(installed) = installed() else {
        eprintln!("the tests of HTTP caches are not played: `tests/run` installs them");
        return Ok(());
    };
    let played = play(&installed).map_err(|error| error.to_string())?;
    let required: Vec<&Played> = played.iter().filter(|test| test.kind == "required").collect();
    let known = std::fs::read_to_string(repository("tests/conformance/http-cache/known.txt"));
    let known = known.map_err(|error| error.to_string())?;
    let listed: BTreeSet<&str> =
        known.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_whitespace().next()).collect();
    let failed: BTreeMap<&str, &str> =
        required.iter().filter_map(|test| Some((test.id.as_str(), test.why.as_deref()?))).collect();
    assert!(required.len() - failed.len() > 140, "{} of {} failed: {failed:#?}", failed.len(), required.len());
    let new: Vec<_> = failed.iter().filter(|(id, _)| !listed.contains(*id)).collect();
    let gone: Vec<_> = listed.iter().filter(|id| !failed.contains_key(*id)).collect();
    assert!(new.is_empty() && gone.is_empty(), "failed and not listed: {new:#?}; listed and not failed: {gone:#?}");
    Ok(())
}

/// Plays the suite with a gateway between its client and its origin.
fn play(installed: &std::path::Path) -> Result<Vec<Played>, Box<dyn std::error::Error>> {
    let mut suite = Command::new("node")
        .arg("--no-warnings")
        .arg(repository("tests/conformance/http-cache/play.mjs"))
        .arg(std::path::absolute(installed)?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Suite)?;
    let mut said = BufReader::new(suite.0.stdout.take().ok_or("no standard output")?);
    let mut port = String::new();
    said.read_line(&mut port)?;
    let files = [("compositions/main.yaml".to_owned(), COMPOSITION.replace("PORT", port.trim()))];
    let project = Project::write("http-cache", &files)?;
    let gateway = Running::command(project.root(), None)?;
    writeln!(suite.0.stdin.take().ok_or("no standard input")?, "http://{}", gateway.address())?;
    let mut rest = String::new();
    said.read_to_string(&mut rest)?;
    Ok(serde_json::from_str(rest.lines().last().ok_or("it said nothing")?)?)
}
