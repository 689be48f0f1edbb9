//! A request from outside, as the vocabulary reads it: in TTLV, or in the texts that are posted over HTTPS.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::message(bytes));
