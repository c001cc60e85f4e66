//! Fuzzes the lines of `plan -json`, one of which contains the input.

#![no_main]

mod common;

use common::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    read(format!("{{\"@level\":\"info\",\"type\":\"change_summary\"}}\n{{\"@level\":\"info\",\"type\":\"resource_drift\",\"change\":{text}}}").as_bytes());
    read(format!("{{\"@level\":\"info\",\"type\":\"version\"}}\n{text}").as_bytes());
});
