//! What `selvedge schema` prints: it is the file that editors read, and it judges as the reader does.

mod validator;
mod yaml;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use selvedge::spec::{NOT_SUPPORTED_KEYS, json_schema, look_up_in_process, partial_json_schema, read_texts};
use serde_json::Value;

use crate::claim::{claims, files, repository, stem};
use validator::Validator;

claims![
    the_file_is_what_the_command_prints,
    the_store_is_valid,
    the_documents_of_behaviour_are_valid,
    the_manual_is_valid,
    mistakes_of_structure_are_refused,
    the_schema_judges_as_the_reader_does,
    files_of_profiles_may_leave_out_what_must_be_said,
    keys_that_are_not_supported_yet_are_offered_and_marked,
    the_schema_judges_what_is_not_in_force_as_the_reader_does,
    every_key_and_every_type_is_described,
];

const FILE: &str = "schema/selvedge.schema.json";

fn the_file_is_what_the_command_prints() -> Result<(), String> {
    let printed = Command::new(env!("CARGO_BIN_EXE_selvedge")).arg("schema").output().map_err(|e| e.to_string())?;
    assert_eq!(printed.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&printed.stdout), json_schema());
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(repository(FILE), json_schema()).map_err(|error| error.to_string())?;
    }
    match text(&repository(FILE)) == json_schema() {
        true => Ok(()),
        false => Err(format!("{FILE} is not what is printed; UPDATE=1 writes it anew")),
    }
}

fn the_store_is_valid() -> Result<(), String> {
    let texts = files("compositions", "yaml").into_iter().map(|path| (stem(&path), text(&path)));
    all_valid(8, texts)
}

fn the_documents_of_behaviour_are_valid() -> Result<(), String> {
    let documents = files("tests/behaviour", "md").into_iter();
    all_valid(100, documents.flat_map(|path| blocks(&stem(&path), &text(&path))))
}

fn the_manual_is_valid() -> Result<(), String> {
    all_valid(10, blocks("docs/LANGUAGE.md", &text(&repository("docs/LANGUAGE.md"))).into_iter())
}

/// Whether these texts, which are at least so many, are valid.
fn all_valid(least: usize, texts: impl Iterator<Item = (String, String)>) -> Result<(), String> {
    let validator = validator()?;
    let mut count = 0;
    for (name, text) in texts {
        count += 1;
        judge(&validator, &text).map_err(|why| format!("{name}: {why}"))?;
    }
    assert!(count >= least, "{count} compositions");
    Ok(())
}

/// What a text is found guilty of by the schema.
fn judge(validator: &Validator, text: &str) -> Result<(), String> {
    yaml::read(text)?.map_or(Ok(()), |document| validator.validate(&document))
}

/// Files of a profile that are right, and for each a piece that is wrong in its place.
const PARTIAL: &[(&str, &str, &str)] = &[
    ("backends: { a: { timeout: 1s } }", "1s", "1"),
    ("backends: { a: { grpc: http://a.test } }", "grpc", "gprc"),
    ("parts: { p: { args: { id: ID! } } }", "args", "arsg"),
    ("endpoints: { GET /a: { steps: { s: { get: /b } } } }", "get", "gte"),
    ("endpoints: { GET /a: { steps: { s: { optional: true } } } }", "true", "1"),
    ("endpoints: { GET /a: { result: { $as: 1 } } }", "$as", "$sa"),
    ("graph: { Query.a: { timeout: 1s } }", "Query.a", "a"),
];

fn files_of_profiles_may_leave_out_what_must_be_said() -> Result<(), String> {
    let schema = serde_json::from_str(&partial_json_schema()).map_err(|error| error.to_string())?;
    let (partial, whole) = (Validator::new(schema)?, validator()?);
    assert_eq!(judge(&partial, RIGHT), Ok(()));
    for (right, piece, wrong) in PARTIAL {
        assert_eq!(judge(&partial, right), Ok(()), "{right}");
        assert!(judge(&partial, &right.replacen(piece, wrong, 1)).is_err(), "{wrong} in {right}");
    }
    assert!(judge(&whole, PARTIAL[0].0).is_err(), "the whole file needs an address");
    Ok(())
}

fn validator() -> Result<Validator, String> {
    Validator::new(serde_json::from_str(&json_schema()).map_err(|error| error.to_string())?)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The blocks of a document that are whole compositions, with their lines.
fn blocks(name: &str, text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        if line.starts_with("```yaml composition") {
            let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            blocks.push((format!("{name}:{number}"), block.join("\n")));
        }
    }
    blocks
}

