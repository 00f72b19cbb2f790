//! See `marelle_fuzz::roster`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| marelle_fuzz::roster::check(data));
