use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(10);

/// Limits how often a log line is written, for lines that clients can cause at will.
#[derive(Debug, Default)]
pub struct Sampler(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    written: Option<Instant>,
    left_out: u64,
}

impl Sampler {
    /// Creates a sampler that has written no line yet.
    pub const fn new() -> Self {
        Self(Mutex::new(State { written: None, left_out: 0 }))
    }

    /// Returns `Some` if a line may be written now: the first one, and then at most one every ten seconds.
    /// The value is the number of lines left out since the last one.
    pub fn admit(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.written.is_some_and(|at| at.elapsed() < INTERVAL) {
            state.left_out += 1;
            return None;
        }
        state.written = Some(Instant::now());
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_written_and_the_next_ones_are_counted() {
        let sampler = Sampler::new();
        assert_eq!(sampler.admit(), Some(0));
        assert_eq!([sampler.admit(), sampler.admit()], [None, None]);
        sampler.0.lock().unwrap().written = Instant::now().checked_sub(INTERVAL);
        assert_eq!(sampler.admit(), Some(2));
    }
}
