//! A request for a certificate from outside: PKCS#10, CRMF or PEM.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::request(bytes));
