//! What the chart and the JSON say, and that charts are well formed.

use super::printed;
use crate::plan::analysis::tests::sample::{endpoint, plan_with};
use crate::plan::explain::{self, Form};

/// What is wrong with a chart: a line that is no statement, a label that ends early, an arrow from or
/// to nothing.
pub(super) fn mistakes_of(chart: &str) -> Vec<String> {
    let mut mistakes = Vec::new();
    let (mut declared, mut open) = (vec!["request".to_owned(), "answer".to_owned(), "proxy".to_owned()], 0);
    let mut lines = chart.lines();
    if lines.next() != Some("flowchart TD") {
        mistakes.push("it does not begin as a flowchart".to_owned());
    }
    for line in lines.map(str::trim) {
        let plain = |label: &str| !label.contains(['"', '`', '<', '>', '&', ';', '$', '%']);
        let is_label = |text: &str| {
            let label = text.replace("<br/>", "").replace('#', " ");
            plain(
                &label.split(' ').map(|word| word.trim_end_matches(';')).collect::<Vec<_>>().join(" ").replace(';', ""),
            )
        };
        let quoted: Vec<&str> = line.split('"').collect();
        let id = |text: &str| text.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
        let fine = match line.split_whitespace().next().unwrap_or_default() {
            "end" => {
                open -= 1;
                line == "end"
            }
            "subgraph" => {
                open += 1;
                declared.push(id(&line["subgraph ".len()..]));
                quoted.len() == 3 && is_label(quoted[1]) && quoted[2] == "]"
            }
            "classDef" | "class" => true,
            _ if line.contains(" --> ") || line.contains(" -. ") => {
                let ends = [id(line), line.rsplit(' ').next().unwrap_or_default().to_owned()];
                ends.iter().all(|end| declared.contains(end))
            }
            _ => {
                declared.push(id(line));
                quoted.len() == 3 && is_label(quoted[1]) && !id(line).is_empty()
            }
        };
        if !fine {
            mistakes.push(line.to_owned());
        }
    }
    if open != 0 {
        mistakes.push(format!("{open} subgraphs are open"));
    }
    mistakes
}

#[test]
fn a_chart_shows_waits_conditions_and_writes() {
    let plan = endpoint(
        "p: { backend: a, get: /p, default: '${q.id}' }
         q: { backend: b, get: '/q', query: { t: '${args.x}' } }
         w: { backend: a, post: /w, body: { p: '${p.id}' } }
         c: { optional: true, steps: { r: { backend: b, get: '/r/${p.id}' } } }",
        "{ c: '${c}' }",
    );
    let (_, chart, _) = printed(&plan);
    assert_eq!(mistakes_of(&chart), [""; 0], "{chart}");
    for line in [
        "request([\"POST /e\"])",
        "subgraph s3[\"c<br/>may fail, then null\"]",
        "s0 --> s4",
        "s0 -. \"only if it fails\" .-> s1",
        "s2 --> answer",
        "s3 --> answer",
        "classDef write stroke-width:4px",
        "class s2 write",
    ] {
        assert!(chart.lines().any(|found| found.trim() == line), "{line}\n{chart}");
    }
    assert!(!chart.contains("request --> s1"), "{chart}");
}

#[test]
fn no_label_can_break_a_chart() {
    let nasty = r#"]; end --> "x" `y` <b>&amp; $$z$$ %% #35; { style:x#"#;
    let plan =
        endpoint(&format!("p: {{ backend: a, get: /p, query: {{ q: {} }} }}", serde_json::Value::from(nasty)), "${p}");
    let (text, chart, json) = printed(&plan);
    assert_eq!(mistakes_of(&chart), [""; 0], "{chart}");
    assert!(text.contains(nasty), "{text}");
    assert!(json["steps"][0]["call"]["operation"].as_str().is_some_and(|found| found.contains(nasty)), "{json}");
}

