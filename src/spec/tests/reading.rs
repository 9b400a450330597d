//! What compositions without mistakes become.

use std::time::Duration;

use crate::spec::{
    Action, ArgSource, Blame, Captured, FieldBody, Literal, Methods, NOT_SUPPORTED_YET, Parameters, Prefer, Protocol,
    Reading, Reads, Segment, Spec, Step, Switch, Template, WordOr, read_texts,
};

#[test]
fn a_backend_says_what_it_speaks_and_what_holds_for_its_calls() {
    let spec = spec(
        "backends:\n  a: { rest: [http://a, \"${env('A', 'http://b')}\"], timeout: 300ms, headers: { X-A: 1 }, max_reply: 4MiB, fail: { when: \"${has(reply.error)}\", blame: client } }\n  b: { grpc: http://b, proto: [proto/a.proto, proto], reads: [Get*, List] }\n  c: { grpc: http://c, reads: all }\n",
    );
    let a = &spec.backends[0].value;
    let Protocol::Rest(addresses) = a.reach.protocol() else { unreachable!() };
    assert_eq!(addresses[1].url.text(), Some("${env('A', 'http://b')}"));
    assert_eq!(a.timeout.as_ref().and_then(Switch::on).map(|timeout| timeout.value), Some(Duration::from_millis(300)));
    assert_eq!(a.max_reply.as_ref().map(|size| size.value.0), Some(4 << 20));
    assert_eq!(a.fail[0].blame.as_ref().map(|blame| blame.value), Some(Blame::Client));
    assert_eq!(spec.backends[1].path, "backends.b");
    assert_eq!(spec.backends[1].value.proto.len(), 2);
    assert!(matches!(&spec.backends[1].value.reads, Some(Reads::Only(names, _)) if names[0].value == "Get*"));
    assert!(matches!(&spec.backends[2].value.reads, Some(Reads::All(_))));
}

#[test]
fn a_route_has_methods_and_segments() {
    let spec = spec(
        "endpoints:\n  GET|HEAD /: { result: 1 }\n  ANY /a/{id}/: { result: 1 }\n  \"GET /files/{*rest}\": { result: 1 }\n  \"GET /a/{id}:été\": { result: 1 }\n",
    );
    let routes: Vec<_> = spec.endpoints.iter().map(|endpoint| &endpoint.value.route).collect();
    assert!(matches!(&routes[0].methods, Methods::Only(methods) if methods.len() == 2 && methods[1].value == "HEAD"));
    assert!(routes[0].segments.is_empty());
    assert!(matches!(routes[1].methods, Methods::Any(_)));
    let segments: Vec<_> = routes[1].segments.iter().map(|segment| segment.value.clone()).collect();
    let literal = |text: &str| Segment::Literal(text.to_owned());
    let captured = |name: &str, suffix: &str| Captured { name: name.into(), suffix: suffix.into() };
    assert_eq!(segments, [literal("a"), Segment::Parameter(captured("id", "")), literal("")]);
    assert_eq!(routes[2].segments[1].value, Segment::Rest(captured("rest", "")));
    assert_eq!(routes[2].path.value, "/files/{*rest}");
    assert_eq!(routes[2].parameters().collect::<Vec<_>>(), ["rest"]);
    assert_eq!(routes[3].segments[1].value, Segment::Parameter(captured("id", ":%C3%A9t%C3%A9")));
}

#[test]
fn routes_that_differ_in_method_or_literal_are_two() {
    spec(
        "endpoints:\n  GET /a/{id}: { result: 1 }\n  POST /a/{id}: { result: 1 }\n  GET /a/b: { result: 1 }\n  ANY /a/b: { result: 1 }\n  GET /a: { result: 1 }\n  GET /a/: { result: 1 }\n",
    );
}

