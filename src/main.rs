//! The `selvedge` command.

use std::process::ExitCode;

/// Requests allocate many small things that live as long as they do, on one thread: what mimalloc is
/// made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    selvedge::cli::run()
}