#[test]
fn several_explanations_are_one_chart_with_a_box_for_each() {
    let plan = plan_with(
        "endpoints:
  GET /e: { steps: { p: { backend: a, get: /p } } }
  POST /e: { steps: { w: { backend: a, post: /w, body: { id: '1' } } } }
  PUT /e: { proxy: { backend: a, path: /x } }
",
        "",
    );
    let explained: Vec<_> = plan.endpoints.iter().map(|endpoint| explain::endpoint(&plan, endpoint)).collect();
    let chart = explain::print(&explained, Form::Mermaid);
    assert_eq!(mistakes_of(&chart), [""; 0], "{chart}");
    assert_eq!(chart.matches("flowchart").count(), 1, "{chart}");
    for line in [
        "subgraph c0[\"GET /e\"]",
        "c0request --> c0s0",
        "c1s0 --> c1answer",
        "class c1s0 write",
        "c2request --> c2proxy --> c2answer",
    ] {
        assert!(chart.lines().any(|found| found.trim() == line), "{line}\n{chart}");
    }
}

#[test]
fn a_broken_chart_is_found() {
    for broken in [
        "flowchart LR",
        "flowchart TD\n  a[\"x\"y\"]",
        "flowchart TD\n  a[\"x\"]\n  a --> b",
        "flowchart TD\n  subgraph a[\"x\"]",
        "flowchart TD\n  a[\"<script>\"]",
    ] {
        assert_ne!(mistakes_of(broken), [""; 0], "{broken}");
    }
}

#[test]
fn json_says_of_a_call_whom_it_asks_when_and_who_may_share_it() {
    let plan = plan_with(
        "endpoints:
  POST /e:
    args: { x: String }
    steps:
      p: { backend: a, get: '/p/${args.x}' }
      w: { backend: b, post: /w, timeout: 20s, body: { id: '${p.id}' } }
      r: { backend: b, post: /r, read: true, when: '${p.ok == true}', default: { n: 0 }, body: { t: \"${request.headers['x-t']}\" } }
    result: { w: '${w}', r: '${r}' }
",
        "",
    );
    let (_, _, json) = printed(&plan);
    let step = |id: &str| {
        let mut steps = json["steps"].as_array().into_iter().flatten();
        steps.find(|step| step["id"] == id).expect(id).clone()
    };
    let call = |id: &str| step(id)["call"].clone();
    assert_eq!((&json["kind"], &json["name"]), (&"endpoint".into(), &"POST /e".into()));
    assert_eq!(step("w")["waits_for"], serde_json::json!(["p"]));
    assert_eq!((&step("w")["deadline_ms"], &step("w")["deadline_by"]), (&10_000.into(), &"answer".into()));
    assert_eq!((&step("p")["deadline_ms"], &step("p")["deadline_by"]), (&5_000.into(), &"default".into()));
    assert_eq!((&step("r")["deadline_ms"], &step("r")["deadline_by"]), (&3_000.into(), &"backend".into()));
    assert_eq!((&call("w")["effect"], &call("w")["because"]), (&"write".into(), &"method".into()));
    assert_eq!((&call("r")["effect"], &call("r")["because"]), (&"read".into(), &"said".into()));
    assert_eq!(["p", "w", "r"].map(|id| call(id)["sharing"].clone()), ["alike", "nobody", "private"]);
    assert_eq!(call("r")["inputs"], serde_json::json!(["header x-t"]));
    assert_eq!(call("w")["inputs_through"], serde_json::json!([{ "step": "p", "inputs": ["args.x"] }]));
    assert_eq!((&step("r")["when"], &step("r")["else"]), (&"p.ok == true".into(), &"null".into()));
    assert_eq!(step("r")["on_failure"], "{n: 0}");
    assert_eq!(json["cost"]["together"]["at_most"], 3);
    assert_eq!(json["answer_waits_for"], serde_json::json!(["w", "r"]));
    assert_eq!(json["result"][0], serde_json::json!({ "members": ["w"], "steps": ["w"] }));
}
