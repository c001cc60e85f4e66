//! The secrets known from an upload, to find their unmarked copies.

use std::collections::HashSet;

use aho_corasick::AhoCorasick;

use super::ScanError;
use super::json::Json;
use super::marks::Marks;

/// Shorter strings are no secrets worth the false alarms.
const MIN_LETTERS: usize = 4;
/// From this length a secret is also looked for inside other strings.
const MIN_LETTERS_INSIDE: usize = 8;
/// What contains a long secret contains its beginning; the search keeps no more of it.
const MAX_PATTERN_BYTES: usize = 128;
/// Bounds the memory of the search.
const MAX_PATTERNS_BYTES: usize = 4 * 1024 * 1024;

#[derive(Default)]
pub struct TaintCollector {
    short: HashSet<String>,
    long: HashSet<String>,
    long_bytes: usize,
}

impl TaintCollector {
    /// Every string under a mark.
    pub fn add_marked(&mut self, value: &Json, marks: Marks<'_>) {
        if marks.is_marked() {
            return self.add_all(value);
        }
        match value {
            Json::Object(fields) => {
                fields.iter().for_each(|(key, value)| self.add_marked(value, marks.key(key)));
            }
            Json::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| self.add_marked(item, marks.index(index)));
            }
            _ => {}
        }
    }

    /// Every string of a value that is a secret as a whole.
    pub fn add_all(&mut self, value: &Json) {
        match value {
            Json::String(text) => self.add(text),
            Json::Array(items) => items.iter().for_each(|item| self.add_all(item)),
            Json::Object(fields) => fields.values().for_each(|value| self.add_all(value)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn add(&mut self, secret: &str) {
        match secret.chars().take(MIN_LETTERS_INSIDE).count() {
            0..MIN_LETTERS => {}
            MIN_LETTERS..MIN_LETTERS_INSIDE => {
                self.short.insert(secret.into());
            }
            _ => {
                let pattern = &secret[..secret.floor_char_boundary(MAX_PATTERN_BYTES)];
                if self.long_bytes <= MAX_PATTERNS_BYTES && self.long.insert(pattern.into()) {
                    self.long_bytes += pattern.len();
                }
            }
        }
    }

    pub fn finish(self) -> Result<Taint, ScanError> {
        if self.long_bytes > MAX_PATTERNS_BYTES {
            return Err(ScanError::TooManySecrets);
        }
        let long = AhoCorasick::new(&self.long).map_err(|_| ScanError::TooManySecrets)?;
        Ok(Taint { short: self.short, long: Some(long) })
    }
}

pub struct Taint {
    short: HashSet<String>,
    long: Option<AhoCorasick>,
}

impl Taint {
    /// For uploads that mark nothing.
    pub fn nothing() -> Self {
        Self { short: HashSet::new(), long: None }
    }

    /// Whether a string is a known secret or contains one.
    pub fn reaches(&self, text: &str) -> bool {
        self.short.contains(text) || self.long.as_ref().is_some_and(|long| long.is_match(text))
    }
}
