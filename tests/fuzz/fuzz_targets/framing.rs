//! Streams cut into frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cems_fuzz::targets::framing(data));
