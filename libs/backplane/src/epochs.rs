use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Number of ended epochs that a process remembers. An epoch comes back within seconds after it ended, or not at all.
const PAST_EPOCHS: usize = 64;

/// The epochs of the log that a process has seen. An epoch that ended and is there again was brought back by a failover,
/// without the events that made it end: whoever never heard of its end would miss them.
#[derive(Default)]
pub struct Epochs(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    current: Option<Arc<str>>,
    past: VecDeque<Arc<str>>,
}

impl Epochs {
    /// Takes note of the epoch that the log has. Returns whether this epoch had ended before.
    pub fn is_back(&self, epoch: &str) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.current.as_deref() == Some(epoch) {
            return false;
        }
        if seen.past.iter().any(|past| &**past == epoch) {
            return true;
        }
        if let Some(ended) = seen.current.replace(epoch.into()) {
            seen.past.push_back(ended);
            if seen.past.len() > PAST_EPOCHS {
                seen.past.pop_front();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_back_if_another_one_followed_it() {
        let epochs = Epochs::default();
        assert!(!epochs.is_back("first"));
        assert!(!epochs.is_back("first"));
        assert!(!epochs.is_back("second"));
        assert!(epochs.is_back("first"), "it ended");
        assert!(!epochs.is_back("second"), "a late response changes nothing");
        assert!(!epochs.is_back("third"));
        assert!(epochs.is_back("first") && epochs.is_back("second"));
    }

    #[test]
    fn the_number_of_remembered_epochs_is_bounded() {
        let epochs = Epochs::default();
        for epoch in 0..=PAST_EPOCHS + 1 {
            assert!(!epochs.is_back(&epoch.to_string()));
        }
        assert!(epochs.is_back("1"));
        assert_eq!(epochs.0.lock().unwrap().past.len(), PAST_EPOCHS);
    }
}
