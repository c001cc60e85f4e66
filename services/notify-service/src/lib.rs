//! Notifications: what happens is sent to where people and other systems look, as reliably as over sockets.
//!
//! [`event`] reads the event log by position and stores, for each destination that wants an event, a delivery.
//! [`delivery`] sends deliveries at least once, in order for each subject, with retries. [`message`] writes what a
//! destination receives, and [`send`] is the only code that connects to an address that a person entered. Drifts,
//! users and alerts belong to other services, of which this one knows only the events.

pub mod event;
pub mod message;
pub mod send;
