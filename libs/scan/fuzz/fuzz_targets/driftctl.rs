//! Fuzzes a driftctl report whose differences are the input.

#![no_main]

mod common;

use common::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    read(format!(r#"{{"summary":{{"total_resources":1}},"coverage":1,"differences":{text}}}"#).as_bytes());
    read(format!(r#"{{"summary":{{"total_resources":1}},"coverage":1,{text}}}"#).as_bytes());
});
