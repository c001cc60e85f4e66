use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use backplane::{Backplane, Link, Options};
use contracts::{Clock, Tasks};
use identity::{KeyConfig, Keys, Revocations, TokenUses, Verifier};
use prometheus::{IntGauge, Registry};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ProcessConfig;
use crate::health::{Health, Status};
use crate::limiter::Limiter;
use crate::plaintext::check_plaintext;
use crate::trace;

const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The parts that exist once per process and that its services share. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// The process's name in logs and metrics.
    pub service: &'static str,
    pub clock: Clock,
    pub config: Arc<ProcessConfig>,
    pub backplane: Backplane,
    pub keys: Arc<Keys>,
    /// Lifetime of an access token that can be refreshed.
    pub token_lifetime: Duration,
    pub verifier: Verifier,
    pub revocations: Revocations,
    pub limiter: Limiter,
    pub token_uses: TokenUses,
    pub metrics: Registry,
    pub health: Health,
    /// Cancelled when the process begins to stop: it is no longer ready, and open sockets are notified.
    pub stop: CancellationToken,
    /// Last messages to open sockets. The server waits for them before it stops.
    pub farewells: TaskTracker,
    /// Cancelled after the last response was sent. The tasks that requests depend on (relays, feeds) run
    /// until then.
    pub served: CancellationToken,
    /// Spawns all tasks.
    pub tasks: Tasks,
    /// The background tasks that end when `served` is cancelled; the process waits for them.
    pub background: TaskTracker,
    pub started: Instant,
}

impl Platform {
    /// Loads the keys, connects the backplane and begins to follow it. `channels` are received in addition to
    /// the logged ones.
    ///
    /// # Errors
    /// If a setting is unsafe or invalid; the message names the variable.
    pub fn connect(
        service: &'static str,
        config: ProcessConfig,
        keys: &KeyConfig,
        redis_url: &str,
        channels: Vec<String>,
        clock: Clock,
    ) -> Result<Self> {
        let loaded = Arc::new(Keys::load(keys, config.is_strict())?);
        let stop = CancellationToken::new();
        let tasks = Tasks::new(stop.clone());
        let tls = config.redis_tls.read()?;
        let options = Options { channels, tls, ..Options::new(clock.clone(), tasks.clone()) };
        check_plaintext("REDIS_URL", redis_url, &config)?;
        let backplane = Backplane::connect(redis_url, options).context("REDIS_URL cannot be used")?;
        let revocations = Revocations::new(clock.clone(), keys.jwt_access_expiry);
        let legacy = keys.jwt_accept_legacy;
        let verifier = Verifier::new(Arc::clone(&loaded), revocations.clone(), clock.clone(), legacy);
        let platform = Self {
            service,
            clock: clock.clone(),
            config: Arc::new(config),
            limiter: Limiter::new(backplane.clone(), clock),
            token_uses: TokenUses::default(),
            backplane,
            keys: loaded,
            token_lifetime: keys.jwt_access_expiry,
            verifier,
            revocations,
            metrics: Registry::new(),
            health: Health::default(),
            stop,
            farewells: TaskTracker::new(),
            served: CancellationToken::new(),
            tasks,
            background: TaskTracker::new(),
            started: Instant::now(),
        };
        let follow = platform.revocations.clone().follow(platform.backplane.clone(), platform.served.clone());
        platform.spawn("revocations", async move {
            follow.await;
            Ok(())
        });
        platform.watch_backplane()?;
        let served = platform.served.clone();
        platform.spawn("traces", async move {
            served.cancelled().await;
            trace::flush().await;
            Ok(())
        });
        // Memory, CPU time and open files of this process, which are available on Linux only.
        #[cfg(target_os = "linux")]
        {
            use prometheus::process_collector::ProcessCollector;
            platform.metrics.register(Box::new(ProcessCollector::for_self()))?;
        }
        Ok(platform)
    }

    /// Runs a background task that ends with `served`. If it fails or panics, the process stops.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = Result<()>> + Send + 'static) {
        self.tasks.spawn(name, self.background.track_future(task));
    }

    fn watch_backplane(&self) -> Result<()> {
        let gauge = |name, help| {
            let gauge = IntGauge::new(name, help)?;
            self.metrics.register(Box::new(gauge.clone()))?;
            prometheus::Result::Ok(gauge)
        };
        let connected = gauge("backplane_connected", "1 while events are received and appends succeed")?;
        let stale = gauge("backplane_stale", "1 if the backplane has been disconnected for 30 s")?;
        let (backplane, served) = (self.backplane.clone(), self.served.clone());
        self.spawn("backplane metrics", async move {
            let mut looks = tokio::time::interval(LOOK_INTERVAL);
            while served.run_until_cancelled(looks.tick()).await.is_some() {
                connected.set(i64::from(backplane.is_connected()));
                stale.set(i64::from(backplane.is_stale()));
            }
            Ok(())
        });
        let (backplane, revocations) = (self.backplane.clone(), self.revocations.clone());
        self.health.register("backplane", move || {
            let (link, synced) = (*backplane.link().borrow(), revocations.is_synced());
            async move {
                match (link, synced) {
                    (Link::Up, true) => Status::Up,
                    // The ended sessions are not known yet, so no token can be trusted.
                    (_, false) => Status::Down("the ended sessions have not been read yet".into()),
                    // Requests and open sockets continue with the known state.
                    (Link::Lost { reason, .. }, true) => Status::Degraded(reason.into()),
                }
            }
        });
        Ok(())
    }
}
