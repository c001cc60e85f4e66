//! Text as shells and editors write it: UTF-8 with or without a byte order mark, and the UTF-16 of
//! PowerShell.

use std::borrow::Cow;

use super::foreign;
use crate::error::ScanError;

/// Decodes an upload to text.
pub(super) fn decode(upload: &[u8]) -> Result<Cow<'_, str>, ScanError> {
    let utf16 = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16(&units)
            .map(Cow::Owned)
            .map_err(|_error| ScanError::Malformed { line: 1, column: 1 })
    };
    match upload {
        [0xef, 0xbb, 0xbf, text @ ..] => utf8(text),
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        [b'{' | b'[', 0, ..] => utf16(upload, u16::from_le_bytes),
        [0, b'{' | b'[', ..] => utf16(upload, u16::from_be_bytes),
        text => utf8(text),
    }
}

fn utf8(text: &[u8]) -> Result<Cow<'_, str>, ScanError> {
    std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_error| match foreign::name_of_bytes(text) {
        Some(hint) => ScanError::Unsupported(hint),
        None => ScanError::Malformed { line: 1, column: 1 },
    })
}
