//! The known secrets of an upload, for finding their unmarked copies.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::copies::spellings;
use super::hidden::HIDDEN;
use crate::json::Json;

/// Shorter secrets would cause too many false alarms.
const MIN_LETTERS: usize = 4;
/// A secret of at least this length is searched for inside other texts, unless it is a plain word.
const MIN_LETTERS_INSIDE: usize = 8;
/// Only the beginning of a long secret is kept: a text that contains the secret contains its beginning.
const MAX_PATTERN_BYTES: usize = 128;
/// Limits the memory of the search.
const MAX_PATTERNS_BYTES: usize = 8 * 1024 * 1024;

/// There are too many secrets to look for.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManySecrets;

/// Collects the secrets of an upload before they are searched for.
#[derive(Default)]
pub struct SecretsCollector {
    weak: HashSet<String>,
    strong: HashSet<String>,
    seen: HashSet<String>,
    bytes: usize,
}

impl SecretsCollector {
    /// Adds every text and number of a value that is a secret as a whole.
    pub fn add_all(&mut self, value: &Json) {
        match value {
            Json::String(text) | Json::Number(text) => self.add(text),
            Json::Array(items) => items.iter().for_each(|item| self.add_all(item)),
            Json::Object(fields) => fields.values().for_each(|value| self.add_all(value)),
            Json::Null | Json::Bool(_) => {}
        }
    }

    fn add(&mut self, secret: &str) {
        // The placeholder of a secret is not a secret.
        if HIDDEN.contains(&secret.to_lowercase()) || secret.contains(HIDDEN) {
            return;
        }
        if self.bytes > MAX_PATTERNS_BYTES || self.seen.contains(secret) {
            return;
        }
        self.seen.insert(secret.into());
        // Each line of a secret is searched for: copies may be indented or joined in another way.
        let lines = secret.lines().map(str::trim);
        for line in lines.filter(|line| !line.starts_with("-----")) {
            if line.chars().take(MIN_LETTERS).count() < MIN_LETTERS {
                continue;
            }
            if is_strong(line) {
                let start = &line[..line.floor_char_boundary(MAX_PATTERN_BYTES)];
                for spelling in spellings(start) {
                    self.bytes += spelling.len();
                    self.strong.insert(spelling);
                }
            } else if secret.lines().nth(1).is_none() {
                self.bytes += line.len();
                self.weak.insert(line.to_lowercase());
            }
        }
    }

    /// Builds the set of secrets to search for.
    ///
    /// # Errors
    /// If the secrets exceed the memory limit of the search.
    pub fn finish(self) -> Result<Secrets, TooManySecrets> {
        if self.bytes > MAX_PATTERNS_BYTES {
            return Err(TooManySecrets);
        }
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(&self.strong);
        let search =
            if self.strong.is_empty() { None } else { Some(search.map_err(|_error| TooManySecrets)?) };
        Ok(Secrets { weak: self.weak, strong: search })
    }
}

/// Whether a secret is searched for inside other texts. A plain word, a place or a number would hide too
/// much.
fn is_strong(secret: &str) -> bool {
    let length = secret.chars().count();
    let has = |kind: fn(&char) -> bool| secret.chars().any(|letter| kind(&letter));
    let digits = has(char::is_ascii_digit);
    let letters = has(|letter| letter.is_alphabetic());
    let others = has(|letter| !letter.is_alphanumeric() && !"-_./: ".contains(*letter));
    let parts =
        secret.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty()).count();
    let is_mixed = secret.chars().skip(1).any(char::is_uppercase) && has(|letter| letter.is_lowercase());
    let is_random = (letters && (digits || others)) || is_mixed;
    let is_long = length >= 20 || (parts > 1 && length >= 12) || (!letters && length >= 10);
    length >= MIN_LETTERS_INSIDE && !is_place(secret) && (is_random || is_long)
}

/// Whether a text is a region, a zone or a network. Terraform sometimes marks these too.
fn is_place(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |part: &str| {
        let mut letters = part.trim_start_matches(|letter: char| letter.is_ascii_lowercase()).chars();
        letters.next().is_some_and(|digit| digit.is_ascii_digit())
            && letters.all(|letter| letter.is_ascii_lowercase())
    };
    let is_region = (2..=4).contains(&parts.len())
        && parts.first().is_some_and(is_word)
        && parts.iter().skip(1).any(|part| is_number(part))
        && parts.iter().skip(1).all(|part| is_word(part) || is_number(part) || part.len() == 1)
        && text.len() <= 24;
    is_region || text.parse::<ipnet::IpNet>().is_ok() || text.parse::<std::net::IpAddr>().is_ok()
}

/// The secrets to search for.
pub struct Secrets {
    /// Secrets that are only compared with whole texts, in lower case.
    weak: HashSet<String>,
    strong: Option<AhoCorasick>,
}

impl Secrets {
    /// An empty set, for uploads without marks.
    pub fn none() -> Self {
        Self { weak: HashSet::new(), strong: None }
    }

    /// Whether there is no secret to search for.
    pub fn is_empty(&self) -> bool {
        self.weak.is_empty() && self.strong.is_none()
    }

    /// Whether a text contains or equals a secret. In a URL, each part is compared.
    pub fn reaches(&self, text: &str) -> bool {
        self.strong.as_ref().is_some_and(|strong| strong.is_match(text)) || self.is_weak(text)
    }

    /// Whether a whole text equals a weak secret.
    pub(super) fn is_one(&self, text: &str) -> bool {
        text.len() >= MIN_LETTERS && self.weak.contains(&text.to_lowercase())
    }

    /// Returns the text without the secrets in it. The whole text is hidden if it equals a secret, or
    /// contains one of which only the beginning is known.
    pub(super) fn without(&self, text: &str) -> String {
        if self.is_one(text) {
            return HIDDEN.into();
        }
        let mut shown = text.to_owned();
        // A secret may overlap another one.
        while let Some(strong) = &self.strong
            && let Some(found) = strong.find(&shown)
        {
            if found.len() >= MAX_PATTERN_BYTES - 3 {
                return HIDDEN.into();
            }
            shown.replace_range(found.range(), HIDDEN);
        }
        shown
    }

    fn is_weak(&self, text: &str) -> bool {
        !self.weak.is_empty()
            && (self.is_one(text) || (text.contains("://") && url_parts(text).any(|part| self.is_one(part))))
    }
}

pub(super) fn url_parts(text: &str) -> impl Iterator<Item = &str> {
    let after = text.find("://").map_or(0, |at| at + 3);
    text[after..].split(|letter: char| "/:@?&=;#, ".contains(letter))
}
