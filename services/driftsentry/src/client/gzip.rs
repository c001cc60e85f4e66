use std::io::Write;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Above the limit of the service, so that the service itself refuses a scan that is too large.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;
pub(super) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Returns an upload as gzip.
pub(crate) fn pack(bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes);
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(&bytes)?;
    Ok(packer.finish()?)
}
