//! Expressions that mean harm are refused at load or stopped by the budget, and never overflow a stack.

use super::World;
use crate::expr::{DEPTH_LIMIT, ErrorKind, SOURCE_LIMIT};

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

#[test]
fn constants_that_are_too_large_are_left_to_run_time() {
    let source = format!("[{}].size()", vec!["lists.range(9000)"; 100].join(", "));
    let typed = world().check(&source).expect("an expression");
    assert_eq!(typed.warnings, []);
    assert_eq!(world().value(&source), "100");
}

#[test]
fn a_pattern_takes_time_linear_in_the_text() {
    assert_eq!(world().value("d.t.matches('^((a*)*b*)*c$')"), "false");
    assert_eq!(world().value("d.t.matches('(ab?){500}$')"), "true");
}
