//! Expressions that mean harm are refused at load or stopped by the budget, and never overflow a stack.

use std::time::{Duration, Instant};

use super::World;
use crate::base::value::{JsonWriter, Kinds};
use crate::expr::{
    DEPTH_LIMIT, ErrorKind, Failures, Item, Node, PromiseId, Promised, SOURCE_LIMIT, TextPart, Type, eval, write,
};

/// A thousand numbers and a long text.
fn world() -> World {
    let numbers: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let document = format!(r#"{{"l": [{}], "t": "{}"}}"#, numbers.join(","), "ab".repeat(50_000));
    World::new().with("d", &document)
}

/// `middle` inside so many pairs of `open` and `close`.
fn nested(times: usize, [open, middle, close]: [&str; 3]) -> String {
    format!("{}{middle}{}", open.repeat(times), close.repeat(times))
}

const FORMS: &[[&str; 3]] = &[
    ["(", "1", ")"],
    ["[", "1", "]"],
    ["{'a': ", "1", "}"],
    ["-(", "1", ")"],
    ["!(", "true", ")"],
    ["size([", "1", "])"],
    ["d.l[int(", "0", ")]"],
    ["default(d.x, ", "1", ")"],
    ["(true ? ", "1", " : 2)"],
    ["(1 + ", "1", ")"],
    ["(1 == 1 && ", "true", ")"],
    ["", "d", ".a"],
    ["", "d", "[0]"],
    ["", "d", ".?a"],
    ["", "'a'", ".trim()"],
    ["true ? 1 : ", "1", ""],
];

#[test]
fn nesting_is_refused_before_it_overflows_a_stack() {
    for form in FORMS {
        let most = SOURCE_LIMIT / (form[0].len() + form[2].len()) - 2;
        for times in [DEPTH_LIMIT + 1, most] {
            let source = nested(times, *form);
            assert!(source.len() <= SOURCE_LIMIT);
            let mistakes = world().check(&source).expect_err(form[0]);
            assert_eq!(mistakes.len(), 1, "{form:?}");
            assert!(mistakes[0].message.contains("nested deeper"), "{form:?}: {}", mistakes[0].message);
        }
    }
}

#[test]
fn nesting_within_the_limit_runs_on_a_small_stack() {
    let run = || {
        for form in FORMS {
            // Half of the limit, for a form may nest two expressions.
            let source = nested(DEPTH_LIMIT / 2 - 1, *form);
            assert!(world().run(&source).is_ok(), "{form:?}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(run).expect("a thread");
    assert!(thread.join().is_ok());
}

#[test]
fn long_sources_are_refused_and_long_chains_are_not_deep() {
    let long = format!("{}1", "1 + ".repeat(SOURCE_LIMIT / 4));
    assert!(world().mistakes(&long)[0].0.contains("at most 8192 are allowed"));
    let chain = |operator: &str, times: usize| format!("{}d.l[1]", format!("d.l[1]{operator}").repeat(times));
    assert_eq!(world().value(&chain("+", 1_000)), "1001");
    assert_eq!(world().value(&chain("*", 1_000)), "1");
    assert_eq!(world().value(&format!("{}true", "true && ".repeat(900))), "true");
    assert_eq!(world().value(&format!("{}true", "!".repeat(8_000))), "true");
    for (source, marked) in [("-".repeat(8_000), "-"), ("?".repeat(8_000), "?"), ("[".repeat(8_000), "[")] {
        assert!(!world().mistakes(&source).is_empty(), "{marked}");
    }
}

#[test]
fn what_doubles_at_every_step_is_stopped() {
    for start in ["d.t", "d.l", "[d.l, d.l]"] {
        let doubled = |inner: String, at: usize| format!("cel.bind(x{}, x{at} + x{at}, {inner})", at + 1);
        let source = (0..40).rev().fold("x40.size()".to_owned(), doubled);
        assert_eq!(world().error(&format!("cel.bind(x0, {start}, {source})")), ErrorKind::Budget, "{start}");
    }
    let constant =
        (0..40).rev().fold("x40".to_owned(), |inner, at| format!("cel.bind(x{}, [x{at}, x{at}], {inner})", at + 1));
    assert_eq!(world().error(&format!("json(cel.bind(x0, [1], {constant}))")), ErrorKind::Budget);
}

#[test]
fn loops_are_bounded_by_depth_and_budget() {
    let loops = |depth: usize| {
        let open: String = (0..depth).map(|at| format!("d.l.all(v{at}, ")).collect();
        format!("{open}true{}", ")".repeat(depth))
    };
    assert!(world().mistakes(&loops(5))[0].0.contains("more than 4 comprehensions"));
    for depth in 3..=4 {
        assert_eq!(world().error(&loops(depth)), ErrorKind::Budget);
    }
    for (source, reason) in [
        ("lists.range(1000000000).size()", "made lists"),
        ("d.l.map(x, d.l.map(y, d.l))", "lists of lists"),
        ("d.t.split('').map(x, d.t.split(''))", "parts of text"),
        ("d.t.replace('', d.t)", "replaced text"),
        ("d.l.map(x, d.t.contains('zzz'))", "searched text"),
        ("d.l.map(x, d.t.matches('zzz'))", "matched text"),
        ("d.l.map(x, d.t.size())", "counted text"),
        ("lists.range(5000).map(x, [x]).distinct()", "compared elements"),
        ("d.l.map(x, [d.t, d.t].join())", "joined text"),
        ("d.l.map(x, '%s%s'.format([d.t, d.t]))", "formatted text"),
        ("d.l.map(x, json(d))", "written JSON"),
        ("d.l.map(x, d.l == d.l) + d.l.map(x, d.l == d.l)", "compared lists"),
    ] {
        assert_eq!(world().error(source), ErrorKind::Budget, "{reason}");
    }
}

/// Whether an expression is stopped, evaluated and written, long before it could do harm.
fn is_stopped(source: &str) {
    let begun = Instant::now();
    assert_eq!(world().error(source), ErrorKind::Budget, "{source}");
    let world = world();
    let node = world.program(source);
    let mut out = JsonWriter::default();
    let written = write(&node, &world, &mut out, &mut Failures::default());
    assert_eq!(written.expect_err(source).kind(), ErrorKind::Budget);
    assert!(out.bytes.len() < 80 << 20, "{source} wrote {} bytes", out.bytes.len());
    assert!(begun.elapsed() < Duration::from_secs(30), "{source} took {:?}", begun.elapsed());
}

#[test]
fn what_expressions_make_is_bounded_in_bytes() {
    let chain = format!("[{}d.t]", "d.t + ".repeat(100));
    let bytes = format!("[{}bytes(d.t)]", "bytes(d.t) + ".repeat(20));
    for source in [
        chain.as_str(),
        &bytes,
        "lists.range(500000).size()",
        "[lists.range(300000)].flatten()",
        "d.l.map(x, d.t + 'x').size()",
        "d.l.map(x, string(x) + d.t)",
        "d.l.map(x, d.t.upperAscii())",
        "d.l.map(x, (d.t + 'x').substring(1))",
        "d.l.map(x, d.t.reverse())",
        "d.l.map(x, strings.quote(d.t))",
        "d.l.map(x, base64.encode(bytes(d.t)))",
        "d.l.map(x, base64.decode(d.t))",
        "d.l.map(x, d.t.split('b'))",
        "d.t.replace('a', d.t.substring(0, 1000))",
        "[d.t.replace('b', 'a').split('').join(d.t)]",
        "d.l.map(x, json([d.t, d.l]))",
        "d.l.map(x, '%s'.format([d.t]))",
        "'%s'.format([d.l.map(x, [d.t])])",
        "d.l.map(x, pick(d, 't')).map(x, json(x))",
        "d.l.map(x, d.l.filter(y, true))",
        "d.l.map(x, d.l.map(y, {'a': y, 'b': x}))",
        "d.l.map(x, d.l.sortBy(y, 0 - y))",
        "d.l.map(x, d.l + d.l)",
    ] {
        is_stopped(source);
    }
}

#[test]
fn a_text_is_not_made_before_its_size_is_known() {
    let parts: Vec<TextPart> = (0..200).map(|_| TextPart::Value(world().program("d.t"))).collect();
    let node = Node::Text(parts.into());
    let error = eval(&node, &world(), &mut Failures::default()).expect_err("twenty megabytes");
    assert_eq!(error.kind(), ErrorKind::Budget);
}

#[test]
fn a_reply_cannot_be_written_over_and_over() {
    for source in ["d.l.map(x, d.t)", "d.l.map(x, [d, d])", "d.l.map(x, {'a': d})"] {
        let world = world();
        let node = world.program(source);
        let mut out = JsonWriter::default();
        let written = write(&node, &world, &mut out, &mut Failures::default());
        assert_eq!(written.expect_err(source).kind(), ErrorKind::Budget);
        assert!(out.bytes.len() < 80 << 20, "{source} wrote {} bytes", out.bytes.len());
    }
    let many = format!("[{}d]", "d, ".repeat(2_000));
    let node = world().program(&many);
    let written = write(&node, &world(), &mut JsonWriter::default(), &mut Failures::default());
    assert_eq!(written.expect_err("two hundred megabytes").kind(), ErrorKind::Budget);
    // Passing a reply on costs nothing.
    let fresh = world();
    assert!(fresh.written(&fresh.program("d")).0.len() > 100_000);
    assert_eq!(fresh.spent(), 0);
}

#[test]
fn a_promised_list_cannot_be_looked_through_over_and_over() {
    let promised = Promised { id: PromiseId(0), kinds: Kinds::NUMBERS, texts: None, may_be_absent: true };
    let numbers = format!("[{}]", vec!["1"; 20_000].join(","));
    for (item, is_stopped) in [(Item::from(Type::Int), false), (Item { ty: Type::Int, promised: Some(promised) }, true)]
    {
        let world = World::new().typed("n", Type::list(item), &numbers);
        assert!(world.run("n.size() + n.map(x, x).size()").is_ok());
        assert_eq!(world.run("n.map(x, n.exists(y, true)).size()").is_err(), is_stopped);
    }
}

#[test]
fn constants_that_are_too_large_are_left_to_run_time() {
    let source = format!("[{}].size()", vec!["lists.range(9000)"; 20].join(", "));
    let typed = world().check(&source).expect("an expression");
    assert_eq!(typed.warnings, []);
    assert_eq!(world().value(&source), "20");
}

#[test]
fn a_pattern_takes_time_linear_in_the_text() {
    assert_eq!(world().value("d.t.matches('^((a*)*b*)*c$')"), "false");
    assert_eq!(world().value("d.t.matches('(ab?){500}$')"), "true");
}
