//! Drifts, alerts, their decisions and the audit of them.
pub mod drift;
mod fingerprint;
pub mod rules;
mod scan;
