//! Drifts: their statuses and the actions that people may take.

pub mod content;
pub mod entity;
pub mod live;
pub mod new;

mod decide;
mod events;
pub mod filter;
mod handlers;
mod list;
mod status;
mod view;

pub use decide::Decision;
pub use events::{resolved, updated};
pub use filter::Filter;
pub use handlers::*;
pub use status::{Action, Kind, ResolvedHow, Status};
pub use view::DriftView;
