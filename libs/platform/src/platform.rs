use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use backplane::{Backplane, Link, Options, ServerCheck};
use contracts::{Clock, Tasks};
use identity::{Follower, KeyConfig};
use prometheus::{IntGauge, Registry};
use tokio_util::sync::CancellationToken;

use crate::config::ProcessConfig;
use crate::health::{Health, Status};
use crate::lifecycle::Lifecycle;
use crate::limiter::Limiter;
use crate::plaintext::{allows_plaintext, check_plaintext};
use crate::tokens::Tokens;
use crate::trace;

const LOOK_INTERVAL: Duration = Duration::from_secs(1);
const NO_KEY: &str = "no key verifies tokens: auth-service has announced none yet, or signs with a JWT_ACCESS_SECRET that is not set here";

/// The parts that exist once per process and that its services share. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    service: &'static str,
    started: Instant,
    config: Arc<ProcessConfig>,
    clock: Clock,
    metrics: Registry,
    health: Health,
    lifecycle: Lifecycle,
    backplane: Backplane,
    limiter: Limiter,
    tokens: Tokens,
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
        let stop = CancellationToken::new();
        let tasks = Tasks::new(stop.clone());
        let tls = config.redis_tls.read()?;
        let prefix = config.redis_prefix.clone();
        let server_check = ServerCheck::new({
            let config = config.clone();
            move |host, port| allows_plaintext(host, port, &config)
        });
        let options =
            Options { channels, tls, server_check, prefix, ..Options::new(clock.clone(), tasks.clone()) };
        for server in backplane::server_urls(redis_url)? {
            check_plaintext("REDIS_URL", &server, &config)?;
        }
        let backplane = Backplane::connect(redis_url, options)?;
        let platform = Self::over(service, config, keys, backplane, clock, Lifecycle::new(stop, tasks))?;
        // Memory, CPU time and open files of this process, which are available on Linux only.
        #[cfg(target_os = "linux")]
        {
            use prometheus::process_collector::ProcessCollector;
            platform.metrics.register(Box::new(ProcessCollector::for_self()))?;
        }
        Ok(platform)
    }

    /// As [`connect`](Self::connect), over a backplane of any kind, such as a simulated one.
    ///
    /// # Errors
    /// If a key is unsafe or invalid; the message names the variable.
    pub fn over(
        service: &'static str,
        config: ProcessConfig,
        keys: &KeyConfig,
        backplane: Backplane,
        clock: Clock,
        lifecycle: Lifecycle,
    ) -> Result<Self> {
        let tokens = Tokens::load(keys, config.is_strict(), &clock)?;
        let platform = Self {
            service,
            started: Instant::now(),
            config: Arc::new(config),
            limiter: Limiter::new(Arc::clone(&backplane.keys), backplane.link(), clock.clone()),
            clock,
            metrics: Registry::new(),
            health: Health::default(),
            lifecycle,
            backplane,
            tokens,
        };
        platform.follow_revocations();
        platform.watch_backplane()?;
        platform.flush_traces_at_end();
        Ok(platform)
    }

    /// Returns the process's name in logs and metrics.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Returns the time since the start.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns the settings that all services have.
    pub fn config(&self) -> &ProcessConfig {
        &self.config
    }

    /// Returns the clock that every comparison of times uses.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the registry of all metrics.
    pub fn metrics(&self) -> &Registry {
        &self.metrics
    }

    /// Returns the checks of the dependencies.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Returns the tasks of the process and the steps of its end.
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// Returns the connection to all other processes.
    pub fn backplane(&self) -> &Backplane {
        &self.backplane
    }

    /// Returns the counters that all replicas share.
    pub fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// Returns the parts that issue and check access tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Runs a background task: see [`Lifecycle::spawn`].
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = Result<()>> + Send + 'static) {
        self.lifecycle.spawn(name, task);
    }

    fn follow_revocations(&self) {
        let (backplane, served) = (self.backplane.clone(), self.lifecycle.served.clone());
        let follower = Follower {
            keys: Arc::clone(&self.tokens.keys),
            revocations: self.tokens.revocations.clone(),
            clock: self.clock.clone(),
        };
        self.spawn("revocations", async move {
            follower.run(backplane, served).await;
            Ok(())
        });
    }

    fn flush_traces_at_end(&self) {
        let served = self.lifecycle.served.clone();
        self.spawn("traces", async move {
            served.cancelled().await;
            trace::flush().await;
            Ok(())
        });
    }

    fn watch_backplane(&self) -> Result<()> {
        let gauge = |name, help| {
            let gauge = IntGauge::new(name, help)?;
            self.metrics.register(Box::new(gauge.clone()))?;
            prometheus::Result::Ok(gauge)
        };
        let connected = gauge("backplane_connected", "1 while events are received and appends succeed")?;
        let stale = gauge("backplane_stale", "1 if the backplane has been disconnected for 30 s")?;
        let (backplane, served) = (self.backplane.clone(), self.lifecycle.served.clone());
        self.spawn("backplane metrics", async move {
            let mut looks = tokio::time::interval(LOOK_INTERVAL);
            while served.run_until_cancelled(looks.tick()).await.is_some() {
                connected.set(i64::from(backplane.is_connected()));
                stale.set(i64::from(backplane.is_stale()));
            }
            Ok(())
        });
        let keys = Arc::clone(&self.tokens.keys);
        self.health.require("signing-keys", move || {
            let known = if keys.can_verify() { Ok(()) } else { Err(NO_KEY) };
            async move { known }
        });
        let (backplane, revocations) = (self.backplane.clone(), self.tokens.revocations.clone());
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
