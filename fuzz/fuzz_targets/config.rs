//! `weightsmith_tests::untrusted::config` with whatever libFuzzer comes up with.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weightsmith_tests::untrusted::config(bytes));