#[test]
fn a_step_is_a_call_a_part_a_composition_or_a_guard() {
    let spec = spec(
        "parts:\n  a:\n    steps:\n      rest: { backend: b, post: \"/a/${args.x}\", query: { ids: { value: \"${args.ids}\", style: comma }, n: [1, 2] }, expect: 202, read: true }\n      grpc: { backend: b, rpc: store.v1.S/M, message: \"${args.m}\", metadata: \"${args.h}\" }\n      part: { part: c, args: { id: 1 }, optional: true }\n      inner: { for_each: { line: \"${rest.lines}\" }, key: \"${line.id}\", max: 4, over: cut, steps: {}, result: \"${line}\" }\n      guard: { fail: [ { when: \"${true}\" }, { when: \"${false}\", status: 422 } ], after: [] }\n",
    );
    let steps: Vec<&Step> = spec.parts[0].value.steps.iter().map(|step| &step.value).collect();
    let Action::Rest(rest) = &steps[0].action else { unreachable!() };
    assert_eq!((rest.verb.method.value.as_str(), rest.verb.target.text()), ("POST", Some("/a/${args.x}")));
    let Some(Parameters::Each(query, _)) = &rest.query else { unreachable!() };
    assert!(query[0].style.is_some() && matches!(&query[1].value, Template::List(list) if list.items.len() == 2));
    assert_eq!(rest.expect.as_ref().map(|statuses| statuses[0].value), Some(202));
    assert!(matches!(&steps[1].action, Action::Grpc(call) if call.rpc.value == "store.v1.S/M"));
    assert!(matches!(&steps[2].action, Action::Part(part) if part.args[0].path == "parts.a.steps.part.args.id"));
    let each = steps[3].for_each.as_ref().expect("it is written");
    assert_eq!(each.name.as_ref().map(|name| name.value.as_str()), Some("line"));
    assert!(matches!(&steps[3].action, Action::Compose(inner) if inner.result.is_some()));
    assert!(matches!(steps[4].action, Action::Guard));
    assert_eq!((steps[4].fail.len(), steps[4].after.as_ref().map(Vec::len)), (2, Some(0)));
}

#[test]
fn an_argument_can_be_its_type_alone() {
    let spec = spec(
        "parts: { a: { args: { id: ID!, ids: \"[a.b.Id!]!\", n: { type: Int, in: header, name: x-n, default: 3, min: 0, max: 5.5, enum: [1, 2] } }, result: 1 } }",
    );
    let args = &spec.parts[0].value.args;
    assert_eq!((args[0].value.type_name.value.as_str(), args[1].value.type_name.value.as_str()), ("ID!", "[a.b.Id!]!"));
    let n = &args[2].value;
    assert_eq!(n.source.as_ref().map(|source| source.value), Some(ArgSource::Header));
    assert_eq!(n.max.as_ref().map(|max| max.value), Some(5.5));
    assert_eq!(n.values.as_ref().map(|values| values[1].value.clone()), Some(Literal::Number("2".into())));
}

#[test]
fn templates_keep_literals_lists_objects_each_and_merge() {
    let spec = spec(
        "parts:\n  a:\n    result:\n      $merge:\n        - { a: 1, b: [true, null, \"1\"], $when: \"${x}\" }\n        - { $each: { p: \"${list}\" }, $as: { id: \"${p.id}\" }, $when: \"${p.ok}\" }\n      $prefer: last\n",
    );
    let Some(Template::Merge(merge)) = &spec.parts[0].value.result else { unreachable!() };
    assert_eq!(merge.prefer.as_ref().map(|prefer| prefer.value), Some(Prefer::Last));
    let [Template::Object(object), Template::Each(each)] = &merge.parts[..] else { unreachable!() };
    assert_eq!(object.when.as_ref().and_then(|when| when.text()), Some("${x}"));
    assert_eq!(object.entries.len(), 2);
    let Template::List(list) = &object.entries[1].value else { unreachable!() };
    let literals: Vec<_> = list
        .items
        .iter()
        .map(|item| match item {
            Template::Scalar(scalar) => scalar.value.clone(),
            _ => unreachable!(),
        })
        .collect();
    assert_eq!(literals, [Literal::Bool(true), Literal::Null, Literal::Text("1".into())]);
    assert_eq!(each.name.as_ref().map(|name| name.value.as_str()), Some("p"));
    assert!(each.when.is_some() && matches!(each.body, Template::Object(_)));
}

