//! The servers that the public test suites of Engine.IO, of Socket.IO and of the stock client expect: echoes, and no
//! tokens. Only `examples/conformance.rs` and tests use these servers; no setting turns them on.

mod client_suite;
mod echo;

pub(crate) use echo::Echo;
pub use echo::Suite;
