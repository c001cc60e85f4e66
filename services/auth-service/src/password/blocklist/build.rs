use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tempfile::{NamedTempFile, tempfile_in};
use unicode_normalization::UnicodeNormalization;

use super::file::{Blocklist, Header, first_bits, key};

/// Longer lines are no passwords, and are skipped.
const MAX_LINE_BYTES: u64 = 4 * 1024;
/// Temporary files, by the first byte of the hash. One of them at a time is sorted in memory.
const PARTS: usize = 256;
const BUFFER_BYTES: usize = 64 * 1024;

/// Builds a list from a dump, whose lines are passwords, or SHA-1 hashes in hexadecimal with an optional `:count`.
/// `progress` gets the number of bytes that were read.
///
/// Needs 8 bytes of memory for each 256 passwords besides its buffers, at most 100 MB for a billion, and 11 bytes of disk
/// for each password in the folder of `out`, of which 3 remain.
///
/// # Errors
/// If the dump cannot be read or is empty, or the folder of `out` is not writable. An existing file then stays.
pub fn build(dump: &Path, out: &Path, mut progress: impl FnMut(u64)) -> Result<Blocklist> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut parts = Parts::new(folder).with_context(|| format!("cannot write into {}", folder.display()))?;
    let file = File::open(dump).with_context(|| dump.display().to_string())?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut line = Vec::new();
    let mut bytes = 0;
    loop {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        let read = read.with_context(|| dump.display().to_string())? as u64;
        if read == 0 {
            break;
        }
        bytes += read;
        progress(bytes);
        if line.last() == Some(&b'\n') || read < MAX_LINE_BYTES {
            parts.add_line(without_line_end(&line)).context("cannot write a temporary file")?;
        } else {
            bytes += skip_line(&mut reader).with_context(|| dump.display().to_string())?;
        }
    }
    ensure!(parts.count > 0, "{} has no passwords", dump.display());
    parts.write(folder, out).with_context(|| format!("cannot write {}", out.display()))?;
    Blocklist::open(out)
}

struct Parts {
    files: Vec<BufWriter<File>>,
    count: u64,
}

impl Parts {
    fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let files = (0..PARTS).map(|_| Ok(BufWriter::with_capacity(BUFFER_BYTES, tempfile_in(folder)?)));
        Ok(Self { files: files.collect::<Result<_>>()?, count: 0 })
    }

    fn add_line(&mut self, line: &[u8]) -> Result<()> {
        if line.is_empty() {
            return Ok(());
        }
        if let Some(hash) = sha1_of(line) {
            return self.add(first_bits(&hash));
        }
        self.add(key(line))?;
        // The service compares the normalised form.
        let normalised = std::str::from_utf8(line).ok().filter(|text| !text.is_ascii());
        let normalised = normalised.map(|text| text.nfkc().collect::<String>());
        match normalised.filter(|text| text.as_bytes() != line) {
            Some(text) => self.add(key(text.as_bytes())),
            None => Ok(()),
        }
    }

    fn add(&mut self, key: u64) -> Result<()> {
        let bytes = key.to_be_bytes();
        self.files[usize::from(bytes[0])].write_all(&bytes)?;
        self.count += 1;
        Ok(())
    }

    /// Writes the list in the order of the hashes. The file appears under its name once it is complete.
    fn write(self, folder: &Path, out: &Path) -> Result<()> {
        let mut header = Header::for_passwords(self.count);
        let new = NamedTempFile::new_in(folder)?;
        let mut index = writer_at(&new, header.index_at(0))?;
        let mut entries = writer_at(&new, header.entries_at())?;
        let (mut next_slot, mut newest) = (0, None);
        for part in self.files {
            for key in sorted(part)? {
                let (slot, entry) = header.split(key);
                if newest == Some((slot, entry)) {
                    continue;
                }
                newest = Some((slot, entry));
                while next_slot <= slot {
                    index.write_all(&header.entries.to_le_bytes())?;
                    next_slot += 1;
                }
                entries.write_all(&entry)?;
                header.entries += 1;
            }
        }
        for _ in next_slot..=header.slots() {
            index.write_all(&header.entries.to_le_bytes())?;
        }
        index.flush()?;
        entries.flush()?;
        writer_at(&new, 0)?.write_all(&header.bytes())?;
        new.as_file().sync_all()?;
        fs::set_permissions(new.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        new.persist(out)?;
        Ok(())
    }
}

/// Returns the keys of a part in ascending order.
fn sorted(part: BufWriter<File>) -> Result<Vec<u64>> {
    let mut file = part.into_inner()?;
    file.seek(SeekFrom::Start(0))?;
    let count = usize::try_from(file.metadata()?.len() / 8)?;
    let mut keys = Vec::with_capacity(count);
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut bytes = [0; 8];
    for _ in 0..count {
        reader.read_exact(&mut bytes)?;
        keys.push(u64::from_be_bytes(bytes));
    }
    keys.sort_unstable();
    Ok(keys)
}

fn writer_at(file: &NamedTempFile, at: u64) -> Result<BufWriter<File>> {
    let mut file = file.reopen()?;
    file.seek(SeekFrom::Start(at))?;
    Ok(BufWriter::with_capacity(BUFFER_BYTES, file))
}

/// Spaces belong to a password.
fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns the hash in a line `SHA1HEX` or `SHA1HEX:count`.
fn sha1_of(line: &[u8]) -> Option<[u8; 20]> {
    let (hash, rest) = line.split_at_checked(40)?;
    let is_end = match rest.split_first() {
        None => true,
        Some((b':', count)) => !count.is_empty() && count.trim_ascii().iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    let mut bytes = [0; 20];
    (is_end && hex::decode_to_slice(hash, &mut bytes).is_ok()).then_some(bytes)
}

/// Skips the rest of a line, and returns its length.
fn skip_line(reader: &mut impl BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(length);
        skipped += length as u64;
        if end.is_some() || length == 0 {
            return Ok(skipped);
        }
    }
}
