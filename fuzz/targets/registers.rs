//! See `marelle_fuzz::registers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| marelle_fuzz::registers::check(data));
