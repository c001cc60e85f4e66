use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use sha1::{Digest, Sha1};

use crate::password::Password;

const MAGIC: &[u8; 8] = b"DSPWLIST";
const VERSION: u32 = 1;
/// Bytes of the magic, the version, the index bits, the number of entries and the false positive rate.
const HEADER_BYTES: usize = 8 + 4 + 4 + 8 + 8;
const OFFSET_BYTES: u64 = 8;
pub(super) const ENTRY_BYTES: u64 = 3;
/// Passwords that share a slot of the index, on average at most.
const SLOT_SIZE: u64 = 128;
/// Bounds the work of one lookup in a damaged file. Slots of a sound file stay far below it.
const MAX_SLOT_SIZE: u64 = 64 * SLOT_SIZE;
const MAX_INDEX_BITS: u32 = 32;

/// A list of breached passwords in a file, which is read at each lookup and not kept in memory.
///
/// The file keeps a part of the SHA-1 of each password: the first bits choose a slot of the index, and the slot has the
/// next 24 bits of each of its passwords, sorted. Numbers are little-endian.
#[derive(Clone)]
pub struct Blocklist {
    source: Source,
    header: Header,
}

#[derive(Clone)]
enum Source {
    File(Arc<File>),
    Bytes(&'static [u8]),
}

#[derive(Clone, Copy)]
pub(super) struct Header {
    pub index_bits: u32,
    pub entries: u64,
}

impl Blocklist {
    /// Opens a file that `driftsentry passwords build` wrote.
    ///
    /// # Errors
    /// If the file cannot be read, is of another kind or version, or has a wrong size.
    pub fn open(path: &Path) -> Result<Self> {
        let read = || {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Self::new(Source::File(Arc::new(file)), size)
        };
        read().with_context(|| path.display().to_string())
    }

    pub(super) fn from_bytes(bytes: &'static [u8]) -> Result<Self> {
        Self::new(Source::Bytes(bytes), bytes.len() as u64)
    }

    fn new(source: Source, size: u64) -> Result<Self> {
        const WANTED: &str =
            "is not a list of breached passwords: build it with `driftsentry passwords build`";
        let mut bytes = [0; HEADER_BYTES];
        source.read_at(&mut bytes, 0).context(WANTED)?;
        let header = Header::parse(&bytes).context(WANTED)?;
        ensure!(size == header.size(), "is truncated or damaged: build it again");
        Ok(Self { source, header })
    }

    /// Whether the list has the password, as typed or after NFKC.
    pub fn has(&self, password: &Password) -> bool {
        self.contains(password.normalised.as_bytes()) || self.contains(password.typed.as_bytes())
    }

    /// Whether the list has these bytes. A list that can no longer be read has none: the failure is logged, and the
    /// other requirements still hold.
    pub(super) fn contains(&self, password: &[u8]) -> bool {
        self.lookup(key(password)).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read PASSWORD_BLOCKLIST");
            false
        })
    }

    /// The number of passwords.
    pub fn len(&self) -> u64 {
        self.header.entries
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The share of other passwords that the list seems to have.
    pub fn false_positive_rate(&self) -> f64 {
        self.header.false_positive_rate()
    }

    fn lookup(&self, key: u64) -> io::Result<bool> {
        let (slot, entry) = self.header.split(key);
        let mut offsets = [0; 16];
        self.source.read_at(&mut offsets, self.header.index_at(slot))?;
        let [first, end] = [&offsets[..8], &offsets[8..]].map(number);
        let size = end.checked_sub(first).filter(|size| *size <= MAX_SLOT_SIZE && end <= self.header.entries);
        let size = size.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the index is damaged"))?;
        let mut entries = vec![0; usize::try_from(size * ENTRY_BYTES).map_err(io::Error::other)?];
        self.source.read_at(&mut entries, self.header.entries_at() + first * ENTRY_BYTES)?;
        Ok(entries.chunks_exact(3).any(|found| found == entry))
    }
}

impl Source {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(buffer, at),
            Self::Bytes(bytes) => {
                let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
                let part = rest.and_then(|rest| rest.get(..buffer.len())).ok_or(ErrorKind::UnexpectedEof)?;
                buffer.copy_from_slice(part);
                Ok(())
            }
        }
    }
}

impl Header {
    /// Chooses the size of the index for a number of passwords.
    pub(super) fn for_passwords(passwords: u64) -> Self {
        let slots = passwords.div_ceil(SLOT_SIZE).max(1).next_power_of_two();
        Self { index_bits: slots.trailing_zeros().min(MAX_INDEX_BITS), entries: 0 }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.index_bits.to_le_bytes());
        bytes.extend(self.entries.to_le_bytes());
        bytes.extend(self.false_positive_rate().to_le_bytes());
        bytes
    }

    fn parse(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let bits = number(&bytes[8..16]);
        let header = Self { index_bits: u32::try_from(bits >> 32).ok()?, entries: number(&bytes[16..24]) };
        let is_known = header.index_bits <= MAX_INDEX_BITS && header.entries < 1 << 48;
        (is_known && header.bytes() == bytes).then_some(header)
    }

    /// Returns the slot of a key, and its entry in the slot.
    pub(super) fn split(&self, key: u64) -> (u64, [u8; 3]) {
        let slot = if self.index_bits == 0 { 0 } else { key >> (64 - self.index_bits) };
        let [entry @ .., _, _, _, _, _] = (key << self.index_bits).to_be_bytes();
        (slot, entry)
    }

    pub(super) fn slots(&self) -> u64 {
        1 << self.index_bits
    }

    pub(super) fn index_at(&self, slot: u64) -> u64 {
        HEADER_BYTES as u64 + slot * OFFSET_BYTES
    }

    pub(super) fn entries_at(&self) -> u64 {
        self.index_at(self.slots() + 1)
    }

    fn size(&self) -> u64 {
        self.entries_at() + self.entries * ENTRY_BYTES
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn false_positive_rate(&self) -> f64 {
        self.entries as f64 / self.slots() as f64 / f64::from(1 << 24)
    }
}

/// Returns the first bits of the SHA-1 of a password, the hash of the public dumps.
pub(super) fn key(password: &[u8]) -> u64 {
    first_bits(&Sha1::digest(password))
}

pub(super) fn first_bits(sha1: &[u8]) -> u64 {
    sha1.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocklist").field("entries", &self.header.entries).finish()
    }
}
