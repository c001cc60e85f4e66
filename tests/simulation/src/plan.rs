//! The faults of a run, with their times. A seed determines it; a shorter plan is made by leaving faults out.

use std::time::Duration;

use fastrand::Rng;

use crate::world::{PROCESSES, name};

/// The part of a run in which things happen. Afterwards, everything is healed, and the run has to come to rest.
pub(crate) const LENGTH: Duration = Duration::from_secs(10);
pub(crate) const CLIENTS: usize = 6;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub faults: Vec<Planned>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub at: Duration,
    pub fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A process dies, and starts again later.
    Kill {
        process: usize,
        down: Duration,
    },
    /// A process is asked to stop, and starts again later.
    Stop {
        process: usize,
        down: Duration,
    },
    /// The connections of a process to Redis are reset. What was on its way is lost.
    Cut {
        process: usize,
    },
    /// A process cannot reach Redis and the database.
    Partition {
        process: usize,
        duration: Duration,
    },
    /// Redis is down, and keeps its data or loses it.
    RedisDown {
        down: Duration,
        is_emptied: bool,
    },
    /// Redis loses its data while the connections stay.
    Flush,
    /// The replica becomes the primary; the newest writes may be missing there.
    FailOver {
        is_complete: bool,
        is_crash: bool,
    },
    /// Redis refuses commands that need memory.
    OutOfMemory {
        duration: Duration,
    },
    Slow {
        duration: Duration,
        latency: Duration,
    },
    /// Redis deletes the log for want of memory.
    EvictLog,
    /// The log drops its old events.
    Trim,
    /// Announcements come twice.
    Double {
        duration: Duration,
    },
    DatabaseDown {
        duration: Duration,
    },
    /// Half of the transactions are rolled back.
    Rollbacks {
        duration: Duration,
    },
    /// Another back end claims places in the log.
    Forge {
        count: u32,
    },
    /// Many events at once.
    Burst {
        events: u32,
    },
    /// Many messages without a place at once, from another back end, of which one makes every process read the log while
    /// Redis is slow.
    Notes {
        client: usize,
        count: u32,
        latency: Duration,
    },
    ClientCut {
        client: usize,
        is_half_open: bool,
    },
    /// A client stops to read.
    ClientStall {
        client: usize,
        duration: Duration,
    },
    ClientFlood {
        client: usize,
        messages: u32,
    },
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let count = rng.usize(0..=8);
        let mut faults: Vec<_> = (0..count).map(|_| Planned::draw(&mut rng)).collect();
        faults.sort_by_key(|planned| planned.at);
        Self { seed, faults }
    }

    /// Whether the replica is ever needed.
    pub fn has_failover(&self) -> bool {
        self.faults.iter().any(|planned| matches!(planned.fault, Fault::FailOver { .. }))
    }
}

impl Planned {
    fn draw(rng: &mut Rng) -> Self {
        let at = Duration::from_millis(rng.u64(500..9_500));
        let mut millis = |range| Duration::from_millis(rng.u64(range));
        let (short, long, latency) = (millis(50..1_500), millis(500..6_500), millis(50..2_600));
        let (process, client, flag, other) =
            (rng.usize(..PROCESSES), rng.usize(..CLIENTS), rng.bool(), rng.bool());
        let fault = match rng.u32(0..22) {
            0 | 1 => Fault::Kill { process, down: short },
            2 => Fault::Stop { process, down: short },
            3 => Fault::Cut { process },
            4 | 5 => Fault::Partition { process, duration: long },
            6 => Fault::RedisDown { down: short, is_emptied: flag },
            7 => Fault::Flush,
            8 | 9 => Fault::FailOver { is_complete: flag, is_crash: other },
            10 => Fault::OutOfMemory { duration: short },
            11 => Fault::Slow { duration: long, latency },
            12 => Fault::EvictLog,
            13 => Fault::Double { duration: long },
            14 => Fault::DatabaseDown { duration: short },
            15 => Fault::Rollbacks { duration: long },
            16 => Fault::Forge { count: rng.u32(1..4) },
            17 => Fault::Burst { events: rng.u32(20..120) },
            18 => Fault::Trim,
            19 => Fault::Notes { client, count: rng.u32(20..120), latency: short },
            20 => Fault::ClientCut { client, is_half_open: flag },
            _ if flag => Fault::ClientStall { client, duration: long },
            _ => Fault::ClientFlood { client, messages: rng.u32(5..60) },
        };
        Self { at, fault }
    }
}

impl std::fmt::Display for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>9.3} s  {}", self.at.as_secs_f64(), self.fault)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kill { process, down } => write!(f, "kill {}, start it after {down:?}", name(*process)),
            Self::Stop { process, down } => write!(f, "stop {}, start it after {down:?}", name(*process)),
            Self::Cut { process } => write!(f, "cut {} off from Redis for a moment", name(*process)),
            Self::Partition { process, duration } => {
                write!(f, "{} reaches nothing for {duration:?}", name(*process))
            }
            other => write!(f, "{other:?}"),
        }
    }
}
