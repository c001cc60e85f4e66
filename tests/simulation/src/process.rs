//! The simulated processes. Their parts are the real ones; only the edges are simulated.

use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Result;
use backplane::{Announcer, Backplane, Mark};
use chrono::{DateTime, TimeDelta};
use clap::Parser;
use contracts::events::auth::EndReason;
use contracts::{AccountId, Clock, Tasks};
use database::OutboxRelay;
use identity::{session_mark, user_mark};
use platform::{Lifecycle, Platform};
use tokio::sync::Notify;
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use ws_gateway::simulated::Gateway;

use crate::database::{Database, ProcessOutbox};
use crate::driver::Driver;
use crate::spawn::spawn_local;
use crate::world::{PROCESSES, Without, World, name};

pub(crate) const AUTH: [usize; 2] = [0, 1];
pub(crate) const DRIFT: [usize; 2] = [2, 3];
pub(crate) const GATEWAYS: [usize; 3] = [4, 5, 6];

/// Interval in which auth-service restores lost marks. Shorter than the default, because runs are short.
pub(crate) const RESTORE_INTERVAL: Duration = Duration::from_secs(3);
pub(crate) const TOKEN_LIFE: TimeDelta = TimeDelta::minutes(15);
/// Few bytes, so that a process often cannot keep up.
const FEED_BYTES: usize = 24 * 1024;
/// Few bytes, so that a client often reads too slowly.
pub(crate) const QUEUE_BYTES: usize = 8 * 1024;

/// A user of the simulated installation, with the account at the start of the run.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub id: Uuid,
    pub account: Option<AccountId>,
}

/// A process that runs.
pub(crate) struct Process {
    pub number: usize,
    pub platform: Platform,
    pub gateway: Option<Gateway>,
    pub started: tokio::time::Instant,
    pub life: u64,
    world: Arc<World>,
    pub(crate) database: Arc<Database>,
    pub(crate) committed: Arc<Notify>,
}

/// The settings of all gateways.
pub(crate) fn config() -> &'static ws_gateway::Config {
    static CONFIG: OnceLock<ws_gateway::Config> = OnceLock::new();
    CONFIG.get_or_init(|| {
        ws_gateway::Config::parse_from([
            "ws-gateway",
            "--redis-url=memory:",
            "--environment=test",
            "--jwt-access-secret=q8Xw2mTz5vLk9Rb3Nc7Yp1Hd6Gf4Js0A",
            "--gateway-ping-interval-ms=5000",
            "--gateway-ping-timeout-ms=5000",
            "--gateway-recovery-seconds=20",
            "--gateway-sockets-per-user=4",
            "--shutdown-seconds=4",
        ])
    })
}

impl Process {
    /// Starts a process, whose clock is a few seconds wrong.
    ///
    /// # Errors
    /// If a part refuses its settings.
    pub(crate) fn start(world: &Arc<World>, database: &Arc<Database>, number: usize) -> Result<Self> {
        let skew = TimeDelta::milliseconds(world.draw(|rng| rng.i64(-3_000..3_000)));
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + world.start.elapsed() + skew;
        let clock = Clock::of_runtime(now);
        let stop = CancellationToken::new();
        let tasks = Tasks::mortal(stop.clone());
        let announcer = Announcer::with_limit(FEED_BYTES);
        let life = world.next_life();
        let drivers = Driver::open(world, number, life, clock.clone(), &tasks, announcer);
        let config = config();
        let lifecycle = Lifecycle::new(stop, tasks);
        let (process, keys) = (config.process.clone(), &config.keys);
        let platform =
            Platform::over(name(number), process, keys, Backplane::over(drivers), clock, lifecycle)?;
        let is_gateway = GATEWAYS.contains(&number);
        let gateway = if is_gateway {
            Some(Gateway::start(platform.clone(), config.settings.clone(), QUEUE_BYTES)?)
        } else {
            None
        };
        let process = Self {
            number,
            platform,
            gateway,
            started: tokio::time::Instant::now(),
            life,
            world: Arc::clone(world),
            database: Arc::clone(database),
            committed: Arc::default(),
        };
        if !is_gateway {
            process.relay();
        }
        if AUTH.contains(&number) && world.without != Without::RestoredMarks {
            process.restore_marks();
        }
        Ok(process)
    }

