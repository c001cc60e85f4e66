//! The numbers of the overview: the present counts, the trend, and what changed since a time.

mod changes;
mod monthly;
pub mod summary;
mod trend;

pub use changes::*;
pub use monthly::*;
pub use summary::*;
pub use trend::*;
