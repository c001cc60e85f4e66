//! Alerts: notices that a drift needs attention.

pub mod entity;
pub mod reads;

mod close;
mod handlers;
mod raise;
mod view;

pub use close::{close_of_drift, close_of_drifts, close_silence, deletion};
pub use handlers::*;
pub use raise::{about, about_address, about_missing, about_silence, raise, raise_again, raise_once};
pub use view::reader_mark;
pub(crate) use view::{AlertView, views};
