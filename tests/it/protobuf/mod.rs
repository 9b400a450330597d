//! ProtoJSON and the protobuf wire against the protobuf project's own tests. `tests/protobuf/README.md` tells about them.

pub(crate) mod testee;

use std::path::PathBuf;
use std::process::Command;

use selvedge::transport::grpc::message::{decode, encode};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::claim::{claims, repository};
use testee::Testee;

claims![the_conformance_runner_finds_what_is_listed_and_nothing_else, every_case_at_the_edges_comes_out_as_agreed];

/// Where `tests/run` puts the runner and its messages.
fn installed(name: &str) -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    let path = target.join("peers/protobuf").join(name);
    if path.exists() { Ok(path) } else { Err(format!("there is no {}; `tests/run` installs it", path.display())) }
}

fn the_conformance_runner_finds_what_is_listed_and_nothing_else() -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let scratch = std::env::temp_dir().join(format!("selvedge-conformance-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let done = Command::new(installed("runner")?)
        .env("LD_PRELOAD", installed("shim.so")?)
        .args(["--enforce_recommended", "--maximum_edition", "2023", "--output_dir"])
        .arg(&scratch)
        .arg("--failure_list")
        .arg(repository("tests/protobuf/known.txt"))
        .arg(own)
        .arg(testee::ARGUMENT)
        .arg(installed("messages.binpb")?)
        .output();
    let _ = std::fs::remove_dir_all(&scratch);
    let done = done.map_err(|error| error.to_string())?;
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let passed = said.split_once(" successes").and_then(|(before, _)| before.rsplit(' ').next()?.parse::<u32>().ok());
    match (done.status.success(), passed) {
        (true, Some(5_500..)) => Ok(()),
        _ => Err(said.lines().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")),
    }
}

/// A text at the edges of ProtoJSON.
#[derive(Deserialize)]
struct Case {
    name: String,
    message: String,
    json: String,
    /// Whether libraries agree only when they pass unknown members over.
    ignores_unknown: bool,
    /// The wire form in hexadecimal; without one the text is refused.
    wire: Option<String>,
    /// The JSON that the wire form is written as, without defaults.
    again: Option<Json>,
}

fn every_case_at_the_edges_comes_out_as_agreed() -> Result<(), String> {
    let path = repository("tests/protobuf/cases.json");
    let cases = std::fs::read(path).map_err(|error| error.to_string())?;
    let cases: Vec<Case> = serde_json::from_slice(&cases).map_err(|error| error.to_string())?;
    assert!(cases.len() >= 150, "there are {} cases", cases.len());
    let set = std::fs::read(installed("messages.binpb")?).map_err(|error| error.to_string())?;
    let testee = Testee::new(&set).map_err(|error| error.to_string())?;
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| judge(&testee, case).err().map(|why| format!("{}: {why}", case.name))).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn judge(testee: &Testee, case: &Case) -> Result<(), String> {
    let id = testee.tables.message(&case.message).ok_or("there is no such message")?;
    let descriptor = testee.pool.message(&case.message).ok_or("there is no such message")?;
    let print = |wire: &[u8]| {
        let doc = decode(&testee.tables, id, wire).map_err(|error| error.to_string())?;
        let text = testee::without_defaults(&descriptor, &String::from_utf8_lossy(doc.bytes()));
        serde_json::from_str::<Json>(&text).map_err(|error| error.to_string())
    };
    let mut wire = Vec::new();
    let read = encode(&testee.tables, id, case.json.as_bytes(), &mut wire);
    let (Some(agreed), Some(again), false) = (&case.wire, &case.again, case.ignores_unknown) else {
        return if read.is_err() { Ok(()) } else { Err("it is taken".to_owned()) };
    };
    read.map_err(|error| error.to_string())?;
    let (ours, theirs) = (print(&wire)?, print(&unhex(agreed)?)?);
    match (ours == theirs, is_same(&ours, again)) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("{ours:.500} is sent in place of {theirs:.500}")),
        _ => Err(format!("{ours:.500} is printed in place of {again:.500}")),
    }
}

/// Whether a value is another one, but for members with defaults that only the first has. Numbers are compared by value,
/// for `1.0` is 1.
fn is_same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            other.iter().all(|(key, value)| one.get(key).is_some_and(|one| is_same(one, value)))
        }
        _ => one == other,
    }
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let byte = |at: usize| text.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    (0..text.len()).step_by(2).map(|at| byte(at).ok_or_else(|| format!("{text} is not hexadecimal"))).collect()
}