/// The codes of mistakes that a file's structure shows.
const STRUCTURAL: &[&str] = &[
    "bad-address",
    "bad-path",
    "bad-unit",
    "conflicting-keys",
    "empty",
    "invalid-name",
    "malformed-endpoint",
    "malformed-header",
    "misplaced-key",
    "missing-key",
    "reserved-name",
    "unknown-key",
    "wrong-type",
];

/// Files with such a code, and what would have to be known to see the mistake.
const BEYOND_STRUCTURE: &[(&str, &str)] = &[
    ("argument-of-a-message", "which types are messages"),
    ("body-json-schema", "keywords of a JSON Schema"),
    ("body-of-a-get", "which methods have a body"),
    ("choose", "the types of expressions"),
    ("constants", "what the environment holds"),
    ("contract-body", "the types of a contract"),
    ("contract-parameters", "the types of a contract"),
    ("contract-reply", "the types of a contract"),
    ("cookie-ends", "the types of expressions"),
    ("cookies-of-answers", "the types of expressions"),
    ("default-that-leaves-members-out", "the types of the schema"),
    ("duration-of-ages", "how large numbers are"),
    ("either-of-two-objects", "the types of the schema"),
    ("answer-cache", "whether a time is one of whole seconds"),
    ("empty-map", "the types of results"),
    ("gateway-dns", "what an address is"),
    ("graph-parent", "the types of the schema"),
    ("graph-path", "what a path may hold"),
    ("graph-types", "the types of the schema"),
    ("key-of-a-list", "the types of expressions"),
    ("map-that-is-none", "the types of expressions"),
    ("merge-returns", "the types of results"),
    ("message-of-wrong-types", "the types of a proto"),
    ("store-that-is-no-address", "what a constant holds"),
    ("message-written-in-parts", "the types of a proto"),
    ("number-too-large", "how large a number may be"),
    ("oneof-written-twice", "the types of a proto"),
    ("one-value", "the types of expressions"),
    ("returns", "the types of results"),
    ("value-that-may-be-absent", "the types of the schema"),
];

fn mistakes_of_structure_are_refused() -> Result<(), String> {
    let validator = validator()?;
    let mut caught: BTreeSet<String> = BTreeSet::new();
    let mut valid = Vec::new();
    for path in files("tests/rejects", "yaml") {
        let (name, text) = (stem(&path), text(&path));
        let codes: Vec<&str> = text.lines().filter_map(code).filter(|code| STRUCTURAL.contains(code)).collect();
        let is_beyond = BEYOND_STRUCTURE.iter().any(|(file, _)| *file == name);
        if codes.is_empty() || is_beyond {
            continue;
        }
        if judge(&validator, &text).is_ok() {
            valid.push(format!("{name}.yaml holds {codes:?}"));
        }
        caught.extend(codes.into_iter().map(str::to_owned));
    }
    assert!(valid.is_empty(), "these are valid: {valid:#?}");
    for code in STRUCTURAL {
        assert!(caught.contains(*code), "no file of tests/rejects/ holds {code}");
    }
    Ok(())
}

/// The code that a comment of a rejected file expects.
fn code(line: &str) -> Option<&str> {
    let comment = line.strip_prefix('#')?.trim_start();
    comment.starts_with(['^', '<']).then(|| comment.trim_start_matches(['^', '<', ' ']).split(':').next())?
}

