//! Shares as people hand them in, and the keys that shares are encrypted to.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::share(bytes));
