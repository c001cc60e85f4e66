use std::fmt;
use std::time::Instant;

use crate::{Deployment, RedisFault, RedisKind, Replica};

/// A fault in a deployment. The number selects the replica, or the line to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Redis(RedisFault),
    AuthKilled(usize),
    DriftKilled(usize),
    DriftFrozen(usize),
    GatewayKilled(usize),
    GatewayFrozen(usize),
    LineCut(usize),
    LineStalled(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(fault) => write!(f, "Redis {fault:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl Fault {
    /// Returns the faults that must not keep a session from ending.
    pub fn while_sessions_end(redis: RedisKind) -> Vec<Self> {
        let others = [Self::GatewayFrozen(0), Self::DriftFrozen(0), Self::AuthKilled(0)];
        redis.faults().iter().copied().map(Self::Redis).chain(others).collect()
    }

    pub fn is_of_redis(self) -> bool {
        matches!(self, Self::Redis(_))
    }

    /// Whether every event must be delivered.
    pub fn is_lossless(self) -> bool {
        matches!(self, Self::Redis(fault) if fault.is_lossless())
    }

    /// Causes the fault, does `work` during the fault, and repairs it. Returns the time from which everything must work
    /// again.
    pub async fn during<T>(self, deployment: &Deployment, work: impl Future<Output = T>) -> (T, Instant) {
        let done = match self {
            Self::Redis(fault) => {
                let work = async {
                    if fault == RedisFault::FailedOverAtOnce {
                        // Replicas that start now are on the new primary at once. The others must follow.
                        deployment.auth[0].restart();
                        deployment.drift[0].restart();
                        deployment.until_started().await;
                    }
                    work.await
                };
                return deployment.redis.during(fault, work).await;
            }
            Self::AuthKilled(which) => killed(&deployment.auth[which], work).await,
            Self::DriftKilled(which) => killed(&deployment.drift[which], work).await,
            Self::DriftFrozen(which) => frozen(&deployment.drift[which], work).await,
            Self::GatewayKilled(which) => killed(&deployment.gateways[which], work).await,
            Self::GatewayFrozen(which) => frozen(&deployment.gateways[which], work).await,
            Self::LineCut(which) => {
                deployment.lines[which].cut();
                let done = work.await;
                deployment.lines[which].resume();
                done
            }
            Self::LineStalled(which) => {
                deployment.lines[which].stall();
                let done = work.await;
                deployment.lines[which].resume();
                done
            }
        };
        (done, Instant::now())
    }
}

async fn killed<T>(replica: &Replica, work: impl Future<Output = T>) -> T {
    replica.kill();
    let done = work.await;
    replica.restart();
    done
}

async fn frozen<T>(replica: &Replica, work: impl Future<Output = T>) -> T {
    replica.freeze();
    let done = work.await;
    replica.thaw();
    done
}
