//! Reads the output of scanners, and determines what it means for stored drifts. No database, no HTTP,
//! nothing asynchronous.
//!
//! Four types: an `Entry` is one resource as a tool wrote it. A [`Finding`] is one
//! difference, after rules and redaction. A [`Match`] is a finding compared with stored drifts. A
//! [`Change`] is what an ingest writes for a match.
//!
//! Start at [`read`]. Everything that leaves this crate has passed the filter for secrets ([`redact`]), and
//! every comparison uses the same equality (`equality`).

mod assess;
mod diff;
mod effect;
mod entry;
mod equality;
mod error;
mod finding;
mod json;
mod limits;
mod matching;
pub mod path;
mod place;
mod read;
pub mod redact;
pub mod rerate;
mod resource_identity;
pub mod rules;
mod scan;
mod scope;
mod sensitive_marks;
mod words;

pub use assess::{Criteria, RuleUses};
pub use error::ScanError;
pub use finding::{Finding, PathHash, Settled};
pub use limits::{MAX_BYTES, MAX_ENTRIES, MAX_STATE_BYTES};
pub use matching::{
    Change, Decision, Match, Matches, PlannedAction, Stored, Touch, Touched, match_findings, touched_by,
};
pub use read::{Report, ReportError, read, read_report, unpack};
pub use resource_identity::{Identity, StateKey};
pub use scan::{Incomplete, Origin, Scan};
pub use scope::{Scope, Source};
