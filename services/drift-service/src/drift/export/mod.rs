//! The export of drifts: exactly those of a filtered list, in one of three formats.

mod csv;
mod format;
mod handler;
mod sarif;

pub use handler::*;
