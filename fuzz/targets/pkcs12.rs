//! A PKCS#12 bundle from outside, with a password.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::pkcs12(bytes));
