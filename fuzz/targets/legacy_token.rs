//! The file of a legacy cryptotoken.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::legacy_token(bytes));
