use std::time::Duration;

use crate::{Fault, RedisKind};

/// A sequence of faults. The same seed gives the same sequence.
pub struct Chaos {
    state: u64,
    redis: RedisKind,
    drawn: usize,
}

impl Chaos {
    pub fn new(seed: u64, redis: RedisKind) -> Self {
        Self { state: seed | 1, redis, drawn: 0 }
    }

    /// Returns the next fault: first each fault of Redis once, then any fault.
    pub fn fault(&mut self) -> Fault {
        let of_redis = self.redis.faults();
        self.drawn += 1;
        if let Some(fault) = of_redis.get(self.drawn - 1) {
            return Fault::Redis(*fault);
        }
        let which = self.draw(2);
        match self.draw(10) {
            0 | 1 => Fault::Redis(of_redis[self.draw(of_redis.len())]),
            2 => Fault::AuthKilled(which),
            3 | 4 => Fault::DriftKilled(which),
            5 => Fault::GatewayKilled(which),
            6 => Fault::GatewayFrozen(which),
            7 | 8 => Fault::LineCut(which),
            _ => Fault::LineStalled(which),
        }
    }

    /// Returns the duration of a fault.
    pub fn hold(&mut self) -> Duration {
        Duration::from_millis(200 + self.draw(1_800) as u64)
    }

    /// Draws a number by xorshift64, which is enough for a repeatable choice.
    fn draw(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % below as u64).unwrap_or_default()
    }
}
