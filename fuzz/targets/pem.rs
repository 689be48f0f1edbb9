//! Texts of certificates, requests and keys from files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::pem(bytes));
