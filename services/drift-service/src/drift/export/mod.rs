//! Exports: exactly the drifts of a filtered list, as a stream in one of three formats.

mod csv;
mod format;
mod handler;
mod sarif;

pub use handler::*;