#[test]
fn an_endpoint_can_be_a_part_a_proxy_or_a_response() {
    let spec = spec(
        "endpoints:\n  GET /a: { args: { id: ID! }, part: a }\n  ANY /b: { proxy: legacy }\n  ANY /c: { proxy: { backend: legacy, path: \"/${args.x}\", headers: { cookie: null } } }\n  POST /d: { body: Order, result: null, respond: { status: 303, cookies: { sid-a: { value: x, max_age: 48h }, b: \"${args.body.b}\", c: { value: \"\", max_age: \"${duration('1s')}\" } } } }\n",
    );
    let [a, b, c, d] = &spec.endpoints[..] else { unreachable!() };
    assert_eq!(a.value.part.as_ref().map(|part| part.value.as_str()), Some("a"));
    assert_eq!(b.value.proxy.as_ref().map(|proxy| proxy.backend.value.as_str()), Some("legacy"));
    assert!(c.value.proxy.as_ref().is_some_and(|proxy| proxy.path.is_some() && proxy.headers.is_some()));
    assert!(d.value.answers_nothing() && !a.value.answers_nothing());
    let cookies = &d.value.respond.as_ref().expect("it is written").cookies;
    let hours = Duration::from_secs(48 * 3_600);
    assert!(matches!(&cookies[0].value.max_age, Some(WordOr::Word(age)) if age.value == hours));
    assert_eq!(cookies[1].value.value.text(), Some("${args.body.b}"));
    assert!(matches!(&cookies[2].value.max_age, Some(WordOr::Expression(_))));
}

#[test]
fn a_graph_field_can_be_a_bare_value() {
    let spec = spec(
        "graph:\n  names: snake_case\n  Query.greet: Hello\n  Product.seller: { part: seller, args: { id: \"${parent.seller_id}\" } }\n  SearchResult.__typename: ${parent.kind}\n",
    );
    let fields = &spec.graph.fields;
    assert_eq!(spec.graph.names.as_ref().map(|names| names.value.word()), Some("snake_case"));
    assert!(matches!(&fields[0].value.body, FieldBody::Composition(greet) if greet.result.is_some()));
    assert!(matches!(&fields[1].value.body, FieldBody::Part(part) if part.args.len() == 1));
    let coordinate = &fields[2].value.coordinate;
    assert_eq!(
        (coordinate.type_name.value.as_str(), coordinate.field_name.value.as_str()),
        ("SearchResult", "__typename")
    );
    assert_eq!(fields[1].path, "graph.\"Product.seller\"");
}

#[test]
fn files_are_merged_section_by_section() {
    let files = [
        ("compositions/a.yaml", "backends: { a: { rest: http://a } }\ngateway: { timeout: 1s }\n"),
        (
            "compositions/b.json",
            "{\"backends\": {\"b\": {\"rest\": \"http://b\"}}, \"gateway\": {\"access_log\": \"off\"}}",
        ),
        ("compositions/c.yaml", "# nothing yet\n"),
        ("schema/a.graphql", "type Query { a: Int }"),
        ("proto/a/b.proto", "syntax = \"proto3\";"),
    ];
    let reading = read_texts(&files, &|_| Ok(None));
    assert!(reading.diagnostics.is_empty(), "{}", rendered(&reading));
    let spec = reading.spec.expect("nothing is wrong");
    assert_eq!(spec.backends.len(), 2);
    assert!(spec.gateway.timeout.is_some() && spec.gateway.access_log.is_some());
    assert_eq!(reading.protos[0].path, "proto/a/b.proto");
    assert_eq!(&*reading.sources.text(reading.schemas[0].id), "type Query { a: Int }");
}

