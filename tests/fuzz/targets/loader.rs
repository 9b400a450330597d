//! A project: text of composition files, schemas and protos.

use std::sync::Arc;

use selvedge::base::diagnostic::{Place, Severity, Sources};
use selvedge::front::entrance::Doors;
use selvedge::plan::explain::{self, Form};
use selvedge::plan::{Plan, Reflecting, build};
use selvedge::spec::{Asked, read_texts};

use super::Target;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "loader",
    promise: "whatever a project says, it is a plan or mistakes with places in its files, and the same ones each time",
    run,
    words: WORDS,
    pace: 1,
};

const WORDS: &[&str] = &[
    "${",
    "}",
    "{ ",
    " }",
    "[",
    "]",
    ": ",
    "\n",
    "  ",
    "- ",
    "'",
    "\"",
    " #",
    "&a ",
    "*a",
    "!!str ",
    "| ",
    "> ",
    "? ",
    "<<: ",
    "---\n",
    "\u{feff}",
    "é",
    "=== schema/schema.graphql\n",
    "=== proto/a.proto\n",
    "=== schema/a.yaml\n",
    "backends:",
    "endpoints:",
    "parts:",
    "graph:",
    "gateway:",
    "GET /a/{b}:",
    "steps:",
    "result: ",
    "args:",
    "body:",
    "backend: a",
    "get: /a",
    "post: ",
    "rpc: a.A/B",
    "message: ",
    "part: ",
    "for_each: ",
    "batch: ",
    "repeat: ",
    "when: ",
    "else: ",
    "default: ",
    "optional: true",
    "fail: ",
    "after: ",
    "timeout: ",
    "retry: ",
    "breaker: ",
    "hedge: ",
    "concurrency: ",
    "respond: ",
    "proxy: ",
    "query: ",
    "headers: ",
    "cookies: ",
    "openapi: ",
    "schema: ",
    "variants:",
    "choose:",
    "$each: ",
    "$as: ",
    "$when: ",
    "$merge: ",
    "$prefer: ",
    "${args.b}",
    "${env('A', 'b')}",
    "${file('a')}",
    "null",
    "true",
    "-1",
    "1e999",
    "9300000000000000000s",
    "1d",
    "0ms",
    "99999999999999999999",
    "5MiB",
    "50%",
    "100/s",
    "type Query { a: Int }",
    "syntax = \"proto3\";",
    "message A { int32 b = 1; }",
    "service A { rpc B(A) returns (A); }",
    "repeated ",
    "oneof c { }",
    "map<string, A> d = 2;",
];

/// The line before a file's text names it.
const MARK: &str = "=== ";

/// Reads and checks the files twice. What is wrong with them lies inside them; what is accepted can be explained,
/// gets doors, and leaves room for its times.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let files = files(&text);
    let first = check(&files);
    assert_eq!(first, check(&files), "checked again, it says something else");
}

/// The files of a project as one text: a file's name stands in a line before it.
fn files(text: &str) -> Vec<(&str, &str)> {
    let mut files = Vec::new();
    let (mut name, mut start, mut at) = ("compositions/main.yaml", 0, 0);
    for line in text.split_inclusive('\n') {
        if let Some(next) = line.strip_prefix(MARK) {
            files.push((name, &text[start..at]));
            (name, start) = (next.trim(), at + line.len());
        }
        at += line.len();
    }
    files.push((name, &text[start..]));
    files
}

/// Whether it starts, and all that is said of it.
fn check(files: &[(&str, &str)]) -> (bool, Vec<String>) {
    let look_up = |asked: Asked<'_>| match asked {
        Asked::File("a") | Asked::Environment("A") => Ok(Some("b".to_owned())),
        Asked::Beside(_) => Ok(Some("a\nb".to_owned())),
        Asked::File(_) | Asked::Environment(_) => Ok(None),
    };
    let reflect = |backends: &[Reflecting]| backends.iter().map(|_| Err("nobody is asked".to_owned())).collect();
    let reading = read_texts(files, &look_up);
    let (plan, said) = match build(&reading, (&look_up, &reflect)) {
        Ok((plan, said)) => (Some(plan), said),
        Err(said) => (None, said),
    };
    for diagnostic in &said {
        is_inside(&diagnostic.place, &reading.sources);
        diagnostic.related.iter().for_each(|(place, _)| is_inside(place, &reading.sources));
    }
    let is_wrong = said.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_eq!(plan.is_none(), is_wrong, "a plan is what a project without errors has");
    let starts = plan.is_some();
    plan.map(Arc::new).iter().for_each(serve);
    (starts, said.iter().map(|diagnostic| reading.sources.render(diagnostic)).collect())
}

fn is_inside(place: &Place, sources: &Sources) {
    let text = sources.text(place.file);
    assert!(text.get(place.bytes.clone()).is_some(), "{:?} of {} bytes", place.bytes, text.len());
}

fn serve(plan: &Arc<Plan>) {
    let endpoints = plan.endpoints.iter().map(|endpoint| explain::endpoint(plan, endpoint));
    let explained: Vec<_> = endpoints.collect();
    for form in [Form::Text, Form::Mermaid, Form::Json] {
        assert!(explained.is_empty() || !explain::print(&explained, form).is_empty());
    }
    for endpoint in &plan.endpoints {
        let deadline = std::time::Instant::now().checked_add(endpoint.timeout);
        assert!(deadline.is_some(), "{:?} from now is no time", endpoint.timeout);
    }
    drop(Doors::new(plan, 1));
}
