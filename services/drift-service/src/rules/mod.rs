//! The rules that rate drifts: which rules are in force, which match, the versions of the console's rules, and the new
//! rating when rules change. The rules themselves are in the crate `scan`.

mod current;
mod effect;
mod entity;
mod handlers;
mod rate;
mod reapply;
mod rehearse;
mod save;
mod uses;
mod written;

pub(crate) use current::CurrentRules;
pub use current::RulesInForce;
pub use effect::*;
pub use handlers::*;
pub(crate) use reapply::reapply;
pub use rehearse::*;
pub use save::*;
pub use uses::note_uses;
pub use written::{RuleSet, WrittenRule};
