//! The endpoints of drifts.

mod bulk;
mod change;
mod comments;
mod groups;
mod read;
mod report;
mod watch;
mod write;

pub use bulk::*;
pub use change::*;
pub use comments::*;
pub use groups::*;
pub use read::*;
pub use report::*;
pub use watch::*;
pub use write::*;
