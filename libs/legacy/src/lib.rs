//! Reads the database of the replaced Node stack for an import.
//!
//! Start with [`ImportCommand`], which every binary with a database has. A service converts its own rows, which it reads
//! from the [`Snapshot`].

mod accounts;
mod command;
mod report;
mod snapshot;
mod source_time;

pub use accounts::Accounts;
pub use command::{ImportCommand, Imported};
pub use report::ImportReport;
pub use snapshot::{Pages, Snapshot};
pub use source_time::SourceTime;
