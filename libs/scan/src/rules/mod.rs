//! Rules that classify changes as noise, information or urgent. Rules of a file take precedence over the
//! built-in ones.

mod builtin;
mod class;
mod file;
mod glob;
mod rated;
mod rule;
mod subject;

pub use class::Class;
pub use file::RulesError;
pub use rated::{Rated, Rating, Rules};
pub use rule::Rule;
pub use subject::Subject;

#[cfg(test)]
mod tests;
