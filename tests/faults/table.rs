//! What is printed: one line for each figure, one for the whole.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is what the kit is for")]

use std::process::ExitCode;

use crate::case::{Bar, Case, Verdict, time};
use crate::play::Played;
use crate::scene::{AGG, CTL};

/// The rows and their names.
pub(crate) fn list(cases: &[Case]) {
    for case in cases {
        println!("{:>3}  {}", case.row, case.name);
    }
}

/// Says why nothing was played.
pub(crate) fn refuse(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}

/// Every figure of every row beside its bar; fails when one is missed.
pub(crate) fn print(played: &[Played]) -> ExitCode {
    println!("{AGG} requests a second to /agg and {CTL} to /ctl where a row says no other load\n");
    for row in played {
        println!("{:>3}  {:<60} {:>6}  {}", row.case.row, row.case.name, time(row.took), word(&row.verdict()));
        for bar in &row.bars {
            let earlier = row.before.as_deref().map_or(String::new(), |before| earlier(before, bar));
            println!(
                "       {:<34} {:>26}   {:<40} {}",
                bar.what,
                format!("{earlier}{}", bar.figure),
                bar.bar,
                word(&bar.verdict)
            );
        }
    }
    let failed = played.iter().filter(|row| matches!(row.verdict(), Verdict::Fail | Verdict::Slow));
    let failed: Vec<String> = failed.map(|row| row.case.row.to_string()).collect();
    let waiting = played.iter().filter(|row| matches!(row.verdict(), Verdict::NotYet(_))).count();
    let passed = played.len() - failed.len() - waiting;
    println!("\n{} rows: {passed} pass, {} fail, {waiting} not yet", played.len(), failed.len());
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {}", failed.join(", "));
    ExitCode::FAILURE
}

/// The figure of a first attempt that was missed.
fn earlier(before: &[Bar], bar: &Bar) -> String {
    let first = before.iter().find(|first| first.what == bar.what && first.verdict == Verdict::Slow);
    first.map_or(String::new(), |first| format!("{}, then ", first.figure))
}

fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail | Verdict::Slow => "FAIL".to_owned(),
        Verdict::NotYet(reason) => format!("not yet: {reason}"),
    }
}
