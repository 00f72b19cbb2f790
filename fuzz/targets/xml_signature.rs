//! See `marelle_fuzz::xml_signature`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| marelle_fuzz::xml_signature::check(data));
