//! See `targets/json.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| selvedge_fuzz::json::run(input));
