//! A private key from outside, in one of its formats.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::private_key(bytes));
