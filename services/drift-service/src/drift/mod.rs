//! Drifts: their statuses and the actions that people may take.

pub mod content;
pub mod entity;
pub mod live;
pub mod new;
pub mod stack_counts;

mod action;
mod decide;
mod decide_all;
pub(crate) mod deciding;
mod events;
mod export;
mod facets;
pub mod filter;
mod group_key;
mod groups;
mod handlers;
mod list;
mod search;
mod view;

pub(crate) use search::search;

pub use action::Action;
pub use decide::Decision;
pub use deciding::*;
pub use events::{resolved, updated};
pub use export::*;
pub use filter::Filter;
pub use handlers::*;
pub use view::DriftView;
