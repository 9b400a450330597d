//! Every cause of a failure is shown: `docs/ERRORS.md` says status and code, and some document or test has a client
//! that reads them.

use std::collections::BTreeSet;

use crate::claim::{claims, files, repository, stem};
use crate::document::{self, Kind};

claims![every_cause_is_read_by_some_client, what_is_said_to_be_shown_elsewhere_is];

/// Causes that no document can bring about, and the test that does.
const ELSEWHERE: &[(&str, &str)] = &[
    ("uri_too_long", "tests/it/access.rs"),
    ("headers_too_large", "tests/it/access.rs"),
    ("client_left", "tests/it/access.rs"),
    ("request_timeout", "src/front/listen/tests/time.rs"),
    ("internal", "src/front/listen/tests/serving.rs"),
    // It stands beside the failure that an answer has, or in what an answer had to do without.
    ("undo_failed", "tests/behaviour/undo-of-inner-compositions.md"),
];

/// What the code of a cause begins with that GraphQL alone tells, in its own form.
const OF_GRAPHQL: &str = "graphql_";

fn every_cause_is_read_by_some_client() -> Result<(), String> {
    let (shown, causes) = (shown()?, causes()?);
    assert!(causes.len() > 30, "{causes:?}");
    let is_listed = |code: &str| ELSEWHERE.iter().any(|(known, _)| *known == code);
    let lacking = causes.iter().filter(|cause| !shown.contains(*cause) && !is_listed(&cause.1));
    let lacking: Vec<String> =
        lacking.map(|(status, code)| format!("no document has an answer {status} with the code {code}")).collect();
    if lacking.is_empty() { Ok(()) } else { Err(lacking.join("\n")) }
}

fn what_is_said_to_be_shown_elsewhere_is() -> Result<(), String> {
    let (shown, causes) = (shown()?, causes()?);
    for (code, file) in ELSEWHERE {
        let cause = causes.iter().find(|cause| cause.1 == *code).ok_or(format!("no cause is called {code}"))?;
        assert!(!shown.contains(cause), "a document shows {code}, and it is listed");
        assert!(text(file)?.contains(code), "{file} does not show {code}");
    }
    Ok(())
}

/// Status and code of an answer.
type Answered = (u16, String);

/// What the table of causes says.
fn causes() -> Result<BTreeSet<Answered>, String> {
    let table = text("docs/ERRORS.md")?;
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let status = |rest: &str| rest.split(' ').next().and_then(|status| status.parse().ok());
    Ok(rows.filter_map(|(code, rest)| Some((status(rest)?, code.to_owned()))).collect())
}

/// What the answers of behaviour documents tell: problem documents, and errors that only GraphQL knows.
fn shown() -> Result<BTreeSet<Answered>, String> {
    let statuses: Vec<Answered> = causes()?.into_iter().collect();
    let mut shown = BTreeSet::new();
    for path in files("tests/behaviour", "md").into_iter().filter(|path| stem(path) != "README") {
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let document = document::read(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        for event in document.events {
            let Kind::Answer(answer) = event.kind else { continue };
            let tells = |(status, code): &&Answered| match code.starts_with(OF_GRAPHQL) {
                true => answer.body.contains(&format!("\"extensions\":{{\"code\":\"{code}\"")),
                false => {
                    Some(*status) == answer.status
                        && answer.body.contains(&format!("\"status\":{status},\"code\":\"{code}\""))
                }
            };
            shown.extend(statuses.iter().filter(tells).cloned());
        }
    }
    Ok(shown)
}

fn text(file: &str) -> Result<String, String> {
    std::fs::read_to_string(repository(file)).map_err(|error| format!("{file}: {error}"))
}
