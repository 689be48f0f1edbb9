//! Must fail, or the fuzzer is not looking.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::canary(bytes));
