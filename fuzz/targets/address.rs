//! Addresses and networks as operators and settings give them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::address(bytes));
