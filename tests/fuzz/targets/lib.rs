//! What is fuzzed: one function for each thing that reads bytes which somebody else wrote.
//!
//! Each takes any bytes. It returns, whatever they are, within bounded time and memory, and it panics if what it promises
//! does not hold. The fuzzer calls these functions, and so do the tests (`tests/it/fuzz/`).

pub mod expression;
pub mod frames;
pub mod graphql;
pub mod headers;
pub mod json;
pub mod loader;
pub mod paths;
pub mod replies;
pub mod requests;
pub mod transcoder;

mod gateway;
mod http1;
mod slices;

/// A function to be fuzzed, and what a fuzzer has to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its corpus's folder, too.
    pub name: &'static str,
    /// What it promises, in one sentence.
    pub promise: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
    /// Text that means something to what reads the bytes.
    pub words: &'static [&'static str],
    /// How many inputs are tried in the time of one of the slowest target.
    pub pace: u32,
}

/// Every target.
pub const ALL: &[Target] = &[
    loader::TARGET,
    paths::TARGET,
    expression::TARGET,
    graphql::TARGET,
    json::TARGET,
    headers::TARGET,
    transcoder::TARGET,
    frames::TARGET,
    replies::TARGET,
    requests::TARGET,
];
