//! The invariants: those that hold all the time, and those of the end.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::process::{Process, QUEUE_BYTES};
use crate::run::Run;
use crate::world::{ACTED_IN, name};

const INTERVAL: Duration = Duration::from_millis(500);
/// Time after the last fault in which the system comes to rest.
const REST_IN: Duration = Duration::from_secs(40);
/// A frame may still be added to a queue that is nearly full, and the last frames always are.
const QUEUE_MARGIN: usize = 2 * 1024;

impl Run {
    /// Checks all processes again and again.
    pub(crate) async fn watch(&self) {
        while self.world().violation().is_none() {
            sleep(INTERVAL).await;
            self.check_panics();
            let processes = self.around.processes.borrow().clone();
            for process in processes.iter().flatten() {
                self.check(process).await;
            }
        }
    }

    pub(crate) fn check_panics(&self) {
        if let Some(panic) = crate::panics::first() {
            self.world().violate(|| panic);
        }
    }

    /// Whether a process knows every session that has ended, and has none of their sockets.
    async fn is_up_to_date(&self, process: &Process) -> bool {
        let ended = self.around.database.ended_sessions();
        let revocations = &process.platform.tokens().revocations;
        let sockets = process.gateway.as_ref().map_or_else(Vec::new, |gateway| gateway.sessions());
        ended.iter().all(|session| revocations.ended(*session).is_some() && !sockets.contains(session))
            && process.is_ready().await
    }

    async fn check(&self, process: &Process) {
        let (world, database) = (self.world(), &self.around.database);
        let is_late = |ended: Instant| world.is_late(ended);
        if let Some(gateway) = &process.gateway {
            for session in gateway.sessions() {
                if database.ended(session).is_some_and(is_late) {
                    world.violate(|| {
                        format!(
                            "{}: a socket of session {session}, which has ended, is open",
                            name(process.number)
                        )
                    });
                }
            }
            let waiting = gateway.fullest_queue();
            if waiting > QUEUE_BYTES + QUEUE_MARGIN {
                world.violate(|| format!("{}: {waiting} bytes wait for a client", name(process.number)));
            }
        }
        if !process.is_ready().await {
            if Instant::now() > world.calm_at() + ACTED_IN {
                world
                    .violate(|| format!("{} is not ready, although nothing is broken", name(process.number)));
            }
            return;
        }
        let revocations = &process.platform.tokens().revocations;
        for session in database.ended_sessions() {
            if revocations.ended(session).is_some() {
                continue;
            }
            // A process that starts reads the marks before it is ready. One that runs on without Redis keeps what it
            // knows, which is documented.
            let was_marked = world.redis().marked_at(session).is_some_and(|at| at < process.started);
            if was_marked || database.ended(session).is_some_and(is_late) {
                world.violate(|| {
                    format!(
                        "{} is ready, and accepts tokens of session {session}, which has ended",
                        name(process.number)
                    )
                });
            }
        }
    }

    /// Waits until every client has what it should have.
    pub(crate) async fn rest(&self) {
        let deadline = Instant::now() + REST_IN;
        loop {
            sleep(INTERVAL * 3).await;
            if self.world().violation().is_some() {
                return;
            }
            match self.missing().await {
                None => return self.check_losses(),
                Some(missing) if Instant::now() > deadline => return self.world().violate(|| missing),
                _ => {}
            }
        }
    }

    /// The reason why the system is not at rest.
    async fn missing(&self) -> Option<String> {
        let processes = self.around.processes.borrow().clone();
        for process in processes.iter().flatten() {
            if !self.is_up_to_date(process).await {
                return Some(format!("{} does not get up to date", name(process.number)));
            }
        }
        let unsent = self.around.database.unsent();
        if unsent > 0 {
            return Some(format!("{unsent} events were never published"));
        }
        self.clients.iter().find_map(|client| {
            let state = client.state.borrow();
            if !state.is_settled {
                return Some(format!("client {} does not get in", client.number));
            }
            let missing = self.around.database.with_facts(|facts| state.view.missing(facts));
            let note = || state.live.as_ref().and_then(|live| live.untold(&self.world().notes()));
            let missing = missing.or_else(|| Some(format!("note {}, and was not told", note()?)))?;
            Some(format!("client {} was never shown {missing}", client.number))
        })
    }

    /// Checks that the gateways have counted the notes that their clients missed.
    fn check_losses(&self) {
        for client in &self.clients {
            if let Some(live) = &client.state.borrow().live {
                live.account(&mut self.world().notes(), true);
            }
        }
        for process in self.around.processes.borrow().iter().flatten() {
            let (missed, counted) = (self.world().notes().missed(process.life), process.counted_losses());
            if missed as u64 > counted {
                self.world().violate(|| {
                    format!("{}: {missed} notes were lost, and {counted} counted", name(process.number))
                });
            }
        }
    }
}
