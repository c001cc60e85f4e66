//! The messages that destinations receive, written from events.
