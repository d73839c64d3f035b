//! Segments to messages and back.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cems_fuzz::targets::segment(data));
