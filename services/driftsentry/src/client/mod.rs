//! The parts that the commands for CI jobs share: the connection to a DriftSentry server, and safe output.

mod connection;
mod costs;
mod failure;
mod gzip;
mod plain_text;
mod provenance;
mod scan_file;
mod send;
mod token_expiry;

pub(crate) use connection::{Connection, VARIABLES};
pub(crate) use costs::beside;
pub(crate) use failure::print_failure;
pub(crate) use gzip::pack;
pub(crate) use plain_text::plain;
pub(crate) use provenance::Provenance;
pub(crate) use scan_file::{ScanFile, collect};
pub(crate) use send::Sender;
