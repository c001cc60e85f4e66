//! The rules that this service rates drifts by: which are used, and what happens when they change. The
//! rules themselves are in the crate `scan`.

mod again;
mod handlers;
mod severity;
mod uses;

pub use again::apply_again;
pub use handlers::*;
pub use severity::Severity;
pub use uses::note_uses;
