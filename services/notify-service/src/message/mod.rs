//! The messages that destinations receive, written from events.
//!
//! [`Facts`] says in words what an event reports; each other module writes facts or the event itself for one kind of
//! destination. All functions are pure. A message has only values that its event has.

mod facts;
pub mod mail;
pub mod pagerduty;
mod payload;
mod sample;
pub mod slack;
pub mod teams;
mod template;
mod text;
mod title;
pub mod webhook;

pub use facts::Facts;
pub use sample::sample;
pub(crate) use text::line;

pub use template::{Template, TemplateError, context};

#[cfg(test)]
mod examples;
#[cfg(test)]
mod facts_tests;
#[cfg(test)]
mod mail_tests;
#[cfg(test)]
mod pagerduty_tests;
#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod slack_tests;
#[cfg(test)]
mod teams_tests;
#[cfg(test)]
mod template_tests;
