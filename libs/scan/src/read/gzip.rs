use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::error::ScanError;
use crate::limits::MAX_BYTES;

/// Unpacks the upload if it is gzip. Never holds more than [`MAX_BYTES`].
pub fn unpack(upload: &[u8]) -> Result<Cow<'_, [u8]>, ScanError> {
    if !upload.starts_with(&[0x1f, 0x8b]) {
        return if upload.len() > MAX_BYTES { Err(ScanError::TooLarge) } else { Ok(Cow::Borrowed(upload)) };
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(upload)
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut unpacked)
        .map_err(|_error| ScanError::BadCompression)?;
    if unpacked.len() > MAX_BYTES { Err(ScanError::TooLarge) } else { Ok(Cow::Owned(unpacked)) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_unpacked_and_plain_bytes_pass() {
        assert_eq!(&*unpack(b"{}").unwrap(), b"{}");
        assert_eq!(&*unpack(&packed(b"{}")).unwrap(), b"{}");
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = packed(&vec![b' '; MAX_BYTES + 1]);
        assert!(bomb.len() < 200_000);
        assert!(matches!(unpack(&bomb), Err(ScanError::TooLarge)));
    }

    #[test]
    fn damaged_gzip_is_refused() {
        let mut damaged = packed(b"{\"a\": 1}");
        damaged.truncate(12);
        assert!(matches!(unpack(&damaged), Err(ScanError::BadCompression)));
    }
}
