//! A project whose folder is watched: it is taken up however its files come to be others, and left alone when they are
//! not.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::claim::claims;
use crate::project::Project;
use crate::serve::Serving;

claims![
    a_file_that_is_written_is_taken_up,
    a_file_that_an_editor_puts_in_place_is_taken_up,
    a_file_that_comes_or_goes_is_taken_up,
    a_folder_that_goes_and_comes_back_is_taken_up,
    a_mounted_configuration_is_taken_up_by_its_link,
    a_release_that_a_link_leads_to_is_taken_up,
    a_file_outside_the_project_is_taken_up,
    a_burst_of_changes_is_taken_up_once,
    what_changes_nothing_is_left_alone,
    a_watch_that_is_switched_off_notices_nothing,
];

/// How soon a change must be served.
const SOON: Duration = Duration::from_secs(5);
const GATEWAY: &str =
    "gateway: { listen: 127.0.0.1:0, admin: { listen: 127.0.0.1:0 }, shutdown: { delay: 10ms, timeout: 50ms } }\n";
const GET: &str = "GET /one HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const STATE: &str = "GET /reload HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

fn text(number: usize) -> String {
    format!("{GATEWAY}endpoints: {{ GET /one: {{ result: {number} }} }}\n")
}

fn project(name: &str) -> Result<Project, String> {
    Project::write(&format!("watching/{name}"), &[("compositions/main.yaml".to_owned(), text(1))])
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Waits until this is answered.
fn answers(serving: &Serving, expected: &str) -> Result<(), String> {
    let since = Instant::now();
    loop {
        let answer = serving.ask(GET)?;
        if answer.ends_with(&format!("\r\n\r\n{expected}")) {
            return Ok(());
        }
        if since.elapsed() > SOON {
            return Err(format!("{expected} is not answered, but {answer}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How many changes were taken up, and how many were not.
fn attempts(serving: &Serving) -> Result<(u64, u64), String> {
    let answer = serving.ask_operators(STATE)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    let state: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    Ok((state["taken_up"].as_u64().unwrap_or_default(), state["failed"].as_u64().unwrap_or_default()))
}

fn a_file_that_is_written_is_taken_up() -> Result<(), String> {
    let project = project("written")?;
    let serving = Serving::start_project(project.root(), &[])?;
    answers(&serving, "1")?;
    let main = project.root().join("compositions/main.yaml");
    fs::write(&main, text(2)).map_err(words)?;
    answers(&serving, "2")?;
    // What is wrong is left, and what mends it is taken up.
    fs::write(&main, "endpoints: { GET /one: { reslut: 3 } }\n").map_err(words)?;
    let since = Instant::now();
    while attempts(&serving)?.1 == 0 && since.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(attempts(&serving)?, (1, 1));
    answers(&serving, "2")?;
    fs::write(&main, text(4)).map_err(words)?;
    answers(&serving, "4")
}

fn a_file_that_an_editor_puts_in_place_is_taken_up() -> Result<(), String> {
    let project = project("editor")?;
    let serving = Serving::start_project(project.root(), &[])?;
    let main = project.root().join("compositions/main.yaml");
    for number in 2..5 {
        let new = main.with_extension("yaml~new");
        fs::write(&new, text(number)).and_then(|()| fs::rename(&new, &main)).map_err(words)?;
        answers(&serving, &number.to_string())?;
    }
    Ok(())
}

fn a_file_that_comes_or_goes_is_taken_up() -> Result<(), String> {
    let project = project("comes")?;
    let serving = Serving::start_project(project.root(), &[])?;
    let folder = project.root().join("compositions");
    let other = folder.join("other.yaml");
    fs::write(&other, "parts: { two: { result: 2 } }\n").map_err(words)?;
    let mentions = text(1).replace("result: 1", "part: two");
    fs::write(folder.join("main.yaml"), mentions).map_err(words)?;
    answers(&serving, "2")?;
    fs::write(folder.join("main.yaml"), text(3)).and_then(|()| fs::remove_file(other)).map_err(words)?;
    answers(&serving, "3")?;
    fs::create_dir_all(project.root().join("schema")).map_err(words)?;
    let query = "type Query { one: Int }\n";
    fs::write(project.root().join("schema/graph.graphql"), query).map_err(words)?;
    fs::write(folder.join("graph.yaml"), "graph: { Query.one: { result: 1 } }\n").map_err(words)?;
    let since = Instant::now();
    let asked =
        "GET /graphql?query=%7Bone%7D HTTP/1.1\r\nhost: a\r\nconnection: close\r\naccept: application/json\r\n\r\n";
    while !serving.ask(asked)?.ends_with("{\"data\":{\"one\":1}}") {
        assert!(since.elapsed() < SOON, "a new folder is not noticed: {}", serving.ask(asked)?);
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn a_folder_that_goes_and_comes_back_is_taken_up() -> Result<(), String> {
    let project = project("folder")?;
    let serving = Serving::start_project(project.root(), &[])?;
    let folder = project.root().join("compositions");
    for number in 2..5 {
        fs::remove_dir_all(&folder).map_err(words)?;
        if number == 3 {
            // Long enough to be looked at while it is gone.
            std::thread::sleep(Duration::from_millis(600));
        }
        fs::create_dir_all(&folder).map_err(words)?;
        fs::write(folder.join("main.yaml"), text(number)).map_err(words)?;
        answers(&serving, &number.to_string())?;
    }
    Ok(())
}

/// Mounts a version of a configuration as Kubernetes does: in a folder of its own, to which one link leads.
fn mount(root: &Path, number: usize) -> Result<(), String> {
    let version = format!("..version_{number}");
    let compositions = root.join(&version).join("compositions");
    fs::create_dir_all(&compositions).map_err(words)?;
    fs::write(compositions.join("main.yaml"), text(number)).map_err(words)?;
    symlink(&version, root.join("..data_tmp")).map_err(words)?;
    fs::rename(root.join("..data_tmp"), root.join("..data")).map_err(words)?;
    fs::remove_dir_all(root.join(format!("..version_{}", number - 1))).or_else(|error| {
        // The first has none before it.
        if number == 1 { Ok(()) } else { Err(words(error)) }
    })
}

fn a_mounted_configuration_is_taken_up_by_its_link() -> Result<(), String> {
    let project = Project::write("watching/mounted", &[("README".to_owned(), String::new())])?;
    let root = project.root();
    mount(root, 1)?;
    symlink("..data/compositions", root.join("compositions")).map_err(words)?;
    let serving = Serving::start_project(root, &[])?;
    answers(&serving, "1")?;
    for number in 2..6 {
        mount(root, number)?;
        answers(&serving, &number.to_string())?;
    }
    Ok(())
}

fn a_release_that_a_link_leads_to_is_taken_up() -> Result<(), String> {
    let file = |number: usize| (format!("{number}/compositions/main.yaml"), text(number));
    let project = Project::write("watching/released", &[file(1), file(2), file(3)])?;
    let current: PathBuf = project.root().join("current");
    symlink("1", &current).map_err(words)?;
    let serving = Serving::start_project(&current, &[])?;
    for number in 2..4 {
        let new = project.root().join("new");
        symlink(number.to_string(), &new).and_then(|()| fs::rename(&new, &current)).map_err(words)?;
        answers(&serving, &number.to_string())?;
    }
    // What the link leads to now is watched.
    fs::write(project.root().join("3/compositions/main.yaml"), text(4)).map_err(words)?;
    answers(&serving, "4")
}

fn a_file_outside_the_project_is_taken_up() -> Result<(), String> {
    let text = format!(
        "{GATEWAY}parts: {{ key: {{ result: \"${{file('../outside-secret/key')}}\" }} }}\n\
         endpoints: {{ GET /one: {{ part: key }} }}\n"
    );
    let secret = Project::write("watching/outside-secret", &[("key".to_owned(), "first\n".to_owned())])?;
    let project = Project::write("watching/outside", &[("compositions/main.yaml".to_owned(), text)])?;
    let serving = Serving::start_project(project.root(), &[])?;
    answers(&serving, "\"first\"")?;
    fs::write(secret.root().join("key"), "second\n").map_err(words)?;
    answers(&serving, "\"second\"")
}

fn a_burst_of_changes_is_taken_up_once() -> Result<(), String> {
    let project = project("burst")?;
    let serving = Serving::start_project(project.root(), &[])?;
    for number in 2..12 {
        fs::write(project.root().join("compositions/main.yaml"), text(number)).map_err(words)?;
        std::thread::sleep(Duration::from_millis(5));
    }
    answers(&serving, "11")?;
    let (taken_up, failed) = attempts(&serving)?;
    assert!(taken_up <= 2 && failed == 0, "{taken_up} times taken up, {failed} times not");
    Ok(())
}

fn what_changes_nothing_is_left_alone() -> Result<(), String> {
    let project = project("nothing")?;
    let serving = Serving::start_project(project.root(), &[])?;
    let folder = project.root().join("compositions");
    fs::write(folder.join("main.yaml"), text(1)).map_err(words)?;
    fs::write(folder.join(".main.yaml.swp"), "x").map_err(words)?;
    fs::write(project.root().join("notes.txt"), "x").map_err(words)?;
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(attempts(&serving)?, (0, 0));
    fs::write(folder.join("main.yaml"), text(2)).map_err(words)?;
    answers(&serving, "2")
}

fn a_watch_that_is_switched_off_notices_nothing() -> Result<(), String> {
    let project = project("off")?;
    let mut serving = Serving::start_project(project.root(), &["--no-watch"])?;
    fs::write(project.root().join("compositions/main.yaml"), text(2)).map_err(words)?;
    std::thread::sleep(Duration::from_millis(700));
    answers(&serving, "1")?;
    serving.signal("HUP")?;
    serving.line(|line| line["message"] == "the project is taken up")?;
    answers(&serving, "2")
}
