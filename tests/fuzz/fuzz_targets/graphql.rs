//! See `targets/graphql.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| selvedge_fuzz::graphql::run(input));
