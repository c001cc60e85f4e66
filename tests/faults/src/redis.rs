use std::time::Instant;

use clap::ValueEnum;
use testing::{PrivateCluster, PrivateRedis, PrivateSentinels};

/// A key of the installation. All its keys are on one server.
const KEY: &str = "{driftsentry}:log";

/// The Redis of a deployment.
pub enum Redis {
    Single(PrivateRedis),
    Sentinels(PrivateSentinels),
    Cluster(PrivateCluster),
}

/// The kind of a deployment's Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RedisKind {
    /// One server
    Single,
    /// A primary, its replica and three Sentinels
    Sentinels,
    /// Six servers: three primaries, each with a replica
    Cluster,
}

/// A fault of Redis. "The primary" is the server that holds the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisFault {
    /// The server is killed, and started again with its data.
    Killed,
    /// The server hangs, and continues.
    Frozen,
    /// The slot of the keys moves to another primary.
    SlotMoved,
    /// The replica takes over after it has received everything.
    FailedOver,
    /// Sentinels promote the replica while the primary works, and demote the primary seconds later. Meanwhile, some
    /// processes are started again.
    FailedOverAtOnce,
    /// The primary is killed, its replica is promoted, and the old primary is started again.
    PrimaryKilled,
    /// Like `PrimaryKilled`, but the replica lacks the newest events.
    PrimaryKilledAhead,
    /// The primary hangs until its replica has been promoted, and then continues as an old primary.
    PrimaryFrozen,
}

impl RedisKind {
    /// Returns the faults of this kind of Redis. Those that lose nothing come first.
    pub fn faults(self) -> &'static [RedisFault] {
        use RedisFault::{
            FailedOver, FailedOverAtOnce, Frozen, Killed, PrimaryFrozen, PrimaryKilled, PrimaryKilledAhead,
            SlotMoved,
        };
        match self {
            Self::Single => &[Frozen, Killed],
            Self::Sentinels => {
                &[FailedOver, PrimaryKilled, PrimaryKilledAhead, PrimaryFrozen, FailedOverAtOnce]
            }
            Self::Cluster => &[SlotMoved, FailedOver, PrimaryKilled, PrimaryKilledAhead, PrimaryFrozen],
        }
    }
}

impl RedisFault {
    /// Whether every event must be delivered although the log is on another server afterwards.
    pub fn is_lossless(self) -> bool {
        matches!(self, Self::Frozen | Self::SlotMoved | Self::FailedOver)
    }
}

impl Redis {
    pub async fn start(kind: RedisKind) -> Self {
        match kind {
            RedisKind::Single => Self::Single(PrivateRedis::start()),
            RedisKind::Sentinels => Self::Sentinels(PrivateSentinels::start().await),
            RedisKind::Cluster => Self::Cluster(PrivateCluster::start().await),
        }
    }

    /// Returns the `REDIS_URL` of the deployment.
    pub fn url(&self) -> String {
        match self {
            Self::Single(server) => server.url(),
            Self::Sentinels(group) => group.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// Waits until another primary could fail.
    pub async fn until_whole(&self) {
        match self {
            Self::Single(_) => {}
            Self::Sentinels(group) => group.until_whole().await,
            Self::Cluster(cluster) => cluster.until_whole().await,
        }
    }

    /// Causes a fault of this kind of Redis, does `work` during the fault, and repairs it. Returns the time from which
    /// Redis works again: that of the promotion or the move.
    pub async fn during<T>(&self, fault: RedisFault, work: impl Future<Output = T>) -> (T, Instant) {
        let primary = self.primary().await;
        match (fault, self) {
            (RedisFault::Killed, _) => {
                primary.kill();
                let done = work.await;
                primary.restart();
                (done, Instant::now())
            }
            (RedisFault::Frozen, _) => {
                primary.freeze();
                let done = work.await;
                primary.thaw();
                (done, Instant::now())
            }
            (RedisFault::SlotMoved, Self::Cluster(cluster)) => {
                let members = cluster.begin_to_move(KEY).await;
                let done = work.await;
                cluster.finish_move(KEY, members).await;
                (done, Instant::now())
            }
            (RedisFault::FailedOver, Self::Sentinels(group)) => {
                let (done, ()) = tokio::join!(work, group.fail_over());
                (done, Instant::now())
            }
            (RedisFault::FailedOver, Self::Cluster(cluster)) => {
                let (done, ()) = tokio::join!(work, cluster.fail_over(primary));
                (done, Instant::now())
            }
            (RedisFault::FailedOverAtOnce, Self::Sentinels(group)) => {
                group.fail_over_at_once().await;
                let promoted = Instant::now();
                (work.await, promoted)
            }
            (RedisFault::PrimaryKilled, _) => {
                primary.kill();
                let done = work.await;
                let promoted = self.until_replaced(primary).await;
                primary.restart();
                (done, promoted)
            }
            (RedisFault::PrimaryKilledAhead, _) => {
                primary.cut_off_replicas().await;
                let done = work.await;
                primary.kill();
                let promoted = self.until_replaced(primary).await;
                primary.restart();
                (done, promoted)
            }
            (RedisFault::PrimaryFrozen, _) => {
                primary.freeze();
                let done = work.await;
                let promoted = self.until_replaced(primary).await;
                primary.thaw();
                (done, promoted)
            }
            _ => unreachable!("{fault:?} is no fault of this kind of Redis"),
        }
    }

    async fn primary(&self) -> &PrivateRedis {
        match self {
            Self::Single(server) => server,
            Self::Sentinels(group) => group.roles().await.0,
            Self::Cluster(cluster) => cluster.holder_of(KEY).await,
        }
    }

    /// Waits until another server is the primary. Returns the time.
    async fn until_replaced(&self, old: &PrivateRedis) -> Instant {
        match self {
            Self::Single(_) => {}
            Self::Sentinels(group) => group.until_promoted(old).await,
            Self::Cluster(cluster) => {
                cluster.holder_of(KEY).await;
            }
        }
        Instant::now()
    }
}
