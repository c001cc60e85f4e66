//! Stacks: the parts of an infrastructure that are scanned together, and how much is known about them.

pub mod entity;
pub mod scope;

mod badge;
mod badge_key;
mod cadence;
mod edit;
mod handlers;
mod labels;
mod list;
mod name;
mod progress;
mod silence;
mod view;

pub use badge::*;
pub use edit::*;
pub use handlers::*;
pub use progress::{Received, note_upload};
pub use silence::report_silent_stacks;

pub use entity::lock;
