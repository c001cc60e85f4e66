//! Tests of the crate's public interface: cases from the field, samples of real Terraform, and properties
//! of sequences of scans, with stored drifts in memory.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod field;
mod planned;
mod properties;
mod samples;
mod store;