    /// Ends the process where it is.
    pub(crate) fn kill(&self) {
        self.platform.lifecycle().tasks.kill();
        self.world.redis().cut(self.number);
    }

    /// Stops the process as a signal does, at most for a while.
    pub(crate) fn stop(self: Rc<Self>) {
        let lifecycle = self.platform.lifecycle().clone();
        lifecycle.stop.cancel();
        let limit = Duration::from_secs(self.platform.config().shutdown_seconds);
        // Not a task of the process, which it has to outlive.
        spawn_local(async move {
            lifecycle.end(limit, async || {}).await;
            self.kill();
        });
    }

    fn relay(&self) {
        let outbox = ProcessOutbox { database: Arc::clone(&self.database), process: self.number };
        let (platform, committed) = (self.platform.clone(), Arc::clone(&self.committed));
        let served = platform.lifecycle().served.clone();
        self.platform.spawn("relay", async move {
            let (log, clock) = (&platform.backplane().log, platform.clock());
            let relay = OutboxRelay { outbox: &outbox, log, clock, committed: &committed };
            relay.run(platform.metrics(), platform.service(), served).await
        });
    }

    /// As auth-service restores the marks that Redis lost.
    fn restore_marks(&self) {
        let (platform, database, process) = (self.platform.clone(), Arc::clone(&self.database), self.number);
        let served = platform.lifecycle().served.clone();
        let mut link = platform.backplane().link();
        let world = Arc::clone(&self.world);
        let restoring = async move {
            let mut ticks = interval(RESTORE_INTERVAL);
            loop {
                tokio::select! {
                    biased;
                    () = served.cancelled() => return Ok(()),
                    _ = ticks.tick() => {}
                    Ok(()) = link.changed() => {}
                }
                if link.borrow_and_update().is_up() && database.reach(process).await {
                    let Ok(live) = platform.backplane().marks.live().await else { continue };
                    let until = platform.clock().now() + TOKEN_LIFE;
                    let sessions = database.ended_sessions().into_iter();
                    let sessions = sessions.map(|session| session_mark(session, EndReason::Logout, until));
                    let users = database.changed_users().into_iter();
                    let marks = sessions.chain(users.map(|(user, change)| user_mark(user, &change, until)));
                    let lost: Vec<Mark> = marks.filter(|mark| !live.contains(&mark.value)).collect();
                    if !lost.is_empty() {
                        let restored = platform.backplane().marks.add(&lost).await;
                        world.note(|| {
                            format!("{} restores {} marks: {restored:?}", name(process), lost.len())
                        });
                    }
                }
            }
        };
        self.platform.spawn("restore marks", restoring);
    }

    /// The number of messages without a place that the gateway has counted as lost.
    pub(crate) fn counted_losses(&self) -> u64 {
        let families = self.platform.metrics().gather();
        let dropped = families.iter().filter(|family| family.name() == "ws_messages_dropped_total");
        let overflow = dropped
            .flat_map(|family| family.get_metric())
            .filter(|series| series.get_label().iter().any(|label| label.value() == "overflow"));
        overflow.map(|series| series.get_counter().get_value() as u64).sum()
    }

    /// Whether `/ready` would say so.
    pub(crate) async fn is_ready(&self) -> bool {
        let health = self.platform.health().look().await;
        health.values().all(|status| !matches!(status, platform::Status::Down(_)))
    }
}

/// The processes of a run; `None` while one is dead.
pub(crate) type Processes = std::cell::RefCell<[Option<Rc<Process>>; PROCESSES]>;

/// Waits a little, as a person or a program that tries again does.
pub(crate) async fn pause(world: &World) {
    sleep(world.draw_duration(100..600)).await;
}