/// A file that the reader takes without a word.
const RIGHT: &str = r#"
backends:
  a: { rest: http://a.test, timeout: 300ms, fail: { when: "${reply.bad}", status: 422, blame: client } }
  b: { grpc: [http://b.test], reads: [Get*, List] }
parts:
  p: { args: { id: ID! }, result: "${args.id}" }
endpoints:
  GET|HEAD /v1/{id}/{*rest}:
    args: { id: ID!, rest: { type: String!, in: path }, n: { type: "[Int!]!", default: [1], min: 1.5 } }
    graph: Query.one
    steps:
      s: { backend: a, get: /s, query: { ids: { value: "${[1]}", style: comma } }, headers: { x-a: 1 } }
      r: { backend: b, rpc: s.v1.S/Get, for_each: { line: "${s}" }, parallel: 2, optional: true, after: [] }
      u: { part: p, args: { id: 1 }, when: "${true}", else: null }
      g: { fail: { when: "${false}" } }
      v: { result: { $each: "${s}", $as: { $when: "${item.a}", b: 1 } } }
    result: "${v}"
    respond: { status: 201, cookies: { sid: { value: "${s}", max_age: 1h, same_site: Lax } } }
  ANY /pass: { proxy: { backend: a, path: /x } }
graph:
  names: snake_case
  T.f: { steps: { s: { backend: a, get: /t, batch: { key: "${parent.id}", from: "${reply}", by: "${item.id}", missing: null } } } }
gateway: { max_body: 1.5MiB, graphql: { playground: true, limits: { depth: 5 } }, access_log: json }
"#;

/// Pieces of it, and what is as right in their place.
const ALSO_RIGHT: &[(&str, &str)] = &[
    ("rest: http://a.test", "rest: \"${env('A', 'http://a.test')}\""),
    ("timeout: 300ms", "timeout: \"${env('T', '1s')}\""),
    ("max_body: 1.5MiB", "max_body: .5KB"),
    ("playground: true", "playground: \"${env('P', 'false')}\""),
    ("depth: 5", "depth: \"${env('D', '5')}\""),
    ("access_log: json", "access_log: off"),
    ("missing: null", "missing: \"null\""),
    ("missing: null", "missing: error"),
    ("reads: [Get*, List]", "reads: all"),
    ("reads: [Get*, List]", "reads: Get*"),
    ("fail: { when: \"${reply.bad}\", status: 422, blame: client }", "fail: []"),
    ("for_each: { line: \"${s}\" }", "for_each: \"${s}\""),
    ("query: { ids: { value: \"${[1]}\", style: comma } }", "query: \"${s}\""),
    ("query: { ids: { value: \"${[1]}\", style: comma } }", "query: { a: 1, b-c: [1, null] }"),
    ("headers: { x-a: 1 }", "headers: \"${s}\""),
    ("sid: { value: \"${s}\", max_age: 1h, same_site: Lax }", "sid: 1"),
    ("proxy: { backend: a, path: /x }", "proxy: a"),
    ("ANY /pass", "OPTIONS|DELETE /"),
    ("ANY /pass", "GET  /a.b/~c/"),
    ("result: { $each: \"${s}\", $as: { $when: \"${item.a}\", b: 1 } }", "result: [1, { a-b: { \"\": null } }]"),
    ("rest: http://a.test", "rest: http://a.test, discover: { dns: \"a-1.internal:80\", every: 1s }"),
    ("rest: http://a.test", "rest: http://a.test, discover: { srv: _http._tcp.a.internal }"),
    ("access_log: json", "dns: { servers: [10.0.0.2, \"[::1]:5353\", \"${env('N', '10.0.0.3')}\"] }"),
    ("    result: \"${v}\"\n", ""),
    ("  names: snake_case\n", "  T.g: ${parent.x}\n  T.h: { part: p, args: { id: 1 } }\n"),
];

/// Pieces of it, and what is wrong in their place.
const WRONG: &[(&str, &str)] = &[
    ("backends:", "backend:"),
    ("timeout: 300ms", "timeout: 300"),
    ("timeout: 300ms", "timeout: -1s"),
    ("timeout: 300ms", "timeot: 300ms"),
    ("timeout: 300ms", "timeout: \"${args.t}\""),
    ("timeout: 300ms", "proto: proto/a.proto"),
    ("rest: http://a.test, ", ""),
    ("rest: http://a.test", "rest: http://a.test, grpc: http://a.test"),
    ("rest: http://a.test", "rest: 7001"),
    ("rest: http://a.test", "rest: http://a.test, discover: { dns: a/b }"),
    ("rest: http://a.test", "rest: http://a.test, discover: { srv: \"_http._tcp.a.internal:80\" }"),
    ("rest: http://a.test", "rest: http://a.test, discover: { dns: a.internal, srv: a.internal }"),
    ("access_log: json", "dns: {}"),
    ("status: 422", "status: 200"),
    ("blame: client", "blame: me"),
    ("reads: [Get*, List]", "reads: [\"*Get\"]"),
    ("  p: {", "  p-q: {"),
    ("args: { id: ID! }, result: \"${args.id}\"", "args: { id: ID! }"),
    ("args: { id: ID! }, result", "args: { request: ID! }, result"),
    ("args: { id: ID! }, result", "args: { id: \"[ID!!\" }, result"),
    ("GET|HEAD /v1", "GTE /v1"),
    ("GET|HEAD /v1", "GET|ANY /v1"),
    ("GET|HEAD /v1", "/v1"),
    ("GET|HEAD /v1", "GET v1"),
    ("{id}/{*rest}", "{*rest}/{id}"),
    ("{id}/{*rest}", ":id/{*rest}"),
    ("in: path", "in: body"),
    ("min: 1.5", "min: few"),
    ("graph: Query.one", "graph: one"),
    ("get: /s", "get: s"),
    ("get: /s", "get: /s, post: /s"),
    ("get: /s, ", ""),
    ("get: /s", "get: /s, message: {}"),
    ("style: comma", "style: tabs"),
    ("headers: { x-a: 1 }", "headers: { x a: 1 }"),
    ("rpc: s.v1.S/Get", "rpc: s.v1.S.Get"),
    ("rpc: s.v1.S/Get", "rpc: s.v1.S/Get, body: 1"),
    ("for_each: { line: \"${s}\" }, ", ""),
    ("for_each: { line: \"${s}\" }", "for_each: [1]"),
    ("for_each: { line: \"${s}\" }", "for_each: { line: \"${s}\", row: \"${s}\" }"),
    ("parallel: 2", "parallel: 0"),
    ("optional: true", "optional: \"yes\""),
    ("when: \"${true}\", else", "else"),
    ("part: p,", "part: p, result: 1,"),
    ("g: { fail: { when: \"${false}\" } }", "g: {}"),
    ("g: { fail: { when: \"${false}\" } }", "g: { fail: {} }"),
    ("g: {", "last: {"),
    ("$each", "$ech"),
    ("$as:", "$to:"),
    ("b: 1 }", "\"${item.b}\": 1 }"),
    ("status: 201", "status: 99"),
    ("same_site: Lax", "same_site: lax"),
    ("proxy: { backend: a", "result: 1, proxy: { backend: a"),
    ("names: snake_case", "names: kebab"),
    ("  T.f:", "  f:"),
    ("steps: { s: { backend: a, get: /t", "args: {}, steps: { s: { backend: a, get: /t"),
    ("missing: null", "missing: none"),
    ("key: \"${parent.id}\", ", ""),
    ("max_body: 1.5MiB", "max_body: 1.5"),
    ("depth: 5", "depth: 5.5"),
    ("access_log: json", "acces: json"),
];

fn the_schema_judges_as_the_reader_does() -> Result<(), String> {
    let validator = validator()?;
    let as_judged = |text: &str| (judge(&validator, text), complaints(text));
    assert_eq!(as_judged(RIGHT), (Ok(()), Vec::new()));
    for (piece, other) in ALSO_RIGHT {
        assert!(RIGHT.contains(piece), "{piece}");
        assert_eq!(as_judged(&RIGHT.replacen(piece, other, 1)), (Ok(()), Vec::new()), "{other}");
    }
    for (piece, other) in WRONG {
        assert!(RIGHT.contains(piece), "{piece}");
        let (judged, complaints) = as_judged(&RIGHT.replacen(piece, other, 1));
        assert!(judged.is_err() && !complaints.is_empty(), "{other}: {judged:?}, {complaints:?}");
    }
    Ok(())
}

/// What the reader says of a file.
fn complaints(text: &str) -> Vec<String> {
    let reading = read_texts(&[("compositions/a.yaml", text)], &look_up_in_process);
    reading.diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect()
}

/// Keys that are read and not in force yet: right, a piece of it, and what is wrong in its place.
const NOT_IN_FORCE: &[(&str, &str, &str)] = &[
    ("gateway: { rate: 100/s }", "100/s", "100"),
    ("gateway: { rate: [{ limit: 5/m, per: identity }, 10/h] }", "per: identity", "per: us"),
    ("gateway: { rate: { limit: 5/m, burst: 5, per: \"${request.path}\" } }", "burst: 5", "burst: 0"),
    ("gateway: { rate: none }", "none", "nothing"),
    ("gateway: { cors: { origins: [https://*.a.test, \"*\"] } }", "https://*.a.test", "a.test"),
    ("gateway: { ip: { allow: 10.0.0.0/8, deny: [\"::1\"] } }", "10.0.0.0/8", "localhost"),
    ("gateway: { ip: { deny: 10.0.0.0/8 } }", "deny: 10.0.0.0/8", ""),
    ("gateway: { trusted_proxies: [10.0.0.0/8], priority: sheddable }", "sheddable", "low"),
    ("gateway: { rate: none, calls: { retry: { attempts: 2, on: connect } } }", "attempts: 2", "attempts: 6"),
    ("gateway: { rate: none, calls: { hedge: p95 } }", "p95", "p5"),
    ("gateway: { rate: none, calls: { cache: { ttl: 30s, scope: \"${identity.groups}\" } } }", "ttl: 30s, ", ""),
    ("gateway: { calls: { auth: { bearer: \"${env('A', 'x')}\" } } }", "${env('A', 'x')}", "x"),
    ("gateway: { calls: { auth: { forward: true } } }", "forward: true", "forwrd: true"),
    ("auth: { a: { mtls: { authorities: /a.pem } } }", "mtls", "tlsm"),
    ("auth: { a: { basic: { users: { ann: \"${env('A', 'x')}\" } } } }", "users: { ann: \"${env('A', 'x')}\" }", ""),
    ("auth: { a: { api_key: { header: x-a, keys: { b: \"${env('A', 'x')}\" } } } }", "header: x-a, ", ""),
    ("auth: { a: { forward: { url: http://a.test/check, timeout: 1s } } }", "http://a.test", ""),
    ("endpoints: { GET /a: { auth: { by: b, allow: \"${true}\" }, result: 1 } }", "by: b, allow: \"${true}\"", ""),
    ("endpoints: { GET /a: { auth: none, cache: 60s, mcp: true, result: 1 } }", "60s", "60"),
    ("endpoints: { GET /a: { stream: { backend: b, get: /c }, result: \"${event}\" } }", "backend: b, ", ""),
];

fn the_schema_judges_what_is_not_in_force_as_the_reader_does() -> Result<(), String> {
    let validator = validator()?;
    let is_refusal = |complaint: &String| complaint.ends_with("is not supported by this version");
    for (right, piece, wrong) in NOT_IN_FORCE {
        let complaints = complaints(right);
        assert_eq!(judge(&validator, right), Ok(()), "{right}");
        assert!(!complaints.is_empty() && complaints.iter().all(is_refusal), "{right}: {complaints:?}");
        assert!(right.contains(piece), "{piece}");
        let wrong = right.replacen(piece, wrong, 1);
        assert!(judge(&validator, &wrong).is_err(), "{wrong}");
        assert!(!self::complaints(&wrong).iter().all(is_refusal), "{wrong}");
    }
    Ok(())
}

fn keys_that_are_not_supported_yet_are_offered_and_marked() -> Result<(), String> {
    let schema: Value = serde_json::from_str(&json_schema()).map_err(|error| error.to_string())?;
    let mut marked = 0;
    for (object, keys) in NOT_SUPPORTED_KEYS {
        let definition = match *object {
            "Spec" => &schema,
            "RestCall" | "GrpcCall" => &schema["$defs"]["Step"],
            other => &schema["$defs"][other],
        };
        let forms = definition["anyOf"].as_array().into_iter().flatten().chain([definition]);
        let offered = forms.filter_map(|form| form["properties"].as_object()).flatten();
        for (key, schema) in offered.filter(|(key, _)| keys.contains(&key.as_str())) {
            let description = schema["description"].as_str().unwrap_or_default();
            assert!(schema["deprecated"] == true && description.starts_with("Not in this version."), "{object}.{key}");
            marked += 1;
        }
    }
    assert!(marked >= NOT_SUPPORTED_KEYS.len(), "{marked}");
    let timeout = &schema["$defs"]["Backend"]["properties"]["timeout"];
    assert!(timeout["description"].is_string() && timeout["deprecated"].is_null(), "{timeout}");
    Ok(())
}

fn every_key_and_every_type_is_described() -> Result<(), String> {
    let schema: Value = serde_json::from_str(&json_schema()).map_err(|error| error.to_string())?;
    let mut properties = Vec::new();
    collect_properties(&schema, &mut properties);
    assert!(properties.len() > 150, "{}", properties.len());
    let bare = properties.iter().find(|(_, schema)| schema.is_object() && schema["description"].as_str().is_none());
    assert_eq!(bare, None);
    Ok(())
}

/// Every key with its schema, anywhere.
fn collect_properties<'a>(schema: &'a Value, properties: &mut Vec<(&'a String, &'a Value)>) {
    let own = schema.get("properties").and_then(Value::as_object);
    properties.extend(own.into_iter().flatten());
    let below: Box<dyn Iterator<Item = &Value>> = match schema {
        Value::Object(members) => Box::new(members.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    };
    below.for_each(|schema| collect_properties(schema, properties));
}
