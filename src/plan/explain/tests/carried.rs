//! What explanations say of what a call carries, and of where it goes.

use super::printed;
use crate::plan::Plan;
use crate::plan::analysis::tests::sample::{endpoint, plan_with};

const VARIANTS: &str = "  d:
    variants: { x: { rest: http://x.test, timeout: 1s, headers: { x-v: x } }, y: { rest: http://y.test, timeout: 3s, query: { v: y } } }
    choose: CHOOSE
endpoints:
  GET /e: { steps: { p: { backend: d, VARIANTget: /p, query: { a: 1 }, headers: { x-a: b } } } }
";

fn variants(choose: &str, variant: &str) -> Plan {
    plan_with(&VARIANTS.replace("CHOOSE", choose).replace("VARIANT", variant), "")
}

#[test]
fn cookies_forms_and_maps_are_said() {
    let plan = endpoint(
        "p: { backend: a, post: /p, query: '${request.query}', headers: { x-a: null, x-b: '${args.x}' }, cookies: { sid: '${args.c}' }, form: { a: 1, b: '${args.x}' } }
         q: { backend: a, get: /q, headers: '${request.headers}' }",
        "['${p}', '${q}']",
    );
    let (text, _, json) = printed(&plan);
    for line in [
        "POST /p?{request.query}",
        "with cookie sid: {args.c}",
        "with form a=1&b={args.x}",
        "without header x-a",
        "with header x-b: {args.x}",
        "with header {request.headers}",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let call = &json["steps"].as_array().into_iter().flatten().find(|step| step["id"] == "p").expect("p")["call"];
    assert_eq!(call["form"], serde_json::json!(["a=1", "b={args.x}"]));
    assert_eq!(call["cookies"], serde_json::json!([{ "name": "sid", "value": "{args.c}" }]));
    assert_eq!(call["headers"][0], serde_json::json!({ "name": "x-a", "removed": true }));
}

#[test]
fn variants_are_said_with_what_only_they_get() {
    let (text, chart, json) = printed(&variants("\"${request.headers['x-t']}\"", ""));
    for line in [
        "p  d  3s  GET /p?a=1\n",
        "with header x-a: b\n",
        "to x or y by request.headers['x-t']\n",
        "x: with header x-v: x\n",
        "x: within 1s\n",
        "y: with query v=y\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(text.contains("p  private: depends on header x-t"), "{text}");
    assert!(chart.contains("to x or y by request.headers"), "{chart}");
    let call = &json["steps"][0]["call"];
    assert_eq!(call["choose"], "request.headers['x-t']");
    assert_eq!(
        call["variants"][0],
        serde_json::json!({ "name": "x", "query": [], "headers": [{ "name": "x-v", "value": "x" }], "within_ms": 1000 })
    );
}

#[test]
fn shares_and_a_written_variant_are_said() {
    let (text, _, json) = printed(&variants("{ weights: { x: 95, y: 5 }, by: \"${request.id}\" }", ""));
    assert!(text.contains("to 95 of x, 5 of y by request.id\n"), "{text}");
    assert_eq!(json["steps"][0]["call"]["variants"][1]["share"], 5);
    let (text, _, json) = printed(&variants("{ weights: { x: 95, y: 5 } }", "variant: y, "));
    assert!(text.contains("to y\n"), "{text}");
    assert!(text.contains("p  d  3s  GET /p?a=1&v=y\n"), "{text}");
    assert!(json["steps"][0]["call"].get("choose").is_none(), "{json}");
}
