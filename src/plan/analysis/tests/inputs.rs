//! On what of a request each call depends.

use super::super::inputs::Inputs;
use super::super::{At, Declared, Input, Reader, Sharing};
use super::sample::{at, composed, endpoint, flow, plan_with};
use crate::plan::{Action, Plan};

fn inputs(plan: &Plan, step: &str) -> Inputs {
    let flow = flow(plan);
    let mut named = flow.all().filter(|at| *flow.step(*at).name == *step);
    let call = |at: At| match &flow.step(at).action {
        Action::Call(call) => Some((at, call)),
        _ => None,
    };
    let (at, call) = named.find_map(call).expect("the step is a call");
    Reader::new(&flow, Declared::of(&plan.endpoints[0])).of_call(at, call)
}

fn arg(name: &str) -> Input {
    Input::Arg(name.into())
}

#[test]
fn a_call_depends_on_what_it_mentions_and_on_what_that_depends() {
    let plan = endpoint(
        "p: { backend: a, get: '/p/${args.x}' }
         q: { backend: a, get: '/q/${p.id}', query: { t: \"${request.headers['x-t']}\" } }",
        "${q}",
    );
    let found = inputs(&plan, "q");
    assert_eq!(found.own, [Input::Header(Some("x-t".into()))].into());
    let flow = flow(&plan);
    assert_eq!(found.through, [(at(&flow, "p"), [arg("x")].into())].into());
    assert_eq!(found.sharing(), Sharing::Private);
    assert_eq!(inputs(&plan, "p").sharing(), Sharing::Alike);
}

#[test]
fn whether_a_call_is_made_is_no_part_of_what_it_asks() {
    let plan = endpoint(
        "p: { when: \"${args.x == 'y'}\", backend: a, get: /p }
         q: { backend: a, get: '/q', query: { p: '${p.id}' } }",
        "${q}",
    );
    assert_eq!(inputs(&plan, "p"), Inputs::default());
    assert_eq!(inputs(&plan, "p").sharing(), Sharing::Everyone);
    // What the step holds, null or a reply, does depend on it.
    assert_eq!(inputs(&plan, "q").through.values().next(), Some(&[arg("x")].into()));
}

#[test]
fn items_and_keys_depend_on_their_list() {
    let plan = endpoint(
        "e: { for_each: '${args.list}', backend: b, get: /i, query: { ids: '${keys}' }, batch: { key: '${item}', from: '${reply}', by: '${item.id}' } }",
        "${e}",
    );
    assert_eq!(inputs(&plan, "e"), Inputs { own: [arg("list")].into(), ..Inputs::default() });
}

#[test]
fn an_argument_of_a_header_is_the_header() {
    let plan = endpoint("p: { backend: a, get: '/p/${args.c}' }", "${p}");
    assert_eq!(inputs(&plan, "p").own, [Input::Header(Some("x-c".into()))].into());
}

#[test]
fn what_is_new_in_every_request_is_never_shared() {
    for part in ["id", "time"] {
        let plan = endpoint(&format!("p: {{ backend: a, get: /p, query: {{ t: '${{request.{part}}}' }} }}"), "${p}");
        assert_eq!(inputs(&plan, "p").sharing(), Sharing::Nobody, "{part}");
    }
    let plan = endpoint("p: { backend: a, get: /p, headers: { x-a: '${request.client_ip}' } }", "${p}");
    assert_eq!(inputs(&plan, "p").sharing(), Sharing::Private);
}

#[test]
fn what_a_write_gave_is_never_shared() {
    let plan = endpoint(
        "w: { backend: a, post: /w, body: { x: '${args.x}' } }
         p: { backend: a, get: '/p/${w.id}' }",
        "${p}",
    );
    assert_eq!(inputs(&plan, "w").sharing(), Sharing::Alike);
    let found = inputs(&plan, "p");
    let through: Vec<String> = found.through.values().flatten().map(ToString::to_string).collect();
    assert_eq!(through, ["args.x", "the reply to the write w"]);
    assert_eq!(found.sharing(), Sharing::Nobody);
}

#[test]
fn a_body_is_an_input() {
    let plan = endpoint("p: { backend: a, post: /p, body: { x: '${request.body.name}' } }", "${p}");
    assert_eq!(inputs(&plan, "p").own, [Input::Body(Some("name".into()))].into());
    assert!(!composed(&plan).composition.scope.always.is_empty());
}

#[test]
fn a_batch_depends_on_who_comes_to_it() {
    let plan = endpoint(
        "p: { backend: a, get: '/p/${args.c}' }
         e: { for_each: '${args.list}', when: '${item != args.x}', after: [p], backend: b, get: /i, query: { ids: '${keys}' }, batch: { key: '${item}', from: '${reply}', by: '${item.id}' } }",
        "${e}",
    );
    assert_eq!(inputs(&plan, "e").own, [arg("list"), arg("x")].into());
    let alone =
        endpoint("e: { for_each: '${args.list}', when: \"${item != args.x}\", backend: b, get: '/${item}' }", "${e}");
    assert_eq!(inputs(&alone, "e").own, [arg("list")].into());
}

#[test]
fn inputs_read_as_they_are_written() {
    let inputs = [
        (arg("id"), "args.id"),
        (Input::Body(None), "args.body"),
        (Input::Body(Some("card".into())), "args.body.card"),
        (Input::Header(Some("x-t".into())), "header x-t"),
        (Input::Header(None), "all headers"),
        (Input::Cookie(Some("sid".into())), "cookie sid"),
        (Input::Query(Some("q".into())), "request.query.q"),
        (Input::Parent(Some("id".into())), "parent.id"),
        (Input::ClientIp, "request.client_ip"),
    ];
    for (input, text) in inputs {
        assert_eq!(input.to_string(), text);
    }
}

#[test]
fn an_argument_depends_on_what_its_default_reads() {
    let plan = plan_with(
        "endpoints:
  GET /e:
    args: { t: { type: String, in: query, default: \"${request.headers['x-t']}\" } }
    steps: { p: { backend: a, get: /p, query: { t: '${args.t}' } } }
",
        "",
    );
    assert_eq!(inputs(&plan, "p").own, [arg("t"), Input::Header(Some("x-t".into()))].into());
    assert_eq!(inputs(&plan, "p").sharing(), Sharing::Private);
}

#[test]
fn a_call_depends_on_what_chooses_its_variant() {
    let plan = plan_with(
        "  d:
    variants: { x: { rest: http://x.test }, y: { rest: http://y.test } }
    choose: \"${request.headers['x-t']}\"
endpoints:
  GET /e: { steps: { p: { backend: d, get: /p }, q: { backend: d, variant: x, get: /q } } }
",
        "",
    );
    assert_eq!(inputs(&plan, "p").own, [Input::Header(Some("x-t".into()))].into());
    assert_eq!(inputs(&plan, "q").sharing(), Sharing::Everyone);
}
