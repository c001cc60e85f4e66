//! Drifts: their statuses and the actions that people may take.

pub mod content;
pub mod entity;
pub mod live;
pub mod new;
pub mod stack_counts;

mod action;
pub mod comment;
mod decide;
mod decide_all;
mod due;
mod events;
mod export;
mod facets;
pub mod filter;
mod group_key;
mod groups;
mod handlers;
mod list;
pub mod returns;
mod until;
mod view;
pub mod watcher;

pub use action::Action;
pub use decide::Decision;
pub use due::end_due;
pub use events::{resolved, updated};
pub use export::*;
pub use filter::Filter;
pub use handlers::*;
pub use view::DriftView;
