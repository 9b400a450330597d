//! The graph without its sockets: a request is prepared from a document that is known, and an answer of 100 objects
//! is written. What the answer is made of comes as a variable, so that nothing is waited for.
//!
//! Beside it stand three others that make the same answer of the same reply ([`rivals`]). Their figures compare with the one
//! of a whole request: reading the reply is part of all four.

mod inputs;
mod rivals;

use std::collections::HashMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::Criterion;
use futures_util::FutureExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request};
use inputs::{ONE_KB, TWENTY_TWO_KB, reply};
use rivals::Answer;
use selvedge::base::value::Held;
use selvedge::call::{Calls, Clients, Shared};
use selvedge::exec::graph::{GraphAnswer, Inputs, execute};
use selvedge::exec::{ClientRequest, Live};
use selvedge::front::graphql::request::GraphqlRequest;
use selvedge::front::graphql::{Graph, Prepared};
use selvedge::observe::drift::Doubt;
use selvedge::plan::operation::{Introspection, Limits, Planned, Settings};
use selvedge::server::load_texts;
use tokio::time::Instant;

const COMPOSITION: &str = "graph: { Query.page: { result: '${args.of}' } }";
const SCHEMA: &str = "
    scalar JSON
    type Query { page(of: JSON!): Page }
    type Page { total: Int posts: [Post!]! }
    type Post { id: ID! slug: String title: String! views: Int rating: Float published: Boolean author: Author }
    type Author { id: ID! name: String! city: String }";
const DOCUMENT: &str = "query($of: JSON!) { page(of: $of) { \
    total posts { id slug title views rating published author { id name } } } }";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let graph = Known::new();
    let small = graph.body(ONE_KB);
    criterion.bench_function("a request with a known document is read and prepared", |bencher| {
        bencher.iter(|| graph.prepare(black_box(&small)));
    });
    for posts in [ONE_KB, TWENTY_TWO_KB] {
        let prepared = graph.prepare(&graph.body(posts));
        let answer = graph.answer(&prepared);
        assert!(answer.codes.is_empty() && !answer.no_data, "{:?}", answer.body);
        let name = format!("an answer of {posts} objects and {} B is written", answer.body.len());
        criterion.bench_function(&name, |bencher| bencher.iter(|| graph.answer(black_box(&prepared))));
        side_by_side(&mut criterion, &graph, posts);
    }
    criterion.final_summary();
}

/// A whole request, and what the others take for the same answer.
fn side_by_side(criterion: &mut Criterion, graph: &Known, posts: usize) {
    let (body, reply) = (graph.body(posts), Bytes::from(reply(posts)));
    let whole = |body: &Bytes| graph.answer(&graph.prepare(body)).body;
    let (server, dynamic) = (rivals::Server::new(), rivals::DynamicServer::new());
    let ours = whole(&body);
    for theirs in [rivals::by_hand(&reply), server.answer(&reply), dynamic.answer(&reply)] {
        assert_eq!(Answer::read(&theirs), Answer::read(&ours), "another answer is measured");
    }
    let mut group = criterion.benchmark_group(format!("{posts} objects, from request and reply to answer"));
    group.bench_function("selvedge", |bencher| bencher.iter(|| whole(black_box(&body))));
    group.bench_function("by hand with serde_json", |bencher| bencher.iter(|| rivals::by_hand(black_box(&reply))));
    group.bench_function("async-graphql", |bencher| bencher.iter(|| server.answer(black_box(&reply))));
    group.bench_function("async-graphql, dynamic", |bencher| bencher.iter(|| dynamic.answer(black_box(&reply))));
    group.finish();
}

/// A graph that needs no backend.
struct Known {
    live: Arc<Live>,
    graph: Graph<Planned>,
    client: ClientRequest,
}

impl Known {
    fn new() -> Self {
        let texts = [("compositions/graph.yaml", COMPOSITION), ("schema/graph.graphql", SCHEMA)];
        let loaded = load_texts(&texts, &HashMap::new());
        let rendered = loaded.render();
        let plan = Arc::new(loaded.plan.unwrap_or_else(|| unreachable!("{rendered}")));
        let live = Arc::new(Live::new(
            Calls::new(plan.clone(), Arc::new(Shared::new(&plan, Clients::of(1))), 0, Doubt::default()),
            Arc::default(),
            Arc::default(),
        ));
        let schema = plan.graph.as_ref().expect("the composition has a graph").schema.clone();
        let settings = Settings { limits: Limits::default(), introspection: Introspection::On };
        let graph = Graph::new(schema, settings, move |operation| Planned::new(plan.graph(), &plan.fields, operation));
        Self { live, graph, client: client() }
    }

    fn body(&self, posts: usize) -> Bytes {
        format!(r#"{{"query":"{DOCUMENT}","variables":{{"of":{}}}}}"#, reply(posts)).into()
    }

    fn prepare(&self, body: &Bytes) -> Prepared<Planned> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let request = GraphqlRequest::read(&Method::POST, None, &headers, body).expect("it is well-formed");
        self.graph.prepare(&request).expect("it is valid")
    }

    fn answer(&self, prepared: &Prepared<Planned>) -> GraphAnswer {
        let variables = Held::Doc(prepared.variables.clone(), 0);
        let inputs = Inputs { variables: &variables, introspection: &prepared.introspection };
        let deadline = Instant::now() + Duration::from_secs(10);
        let work = execute(&self.live, &prepared.operation, inputs, (&self.client, deadline));
        work.now_or_never().expect("nothing is waited for")
    }
}

fn client() -> ClientRequest {
    let (head, ()) = Request::post("/graphql").body(()).expect("it is well-formed").into_parts();
    ClientRequest::new(head, HeaderValue::from_static("bench"), IpAddr::V4(Ipv4Addr::LOCALHOST))
}
