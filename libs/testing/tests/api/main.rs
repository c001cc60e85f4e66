//! The test ground itself: what other tests rely on without looking.

mod backends;
mod faults;
