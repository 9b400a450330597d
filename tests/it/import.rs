//! `selvedge import`: what it writes is checked, and runs.

use std::path::Path;
use std::process::Command;

use crate::behaviour::{Stage, send};
use crate::claim::{claims, repository, run};
use crate::document::{Document, Request};
use crate::script;

claims![
    the_rules_of_a_proto_become_endpoints,
    endpoints_of_rules_call_their_rpcs,
    a_rpc_without_a_rule_becomes_a_post_when_asked_for,
    a_file_that_is_not_in_the_project_is_wrong_usage,
];

const LIBRARY: &str = "proto/library.proto";
/// The composition as it must be written; `UPDATE=1` writes it anew.
const EXPECTED: &str = "tests/import/library.yaml";

/// What the backend answers: each rpc says which message reached it.
const BACKEND: &str = r#"
rpc library.v1.Library/GetBook {"name":"shelves/a b/books/2"} -> {"name":"one","pages":"7"}
rpc library.v1.Library/GetBook {"name":"shelves/1/books/2"} -> {"name":"deep"}
rpc library.v1.Library/ListBooks {"parent":"shelves/1","pageSize":5,"tags":["x","y"],"filter":{"order":"BY_NAME","pages":{"to":9}},"all":true,"since":"2024-01-02T00:00:00Z"} -> {"books":[{"name":"listed"}]}
rpc library.v1.Library/ListBooks {"parent":"shelves/1"} -> {}
rpc library.v1.Library/CreateBook {"parent":"shelves/1","book":{"title":"T"},"bookId":"7"} -> {"name":"created"}
rpc library.v1.Library/UpdateBook {"book":{"name":"shelves/1/books/2","title":"T"},"updateMask":"title"} -> {"name":"updated"}
rpc library.v1.Library/MoveBook {"name":"shelves/1/books/2","to":"3"} -> {"name":"moved"}
rpc library.v1.Library/Archive {"name":"7","to":"x"} -> {"name":"archived"}
rpc library.v1.Library/Archive {"name":"a/b"} -> {"name":"archived all"}
rpc library.v1.Library/MergeShelves {"name":"1","to":"2"} -> {"name":"merged"}
rpc library.v1.Library/BatchGet {"parent":"p"} -> {"nextPageToken":"n"}
rpc library.v1.Library/DeleteBook {"name":"shelves/1/books/2"} -> {}
"#;

/// Runs the command in `tests/import`; what it wrote, or its exit code and what it said.
fn import(arguments: &[&str]) -> Result<String, (i32, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_selvedge"))
        .args(["import", "proto"])
        .args(arguments)
        .current_dir(repository("tests/import"))
        .output()
        .map_err(|error| (-1, error.to_string()))?;
    match output.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        code => Err((code.unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

fn the_rules_of_a_proto_become_endpoints() -> Result<(), String> {
    let written = import(&[LIBRARY, "--address", "http://library.test"]).map_err(|(_, said)| said)?;
    let path = repository(EXPECTED);
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(&path, written).map_err(|error| error.to_string());
    }
    let expected = std::fs::read_to_string(Path::new(&path)).map_err(|error| error.to_string())?;
    assert_eq!(written, expected);
    Ok(())
}

fn request(line: &str) -> Request {
    let (head, body) = line.split_once(" <- ").unwrap_or((line, ""));
    let (method, target) = head.split_once(' ').expect("a method and a target");
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Request { method: method.into(), target: target.into(), headers, body: body.into(), ..Request::default() }
}

fn endpoints_of_rules_call_their_rpcs() -> Result<(), String> {
    let read = |path: &str| std::fs::read_to_string(repository(path)).map_err(|error| error.to_string());
    let document = Document {
        title: "What was imported".to_owned(),
        files: vec![
            ("compositions/main.yaml".to_owned(), read(EXPECTED)?),
            (LIBRARY.to_owned(), read("tests/import/proto/library.proto")?),
        ],
        backends: vec![script::read("library", BACKEND)?],
        ..Document::default()
    };
    run(async {
        let stage = Stage::set(&document, "import/library").await?;
        for (asked, status, body) in [
            ("GET /v1/shelves/a%20b/books/2", 200, r#"{"name":"one","title":"","pages":"7"}"#),
            ("GET /v1/books/shelves/1/books/2", 200, r#"{"name":"deep","title":"","pages":"0"}"#),
            (
                "GET /v1/shelves/1/books?page_size=5&tags=x&tags=y&filter.order=BY_NAME&filter.pages.to=9&all=true&since=2024-01-02T00:00:00Z",
                200,
                r#"[{"name":"listed","title":"","pages":"0"}]"#,
            ),
            ("GET /v1/shelves/1/books", 200, "[]"),
            (r#"POST /v1/shelves/1/books?book_id=7 <- {"title":"T"}"#, 200, "created"),
            (r#"PATCH /v1/shelves/1/books/2?update_mask=title <- {"name":"other","title":"T"}"#, 200, "updated"),
            (r#"POST /v1/shelves/1 <- {"name":"other","to":"2"}"#, 200, "merged"),
            (r#"POST /v1/shelves/1/books/2:move <- {"to":"3"}"#, 200, "moved"),
            ("POST /v1/books/7:archive?to=x", 200, "archived"),
            ("POST /v1/a/b:archive <- {}", 200, "archived all"),
            ("GET /v1/books:batchGet?parent=p", 200, r#"{"books":[],"nextPageToken":"n"}"#),
            ("DELETE /v1/shelves/1/books/2", 200, "{}"),
            ("GET /v1/shelves/1/books?filter.pages.to=-9", 400, "filter.pages.to"),
            ("GET /v1/shelves/1/books?filter.order=BY_AUTHOR", 400, "BY_NAME"),
        ] {
            let answer = send(&stage.gateway, &request(asked)).await?.ok_or("the client does not leave")?;
            assert_eq!(answer.status(), status, "{asked}: {}", answer.text());
            assert!(answer.text().contains(body), "{asked}: {}", answer.text());
        }
        Ok(())
    })
}

fn a_rpc_without_a_rule_becomes_a_post_when_asked_for() -> Result<(), String> {
    let written = import(&[LIBRARY, "--all", "--backend", "books"]).map_err(|(_, said)| said)?;
    for expected in ["  books: { grpc: \"http://127.0.0.1:50051\"", "\"POST /library.v1.Library/Plain\":"] {
        assert!(written.contains(expected), "{written}");
    }
    Ok(())
}

fn a_file_that_is_not_in_the_project_is_wrong_usage() {
    for (file, words) in [("proto/none.proto", "there is no `proto/none.proto`"), ("proto/none.binpb", "No such file")]
    {
        let (code, said) = import(&[file]).expect_err("it is not there");
        assert_eq!(code, 2);
        assert!(said.contains(words), "{said}");
    }
}
