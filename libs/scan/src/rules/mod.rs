//! Rules that classify changes as noise, information or urgent. Rules of the operator take precedence
//! over the built-in ones.

mod builtin;
mod class;
mod file;
mod glob;
mod rated;
mod rule;
mod short;
mod subject;
mod written;

pub use class::Class;
pub use rated::{Rated, Rating, Rules};
pub use rule::Rule;
pub use short::ShortRule;
pub use subject::Subject;
pub use written::RulesError;

#[cfg(test)]
mod tests;
