//! Tests of the test tools on which all other tests rely.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod backends;
mod faults;
mod security_review;
