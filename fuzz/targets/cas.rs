//! See `marelle_fuzz::cas`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| marelle_fuzz::cas::check(data));