#[test]
fn typed_values_take_constants_that_are_read_as_if_written_there() {
    let text = "gateway: { timeout: \"${env('T', '5s')}\", graphql: { playground: \"${env('P', 'true')}\", limits: { depth: \"1${file('/zero')}\" } } }";
    let look_up = |asked: crate::spec::Asked<'_>| match asked {
        crate::spec::Asked::File("/zero") => Ok(Some("0".to_owned())),
        _ => Ok(None),
    };
    let reading = read_texts(&[("compositions/a.yaml", text)], &look_up);
    assert!(reading.diagnostics.is_empty(), "{}", rendered(&reading));
    let gateway = reading.spec.expect("nothing is wrong").gateway;
    assert_eq!(gateway.timeout.map(|timeout| timeout.value), Some(Duration::from_secs(5)));
    let graphql = gateway.graphql.expect("it is written");
    assert_eq!(graphql.playground.map(|playground| playground.value), Some(true));
    assert_eq!(graphql.limits.and_then(|limits| limits.depth).map(|depth| depth.value), Some(10));
}

#[test]
fn real_compositions_read_with_complaints_about_unsupported_keys_only() {
    for (text, backends, endpoints, fields, complaints) in [
        (include_str!("examples/boutique.yaml"), 9, 5, 9, vec!["auth", "auth", "auth", "auth", "auth"]),
        (include_str!("examples/krakend.yaml"), 2, 11, 0, vec!["auth", "auth"]),
        (include_str!("examples/connectors.yaml"), 3, 1, 16, vec![]),
        (include_str!("examples/awkward.yaml"), 7, 9, 0, vec!["auth", "auth", "stream"]),
    ] {
        let reading = read_texts(&[("compositions/a.yaml", text)], &|_| Ok(None));
        let found: Vec<_> = reading.diagnostics.iter().map(|found| (found.code, found.message.as_str())).collect();
        let expected: Vec<_> =
            complaints.iter().map(|key| format!("`{key}` is not supported by this version")).collect();
        assert_eq!(found, expected.iter().map(|text| (NOT_SUPPORTED_YET, text.as_str())).collect::<Vec<_>>());
        let spec = reading.spec.expect("it was read");
        assert_eq!((spec.backends.len(), spec.endpoints.len(), spec.graph.fields.len()), (backends, endpoints, fields));
    }
}

#[test]
fn a_thousand_endpoints_are_read_quickly() {
    let endpoint = |n: usize| {
        format!(
            "  GET /v1/p{n}/{{id}}:\n    args: {{ id: ID! }}\n    steps:\n      p: {{ backend: a, get: \"/p/${{args.id}}\", optional: true }}\n      q: {{ backend: a, get: \"/q/${{p.id}}\", query: {{ n: 1 }} }}\n    result: {{ id: \"${{p.id}}\", items: {{ $each: \"${{q}}\", $as: {{ id: \"${{item.id}}\" }} }} }}\n"
        )
    };
    let endpoints: String = (0..1_000).map(endpoint).collect();
    let text = format!("backends: {{ a: {{ rest: http://a }} }}\nendpoints:\n{endpoints}");
    let started = std::time::Instant::now();
    let spec = spec(&text);
    let took = started.elapsed();
    assert_eq!(spec.endpoints.len(), 1_000);
    // An unoptimised build on a loaded machine; quadratic work would take minutes.
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// The spec of one file without mistakes.
fn spec(text: &str) -> Spec {
    let reading = read_texts(&[("compositions/a.yaml", text)], &|_| Ok(None));
    assert!(reading.diagnostics.is_empty(), "{}", rendered(&reading));
    reading.spec.expect("nothing is wrong")
}

fn rendered(reading: &Reading) -> String {
    reading.diagnostics.iter().map(|found| reading.sources.render(found)).collect()
}
