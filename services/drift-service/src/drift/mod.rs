//! Drifts: their statuses and the actions that people may take.

pub mod comment;
pub mod content;
pub mod deciding;
pub mod entity;
pub mod filter;
pub mod live;
pub mod matching;
pub mod new;
pub mod returns;
pub mod stack_counts;
pub mod watcher;

mod action;
mod decide;
mod decide_all;
mod due;
mod events;
mod export;
mod facets;
mod group_key;
mod groups;
mod handlers;
mod list;
mod search;
mod until;
mod view;

pub(crate) use search::search;

pub use action::Action;
pub use decide::Decision;
pub use due::end_due;
pub use events::{resolved, resolved_live, subject_of_live, updated};
pub use export::*;
pub use filter::Filter;
pub use handlers::*;
pub use view::DriftView;
