pub mod diff;
pub mod equality;
pub mod json;
mod kind;
pub mod marks;
pub mod path;
mod severity;
pub mod words;

pub use kind::Kind;
pub use severity::Severity;
