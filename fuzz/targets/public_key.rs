//! A public key from outside, in one of its formats.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::public_key(bytes));
