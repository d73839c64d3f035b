//! Cipher text opened and made.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cems_fuzz::targets::sm4(data));
