//! The servers that the public test suites of Engine.IO, of Socket.IO and of the stock client expect:
//! echoes, and no tokens. Only `examples/conformance.rs` and tests ask for it; no setting does.

mod client_suite;
mod echo;

pub use echo::{Echo, Suite};
