//! The locks between the drivers and the feeds. Unit tests run them in many interleavings.

#[cfg(not(test))]
pub(crate) use std::sync::{Mutex, MutexGuard};
#[cfg(test)]
pub(crate) use testing::interleavings::{Mutex, MutexGuard};
