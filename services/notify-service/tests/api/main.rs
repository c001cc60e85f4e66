//! The service from outside: requests to real receivers and names on a real DNS server.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod addresses;
mod certificates;
mod dns_server;
mod logs;
mod many_receivers;
mod names;
mod receiver;
mod receivers;
