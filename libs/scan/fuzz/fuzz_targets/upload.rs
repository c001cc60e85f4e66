//! Fuzzes the upload: the input is the whole body.

#![no_main]

mod common;

use common::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(upload) = scan::unpack(bytes) {
        read(&upload);
    }
});
