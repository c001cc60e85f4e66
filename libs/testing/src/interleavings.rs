//! Models: tests that run real code in many interleavings of its threads.
//!
//! In its unit tests, a crate takes its locks and atomics from here instead of `std`. Inside [`check`], a scheduler
//! decides at each of them which thread goes on. Outside of it they are those of `std`, so that all other tests run as
//! usual.

use std::fmt;
use std::io::Write as _;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LockResult, PoisonError};
use std::time::Instant;

use shuttle::Runner;
use shuttle::current::try_get_current_task;
use shuttle::scheduler::{PctScheduler, RandomScheduler};

pub use shuttle::future::{block_on, yield_now};
pub use shuttle::thread::{JoinHandle, spawn, yield_now as pause};

/// Maximum number of forced switches in an interleaving with few switches.
const FEW_SWITCHES: usize = 4;
const SEED: u64 = 1;

/// Runs a model in `interleavings` random interleavings and in as many with few switches. Each run makes the same ones;
/// `INTERLEAVINGS` is a factor, to run more.
///
/// # Panics
/// If the model panics, or if all of its threads wait for each other. The message has the schedule.
pub fn check(name: &str, interleavings: usize, model: impl Fn() + Send + Sync + 'static) {
    let factor = std::env::var("INTERLEAVINGS").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    let (count, begun) = (interleavings * factor, Instant::now());
    let mut config = shuttle::Config::new();
    config.stack_size = 512 * 1024;
    let model = Arc::new(model);
    let run = || {
        let model = Arc::clone(&model);
        move || model()
    };
    Runner::new(RandomScheduler::new_from_seed(SEED, count), config.clone()).run(run());
    Runner::new(PctScheduler::new_from_seed(SEED, FEW_SWITCHES, count), config).run(run());
    let seconds = begun.elapsed().as_secs_f64();
    // Not captured by the test harness.
    let _ = writeln!(std::io::stderr(), "model: {name}: {} interleavings in {seconds:.1} s", 2 * count);
}

/// A random number below `limit`, from the scheduler.
pub fn random(limit: usize) -> usize {
    use shuttle::rand::Rng as _;
    shuttle::rand::thread_rng().gen_range(0..limit)
}

fn is_model() -> bool {
    try_get_current_task().is_some()
}

/// A mutex of `std`, or of a model if created in one.
pub struct Mutex<T>(Lock<T>);

enum Lock<T> {
    Usual(std::sync::Mutex<T>),
    Modelled(shuttle::sync::Mutex<T>),
}

/// The guard of a [`Mutex`].
pub struct MutexGuard<'a, T>(Guard<'a, T>);

enum Guard<'a, T> {
    Usual(std::sync::MutexGuard<'a, T>),
    /// `None` only while the guard is dropped.
    Modelled(Option<shuttle::sync::MutexGuard<'a, T>>),
}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(if is_model() {
            Lock::Modelled(shuttle::sync::Mutex::new(value))
        } else {
            Lock::Usual(std::sync::Mutex::new(value))
        })
    }

    /// See [`std::sync::Mutex::lock`].
    ///
    /// # Errors
    /// If a thread panicked while it held the lock.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        match &self.0 {
            Lock::Usual(lock) => map(lock.lock(), Guard::Usual),
            Lock::Modelled(lock) => map(lock.lock(), |guard| Guard::Modelled(Some(guard))),
        }
    }
}

fn map<'a, G, T>(result: LockResult<G>, f: impl Fn(G) -> Guard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
    match result {
        Ok(guard) => Ok(MutexGuard(f(guard))),
        Err(error) => Err(PoisonError::new(MutexGuard(f(error.into_inner())))),
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    /// Lets other threads run after the unlock, too: the scheduler itself does so only before it.
    fn drop(&mut self) {
        if let Guard::Modelled(guard) = &mut self.0 {
            *guard = None;
            if !std::thread::panicking() {
                shuttle::sync::atomic::AtomicBool::new(false).load(Ordering::SeqCst);
            }
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Lock::Usual(lock) => lock.fmt(f),
            Lock::Modelled(lock) => lock.fmt(f),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Guard::Usual(guard) => guard,
            Guard::Modelled(guard) => guard.as_ref().expect("not dropped"),
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Guard::Usual(guard) => guard,
            Guard::Modelled(guard) => guard.as_mut().expect("not dropped"),
        }
    }
}

/// An atomic number of `std`, or of a model if created in one.
#[derive(Debug)]
pub struct AtomicUsize(Atomic);

#[derive(Debug)]
enum Atomic {
    Usual(std::sync::atomic::AtomicUsize),
    Modelled(shuttle::sync::atomic::AtomicUsize),
}

impl AtomicUsize {
    pub fn new(value: usize) -> Self {
        Self(if is_model() {
            Atomic::Modelled(shuttle::sync::atomic::AtomicUsize::new(value))
        } else {
            Atomic::Usual(std::sync::atomic::AtomicUsize::new(value))
        })
    }

    pub fn load(&self, order: Ordering) -> usize {
        match &self.0 {
            Atomic::Usual(number) => number.load(order),
            // A model knows only one order of all operations.
            Atomic::Modelled(number) => number.load(Ordering::SeqCst),
        }
    }

    pub fn fetch_add(&self, value: usize, order: Ordering) -> usize {
        match &self.0 {
            Atomic::Usual(number) => number.fetch_add(value, order),
            Atomic::Modelled(number) => number.fetch_add(value, Ordering::SeqCst),
        }
    }

    pub fn fetch_sub(&self, value: usize, order: Ordering) -> usize {
        match &self.0 {
            Atomic::Usual(number) => number.fetch_sub(value, order),
            Atomic::Modelled(number) => number.fetch_sub(value, Ordering::SeqCst),
        }
    }
}
