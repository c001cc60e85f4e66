//! Reads the output of scanners, and determines what it means for stored drifts. No database, no HTTP,
//! nothing asynchronous.
//!
//! Four types: an [`entry`](entry::Entry) is one resource as a tool wrote it. A [`Finding`] is one
//! difference, after rules and redaction. A [`Match`] is a finding compared with stored drifts. A
//! [`Change`] is what an ingest writes for a match.
//!
//! Start at [`read`]. Everything that leaves this crate has passed the filter for secrets ([`redact`]), and
//! every comparison uses the same equality ([`equality`]).

mod assess;
pub mod diff;
mod effect;
mod entry;
pub mod equality;
mod error;
mod finding;
mod identity;
pub mod json;
mod kind;
pub mod marks;
mod matching;
pub mod path;
mod place;
mod read;
pub mod redact;
pub mod rerate;
pub mod rules;
mod scan;
mod severity;
pub mod words;

pub use assess::{Judgement, RuleUses, Settled};
pub use error::ScanError;
pub use finding::{Finding, PathHash};
pub use identity::{Identity, StateKey};
pub use kind::Kind;
pub use matching::{Change, Decision, Match, Matches, Stored, match_findings};
pub use read::{Report, ReportError, read, read_report, unpack};
pub use scan::{Incomplete, MAX_BYTES, MAX_ENTRIES, MAX_STATE_BYTES, Scan, Scope, Source};
pub use severity::Severity;
