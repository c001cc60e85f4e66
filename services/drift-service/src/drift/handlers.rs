//! The endpoints of drifts.

mod bulk;
mod change;
mod groups;
mod read;
mod report;
mod write;

pub use bulk::*;
pub use change::*;
pub use groups::*;
pub use read::*;
pub use report::*;
pub use write::*;
