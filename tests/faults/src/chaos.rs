use std::fmt;
use std::time::Duration;

use crate::Deployment;

/// Breaks one thing after the other. The same seed gives the same sequence.
pub struct Chaos {
    state: u64,
    pub done: Vec<Fault>,
}

/// A fault in a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    RedisKilled,
    RedisFrozen,
    AuthKilled(usize),
    DriftKilled(usize),
    GatewayKilled(usize),
    GatewayFrozen(usize),
    LineCut(usize),
    LineStalled(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Chaos {
    pub fn new(seed: u64) -> Self {
        Self { state: seed | 1, done: Vec::new() }
    }

    /// Causes the next fault, and repairs it.
    pub async fn strike(&mut self, deployment: &Deployment) {
        let which = self.draw(2);
        let fault = match self.draw(10) {
            0 => Fault::RedisKilled,
            1 => Fault::RedisFrozen,
            2 => Fault::AuthKilled(which),
            3 | 4 => Fault::DriftKilled(which),
            5 => Fault::GatewayKilled(which),
            6 => Fault::GatewayFrozen(which),
            7 | 8 => Fault::LineCut(which),
            _ => Fault::LineStalled(which),
        };
        let hold = Duration::from_millis(200 + self.draw(1_800) as u64);
        self.done.push(fault);
        inflict(deployment, fault, hold).await;
    }

    /// Draws a number by xorshift64, which is enough for a repeatable choice.
    fn draw(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % below as u64).unwrap_or_default()
    }
}

async fn inflict(deployment: &Deployment, fault: Fault, hold: Duration) {
    let pause = tokio::time::sleep(hold);
    match fault {
        Fault::RedisKilled => {
            deployment.redis.kill();
            pause.await;
            deployment.redis.restart();
        }
        Fault::RedisFrozen => {
            deployment.redis.freeze();
            pause.await;
            deployment.redis.thaw();
        }
        Fault::AuthKilled(which) => killed(&deployment.auth[which], pause).await,
        Fault::DriftKilled(which) => killed(&deployment.drift[which], pause).await,
        Fault::GatewayKilled(which) => killed(&deployment.gateways[which], pause).await,
        Fault::GatewayFrozen(which) => {
            deployment.gateways[which].freeze();
            pause.await;
            deployment.gateways[which].thaw();
        }
        Fault::LineCut(which) => {
            deployment.lines[which].cut();
            pause.await;
            deployment.lines[which].resume();
        }
        Fault::LineStalled(which) => {
            deployment.lines[which].stall();
            pause.await;
            deployment.lines[which].resume();
        }
    }
}

async fn killed(replica: &crate::Replica, pause: tokio::time::Sleep) {
    replica.kill();
    pause.await;
    replica.restart();
}
