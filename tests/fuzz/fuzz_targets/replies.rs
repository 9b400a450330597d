//! See `targets/replies.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| selvedge_fuzz::replies::run(input));
