//! See `targets/loader.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| selvedge_fuzz::loader::run(input));
