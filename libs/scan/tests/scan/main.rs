//! The crate from outside: the cases from the field, the samples of real Terraform, and properties over
//! sequences of scans, with stored drifts in memory.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod field;
mod properties;
mod samples;
mod store;
