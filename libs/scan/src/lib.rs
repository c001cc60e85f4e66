pub mod diff;
mod effect;
pub mod equality;
mod identity;
pub mod json;
mod kind;
pub mod marks;
pub mod path;
pub mod redact;
pub mod rules;
mod severity;
pub mod words;

pub use identity::{Identity, StateKey};
pub use kind::Kind;
pub use severity::Severity;
