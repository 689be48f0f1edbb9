//! A revocation list from outside.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::revocation_list(bytes));
