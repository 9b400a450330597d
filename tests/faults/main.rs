//! The fault kit: plays the fault matrix against a gateway, and says of each row what was measured and what it should be.
//!
//! `cargo test --test faults -- --gateway PATH --rows 1,2,28`; `tests/faults/README.md` says more.

mod backend;
mod balancer;
mod case;
mod fixture;
mod gateway;
mod invariants;
mod link;
mod load;
mod play;
mod projects;
mod rows;
mod scene;
mod table;

#[path = "../it/certificates.rs"]
#[allow(dead_code, reason = "shared with the integration tests")]
mod certificates;
#[path = "../it/claim.rs"]
#[allow(dead_code, unused_macros, unused_imports, reason = "shared with the integration tests")]
mod claim;
#[path = "../it/http1.rs"]
#[allow(dead_code, reason = "shared with the integration tests")]
mod http1;
#[path = "../it/name_server.rs"]
#[allow(dead_code, reason = "shared with the integration tests")]
mod name_server;
#[path = "../it/project.rs"]
#[allow(dead_code, reason = "shared with the integration tests")]
mod project;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Plays the fault matrix against a gateway.
#[derive(Debug, Parser)]
struct Arguments {
    /// The gateway; the one that cargo has built unless said.
    #[arg(long, value_name = "PATH", default_value = env!("CARGO_BIN_EXE_selvedge"))]
    gateway: PathBuf,
    /// Plays only these rows.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    rows: Vec<u16>,
    /// Names the rows and plays none.
    #[arg(long)]
    list: bool,
    /// Plays the load without any fault: what must hold in every row must hold here.
    #[arg(long)]
    control: bool,
    /// Plays rows that have a longer form in that.
    #[arg(long)]
    full: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut cases = if arguments.control { vec![play::CONTROL] } else { rows::all() };
    cases.retain(|case| arguments.rows.is_empty() || arguments.rows.contains(&case.row));
    if arguments.list {
        table::list(&cases);
        return ExitCode::SUCCESS;
    }
    let length = if arguments.full { scene::Length::Full } else { scene::Length::Short };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let played = runtime.expect("the machine gives threads").block_on(play::all((arguments.gateway, length), cases));
    projects::remove();
    match played {
        Ok(played) => table::print(&played),
        Err(why) => table::refuse(&why),
    }
}
