//! Scans: every upload that arrived for a stack, and what it was worth.

pub mod entity;

mod handlers;
mod record;
mod view;

pub use handlers::*;
pub use record::{Provenance, ScanResult, record};
pub use view::ScanView;
