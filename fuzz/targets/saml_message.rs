//! See `marelle_fuzz::saml_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| marelle_fuzz::saml_message::check(data));
