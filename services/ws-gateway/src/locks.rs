//! The locks that threads share on the way of an event to a socket. Unit tests run them in many interleavings.

#[cfg(not(test))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicUsize};
#[cfg(test)]
pub(crate) use testing::interleavings::{AtomicUsize, Mutex, MutexGuard};
