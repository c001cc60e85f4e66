//! The backplane's drivers of one process, over the simulated Redis.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backplane::{Announcer, Condition, Drivers, Epochs, Error, Link, Mark};
use contracts::{Clock, Tasks};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::data::KnownLog;
use crate::redis::{Redis, Refusal};
use crate::spawn::spawn;
use crate::subscriber::SILENCE_LIMIT;
use crate::world::{Without, World};

/// As in the real driver.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The connection of a process.
pub(crate) struct Driver {
    pub world: Arc<World>,
    pub process: usize,
    /// Distinguishes a process from the one before its restart.
    pub life: u64,
    pub announcer: Announcer,
    clock: Clock,
    /// The rules of the real drivers.
    pub condition: Condition,
    pub epochs: Epochs,
    state: Mutex<State>,
}

pub(crate) struct State {
    /// The server that this process uses.
    server: usize,
    secret: Option<Arc<str>>,
    /// Commands of one process arrive in their order.
    next_arrival: Instant,
    heard_at: Instant,
    pub(crate) known_log: Option<KnownLog>,
}

impl Driver {
    /// Creates the drivers, and begins to connect.
    pub(crate) fn open(
        world: &Arc<World>,
        process: usize,
        life: u64,
        clock: Clock,
        tasks: &Tasks,
        announcer: Announcer,
    ) -> Drivers {
        let lost = Link::Lost { since: Instant::now(), reason: "not connected yet" };
        let (link, watched) = watch::channel(lost);
        let state = State {
            server: world.redis().primary,
            secret: None,
            next_arrival: Instant::now(),
            heard_at: Instant::now(),
            known_log: None,
        };
        let world = Arc::clone(world);
        let (state, shared) = (Mutex::new(state), announcer.clone());
        let (condition, epochs) = (Condition::new(link), Epochs::default());
        let driver = Arc::new(Self { world, process, life, announcer, clock, condition, epochs, state });
        let listening = Arc::clone(&driver);
        tasks.spawn("subscriber", async move {
            listening.listen().await;
            Ok::<(), std::convert::Infallible>(())
        });
        Drivers { log: driver.clone(), marks: driver.clone(), keys: driver, announcer: shared, link: watched }
    }

    pub(crate) fn set_server(&self, server: usize) {
        self.state().server = server;
    }

    pub(crate) fn server(&self) -> usize {
        self.state().server
    }

    pub(crate) fn secret(&self) -> Option<Arc<str>> {
        self.state().secret.clone()
    }

    pub(crate) fn set_secret(&self, secret: Option<Arc<str>>) {
        self.state().secret = secret;
    }

    /// Leaves a server that cannot serve.
    pub(crate) fn leave(&self) {
        let mut redis = self.world.redis();
        redis.disconnect(self.process);
        self.state().server = redis.primary;
    }

    pub(crate) fn note_sign_of_life(&self) {
        self.state().heard_at = Instant::now();
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.state().heard_at.elapsed() >= SILENCE_LIMIT
    }

    /// Sends a command. The server may execute it although its response is lost, or comes too late.
    pub(crate) async fn exchange<T: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Redis, usize) -> std::result::Result<T, Refusal> + Send + 'static,
    ) -> std::result::Result<T, Failure> {
        let (world, process, server) = (Arc::clone(&self.world), self.process, self.server());
        let generation = world.redis().generation(process);
        let (there, back) = (world.draw_duration(0..2), world.draw_duration(0..2));
        let slow = world.redis().latency(server);
        let arrival = {
            let mut state = self.state();
            state.next_arrival = state.next_arrival.max(Instant::now() + there + slow);
            state.next_arrival
        };
        let (responded, response) = oneshot::channel();
        let travelling = async move {
            sleep_until(arrival).await;
            if !world.is_reachable(process) || world.redis().generation(process) != generation {
                return;
            }
            let result = command(&mut world.redis(), server);
            sleep(back).await;
            if world.is_reachable(process) && world.redis().generation(process) == generation {
                // An error means that the caller waits no longer.
                let _ = responded.send(result);
            }
        };
        spawn(travelling);
        let response = timeout(TIMEOUT, response).await.map_err(|_late| Failure::Timeout)?;
        let result = response.map_err(|_lost| Failure::Refused(Refusal::Unreachable))?;
        result.map_err(|refusal| {
            if refusal == Refusal::ReadOnly && self.world.without != Without::ReconnectOnReadonly {
                self.leave();
            }
            Failure::Refused(refusal)
        })
    }

    pub(crate) fn expiry(&self, mark: &Mark) -> Instant {
        let life = (mark.expires_at - self.clock.now()).num_seconds().max(0) + 1;
        Instant::now() + Duration::from_secs(life.unsigned_abs())
    }

    pub(crate) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reason why a command has no response.
#[derive(Debug)]
pub enum Failure {
    Timeout,
    Refused(Refusal),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Timeout => Self::Timeout,
            Failure::Refused(refusal) => Self::unavailable(refusal.reason()),
        }
    }
}
