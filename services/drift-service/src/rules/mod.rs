//! The use of the rules that rate drifts: which rules match, and the new rating when the rules change. The
//! rules themselves are in the crate `scan`.

mod handlers;
mod reapply;
mod uses;

pub use handlers::*;
pub use reapply::reapply;
pub use uses::note_uses;
