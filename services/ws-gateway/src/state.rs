use std::sync::Arc;

use anyhow::Result;
use platform::Platform;

use crate::admission::{Admission, HeldSlots, QuotaLimits, Quotas, RevocationLag};
use crate::batch_writer::BatchWriter;
use crate::catalogue::Translator;
use crate::cluster::Cluster;
use crate::config::Settings;
#[cfg(feature = "conformance")]
use crate::conformance::Suite;
use crate::hub::Hubs;
use crate::metrics::Metrics;
use crate::outbound::QUEUE_BYTES;
use crate::own_sockets::OwnSockets;
use crate::recovery::{History, Recovery};
use crate::transport::{Services, Sessions, Worker};

/// State shared by the gateway's routes and tasks. Cheap to clone.
#[derive(Clone)]
pub struct State {
    pub(crate) platform: Platform,
    pub(crate) settings: Arc<Settings>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) translator: Arc<Translator>,
    pub(crate) hubs: Arc<Hubs>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) writer: Arc<BatchWriter>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) recovery: Arc<Recovery>,
    pub(crate) revocation_lag: Arc<RevocationLag>,
    /// Set only where the protocols themselves are tested.
    #[cfg(feature = "conformance")]
    pub(crate) suite: Option<Suite>,
}

impl State {
    /// Loads the catalogue and registers metrics.
    ///
    /// # Errors
    /// If the catalogue is wrong; the message says where.
    pub fn connect(platform: Platform, settings: Settings) -> Result<Self> {
        let metrics = Arc::new(Metrics::register(platform.metrics())?);
        let (clock, backplane) = (platform.clock().clone(), platform.backplane().clone());
        let translator = Arc::new(Translator {
            catalogue: Arc::new(settings.catalogue()?),
            metrics: Arc::clone(&metrics),
            clock: clock.clone(),
            recoverable: settings.recovery().is_some(),
        });
        let (verifier, tasks) = (platform.tokens().verifier.clone(), platform.lifecycle().tasks.clone());
        let hubs = Arc::new(Hubs::new(Arc::clone(&metrics), clock.clone(), verifier.clone()));
        let held = Arc::<HeldSlots>::default();
        let writer = Arc::new(BatchWriter::new(backplane.clone()));
        let recovery = Arc::new(Recovery {
            backplane: backplane.clone(),
            writer: Arc::clone(&writer),
            history: History::default(),
            translator: Arc::clone(&translator),
            window: settings.recovery(),
        });
        let own = OwnSockets {
            hubs: Arc::clone(&hubs),
            held: Arc::clone(&held),
            recovery: Arc::clone(&recovery),
            tasks: tasks.clone(),
        };
        let cluster = Arc::new(Cluster::new(backplane.clone(), clock.clone(), tasks, Box::new(own)));
        let limits = QuotaLimits {
            per_user: settings.gateway_sockets_per_user,
            per_ip: settings.gateway_sockets_per_ip,
        };
        let admission = Arc::new(Admission {
            verifier,
            limiter: platform.limiter().clone(),
            quotas: Quotas::new(backplane, Arc::clone(&cluster), held, Arc::clone(&writer), limits),
            metrics: Arc::clone(&metrics),
            clock: clock.clone(),
            messages_per_second: settings.gateway_messages_per_second,
        });
        Ok(Self {
            revocation_lag: Arc::new(RevocationLag::new(Arc::clone(&metrics), clock)),
            platform,
            settings: Arc::new(settings),
            metrics,
            translator,
            hubs,
            sessions: Arc::default(),
            writer,
            cluster,
            admission,
            recovery,
            #[cfg(feature = "conformance")]
            suite: None,
        })
    }

    /// State for the test suites of the protocols: see [`crate::conformance`].
    ///
    /// # Errors
    /// See [`State::connect`].
    #[cfg(feature = "conformance")]
    pub fn for_conformance(platform: Platform, settings: Settings, suite: Suite) -> Result<Self> {
        Ok(Self { suite: Some(suite), ..Self::connect(platform, settings)? })
    }

    /// The state of the calling worker thread, whose hub starts with the first call.
    pub(crate) fn worker(&self) -> Worker {
        self.worker_with_queues(QUEUE_BYTES)
    }

    /// As [`worker`](Self::worker), with at most that many bytes waiting for one connection.
    pub(crate) fn worker_with_queues(&self, queue_bytes: usize) -> Worker {
        let services = Services {
            hub: self.hubs.of_this_thread(&self.platform.lifecycle().tasks, self.settings.tick()),
            admission: Arc::clone(&self.admission),
            recovery: Arc::clone(&self.recovery),
            cluster: Arc::clone(&self.cluster),
            sessions: Arc::clone(&self.sessions),
            settings: Arc::clone(&self.settings),
            has_old_words: self.platform.config().compat_routes,
            metrics: Arc::clone(&self.metrics),
            clock: self.platform.clock().clone(),
            tasks: self.platform.lifecycle().tasks.clone(),
            stop: self.platform.lifecycle().stop.clone(),
            queue_bytes,
            #[cfg(feature = "conformance")]
            suite: self.suite,
        };
        Worker { services: Arc::new(services), farewells: self.platform.lifecycle().farewells.clone() }
    }
}
