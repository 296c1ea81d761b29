//! `weightsmith_tests::untrusted::start` with whatever libFuzzer comes up with.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weightsmith_tests::untrusted::start(bytes));
