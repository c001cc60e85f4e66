//! Turns at work that only a few requests may do at the same time. Waiting callers are served in turn,
//! however many requests each of them sends.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// The limits of a set of turns.
#[derive(Clone, Copy, Debug)]
pub struct TurnsConfig {
    /// Maximum number of concurrent turns.
    pub slots: usize,
    /// Maximum number of concurrent turns of one caller.
    pub slots_per_caller: usize,
    /// Maximum number of waiting requests of one caller.
    pub waiting_per_caller: usize,
    /// Maximum number of waiting requests.
    pub waiting: usize,
    pub patience: Duration,
}

/// No turn came in time, or too many are waiting.
#[derive(Debug, PartialEq, Eq)]
pub struct Busy;

#[derive(Clone)]
pub struct Turns {
    config: TurnsConfig,
    queues: Arc<Mutex<Queues>>,
}

#[derive(Default)]
struct Queues {
    running: usize,
    running_of: HashMap<String, usize>,
    waiting: HashMap<String, VecDeque<oneshot::Sender<Turn>>>,
    /// The waiting callers, the next one first.
    order: VecDeque<String>,
    waiting_count: usize,
}

/// A turn. When dropped, it passes to the next caller.
pub struct Turn {
    turns: Option<Turns>,
    caller: String,
}

impl Queues {
    /// Removes the requests that no longer wait, if the queue is full: they would keep others out.
    fn forget_those_who_left(&mut self, config: TurnsConfig, caller: &str) {
        let of_caller = self.waiting.get(caller).map_or(0, VecDeque::len);
        if of_caller < config.waiting_per_caller && self.waiting_count < config.waiting {
            return;
        }
        self.waiting.retain(|_, requests| {
            requests.retain(|request| !request.is_closed());
            !requests.is_empty()
        });
        self.order.retain(|caller| self.waiting.contains_key(caller));
        self.waiting_count = self.waiting.values().map(VecDeque::len).sum();
    }
}

impl Turns {
    pub fn new(config: TurnsConfig) -> Self {
        Self { config, queues: Arc::default() }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// If too many requests are waiting already, or no turn comes in time.
    pub async fn take(&self, caller: &str) -> Result<Turn, Busy> {
        let receiver = {
            let mut queues = self.lock();
            if queues.order.is_empty() && self.may_run(&queues, caller) {
                return Ok(self.start(&mut queues, caller.into()));
            }
            queues.forget_those_who_left(self.config, caller);
            let waiting = queues.waiting.get(caller).map_or(0, VecDeque::len);
            if waiting >= self.config.waiting_per_caller || queues.waiting_count >= self.config.waiting {
                return Err(Busy);
            }
            let (sender, receiver) = oneshot::channel();
            if waiting == 0 {
                queues.order.push_back(caller.into());
            }
            queues.waiting.entry(caller.into()).or_default().push_back(sender);
            queues.waiting_count += 1;
            self.serve(&mut queues);
            receiver
        };
        match tokio::time::timeout(self.config.patience, receiver).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Busy),
        }
    }

    fn may_run(&self, queues: &Queues, caller: &str) -> bool {
        let own = queues.running_of.get(caller).copied().unwrap_or_default();
        queues.running < self.config.slots && own < self.config.slots_per_caller
    }

    fn start(&self, queues: &mut Queues, caller: String) -> Turn {
        queues.running += 1;
        *queues.running_of.entry(caller.clone()).or_default() += 1;
        Turn { turns: Some(self.clone()), caller }
    }

    /// Gives free turns to the waiting callers: one each, before any caller gets a second one.
    fn serve(&self, queues: &mut Queues) {
        let mut passed_over = 0;
        while passed_over < queues.order.len() {
            let Some(caller) = queues.order.pop_front() else { return };
            if !self.may_run(queues, &caller) {
                queues.order.push_back(caller);
                passed_over += 1;
                continue;
            }
            let Some(sender) = queues.waiting.get_mut(&caller).and_then(VecDeque::pop_front) else {
                continue;
            };
            queues.waiting_count -= 1;
            if queues.waiting.get(&caller).is_some_and(VecDeque::is_empty) {
                queues.waiting.remove(&caller);
            } else {
                queues.order.push_back(caller.clone());
            }
            let turn = self.start(queues, caller);
            if let Err(mut unwanted) = sender.send(turn) {
                // The caller no longer waits. The turn must not be returned by its `drop`, which takes the
                // lock that is held here.
                unwanted.turns = None;
                self.stop(queues, &unwanted.caller);
            }
            passed_over = 0;
        }
    }

    fn stop(&self, queues: &mut Queues, caller: &str) {
        queues.running -= 1;
        if let Some(running) = queues.running_of.get_mut(caller) {
            *running -= 1;
            if *running == 0 {
                queues.running_of.remove(caller);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            let mut queues = turns.lock();
            turns.stop(&mut queues, &self.caller);
            turns.serve(&mut queues);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: TurnsConfig = TurnsConfig {
        slots: 1,
        slots_per_caller: 1,
        waiting_per_caller: 3,
        waiting: 5,
        patience: Duration::from_secs(5),
    };

    #[expect(clippy::disallowed_methods, reason = "the test awaits its tasks")]
    #[tokio::test]
    async fn callers_take_turns_however_many_requests_each_sends() {
        let turns = Turns::new(CONFIG);
        let first = turns.take("greedy").await.ok().unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for caller in ["greedy", "greedy", "greedy", "other"] {
            let (turns, order) = (turns.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                let turn = turns.take(caller).await.ok().unwrap();
                order.lock().unwrap().push(caller);
                drop(turn);
            }));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["greedy", "other", "greedy", "greedy"]);
    }

    #[tokio::test]
    async fn waiting_requests_are_bounded_and_give_up() {
        let turns = Turns::new(TurnsConfig { patience: Duration::from_millis(20), ..CONFIG });
        let turn = turns.take("a").await.ok().unwrap();
        let waiting: Vec<_> = (0..4).map(|_| turns.take("a")).collect();
        let outcomes = futures_util::future::join_all(waiting).await;
        assert!(outcomes.iter().all(Result::is_err));
        // Those who gave up keep no place: others may wait.
        let later = turns.take("a");
        let freed = async {
            tokio::task::yield_now().await;
            drop(turn);
        };
        drop(futures_util::future::join(later, freed).await.0.ok().unwrap());
        assert!(turns.take("b").await.is_ok());
        assert_eq!(turns.lock().running, 0);
    }

    #[tokio::test]
    async fn a_caller_has_no_more_than_its_share_of_the_turns() {
        let turns = Turns::new(TurnsConfig { slots: 2, ..CONFIG });
        let _own = turns.take("a").await.ok().unwrap();
        let second = tokio::time::timeout(Duration::from_millis(20), turns.take("a")).await;
        assert!(second.is_err());
        assert!(turns.take("b").await.is_ok());
    }
}
