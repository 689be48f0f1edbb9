//! A stream of bytes from outside.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::frame(bytes));
