//! Logins of devices without a browser, such as a command line (RFC 8628): the device shows a code, a person approves
//! the code in a session of theirs, and the device gets a session of that person.

pub mod codes;
pub mod decision;
pub mod entity;
pub mod handlers;
pub mod limits;
pub mod poll;
pub mod refusal;
pub mod request;
