//! The pieces of a merge: reading replies, finding parts of them, computing and writing results.

mod inputs;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use inputs::{ONE_KB, TWENTY_TWO_KB, reply};
use selvedge::base::value::{Doc, Held, JsonWriter, Value};
use selvedge::expr::{Binding, Budget, Env, Failures, Node, Scope, Type, Unresolved, Var, check, eval, parse, write};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    reading(&mut criterion);
    finding(&mut criterion);
    computing(&mut criterion);
    criterion.final_summary();
}

fn reading(criterion: &mut Criterion) {
    for posts in [ONE_KB, TWENTY_TWO_KB] {
        let bytes = Bytes::from(reply(posts));
        let mut group = criterion.benchmark_group(format!("a reply of {} B is read", bytes.len()));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function("into a document", |bencher| {
            bencher.iter(|| Doc::parse(black_box(&bytes).clone()).expect("it is JSON"));
        });
        group.bench_function("into a tree of serde_json", |bencher| {
            bencher.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&bytes)).expect("it is JSON"));
        });
        group.finish();
    }
}

fn finding(criterion: &mut Criterion) {
    let reply = One::new(&reply(TWENTY_TWO_KB));
    let mut group = criterion.benchmark_group("a member is found");
    for (name, source) in [
        ("that is the first", "reply.total"),
        ("in the first element", "reply.posts[0].author.name"),
        ("in the hundredth element", "reply.posts[99].author.name"),
        ("nowhere", "reply.posts[0].author.missing"),
    ] {
        let node = reply.program(source);
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(eval(&node, black_box(&reply), &mut Failures::default()).is_ok()));
        });
    }
    group.finish();
}

fn computing(criterion: &mut Criterion) {
    let reply = One::new(&reply(TWENTY_TWO_KB));
    for (name, source) in [
        ("a path is passed on whole", "reply"),
        ("a path to text", "reply.posts[0].title"),
        ("arithmetic of two numbers", "reply.posts[0].views / 100.0 + reply.posts[1].rating"),
        ("text of three parts", "reply.posts[0].author.name + ', ' + reply.posts[0].author.city"),
        ("a map of 100 items to a member", "reply.posts.map(post, post.title)"),
        ("a map of 100 items to objects", "reply.posts.map(post, {'id': post.id, 'by': post.author.name})"),
        ("a filter of 100 items", "reply.posts.filter(post, post.rating > 3.0)"),
    ] {
        let node = reply.program(source);
        let mut group = criterion.benchmark_group(name);
        group.bench_function("is evaluated", |bencher| {
            bencher.iter(|| black_box(eval(&node, black_box(&reply), &mut Failures::default()).is_ok()));
        });
        group.bench_function("is written", |bencher| {
            bencher.iter(|| {
                let mut out = JsonWriter::default();
                let written = write(&node, black_box(&reply), &mut out, &mut Failures::default());
                written.expect("it can be computed");
                out
            });
        });
        group.finish();
    }
}

/// A world of one name: `reply`.
struct One(Held, Budget);

impl One {
    fn new(json: &str) -> Self {
        let held = Held::whole(Doc::parse(Bytes::copy_from_slice(json.as_bytes())).expect("it is JSON"));
        Self(held, Budget::new(u64::MAX, u64::MAX))
    }

    /// A compiled expression. That it can be computed is seen to here, once.
    fn program(&self, source: &str) -> Node {
        let checked = parse(source).and_then(|ast| check(&ast, self));
        let node = checked.unwrap_or_else(|mistakes| unreachable!("{source}: {mistakes:?}")).node;
        eval(&node, self, &mut Failures::default()).expect("it can be computed");
        node
    }
}

impl Scope for One {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        if name == "reply" { Ok(Binding::Var { var: Var(0), ty: Type::Dyn }) } else { Err(Unresolved::Unknown) }
    }

    fn names(&self) -> Vec<String> {
        vec!["reply".to_owned()]
    }
}

impl Env for One {
    fn var(&self, _: Var) -> Value<'_> {
        self.0.value()
    }

    fn budget(&self) -> &Budget {
        &self.1
    }
}
