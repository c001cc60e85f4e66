pub mod diff;
mod effect;
pub mod equality;
pub mod json;
mod kind;
pub mod marks;
pub mod path;
pub mod rules;
mod severity;
pub mod words;

pub use kind::Kind;
pub use severity::Severity;
