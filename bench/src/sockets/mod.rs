//! Compares the gateway with other servers: the cost of a socket and of a delivery.
//!
//! The servers run one after the other, in several rounds, each with its own Redis. This process is the
//! load: it holds the sockets, appends the events, and reads from `/proc` what the server has used.

mod chart;
mod client;
mod events;
mod frames;
mod results;
mod returns;
mod scenarios;
mod server;

use anyhow::Result;
use contracts::Clock;

use self::results::Results;
pub(crate) use self::server::Kind;
use crate::progress::progress;
use crate::verify;

const FOLDER: &str = "bench/results";

/// The amounts of load.
pub(crate) struct Scale {
    crowd: usize,
    large_crowd: usize,
    audience: usize,
    seconds: u32,
    fan_out_rate: u32,
    single_rate: u32,
    burst: usize,
    room_events: usize,
    room_rate: u32,
    returning: usize,
    missed: usize,
    revoked: usize,
}

impl Scale {
    pub(crate) const FULL: Self = Self {
        crowd: 8_000,
        large_crowd: 10_000,
        audience: 1_000,
        seconds: 3,
        fan_out_rate: 20,
        single_rate: 2_000,
        burst: 500,
        room_events: 600,
        room_rate: 200,
        returning: 500,
        missed: 200,
        revoked: 500,
    };

    /// Enough to check that everything works.
    pub(crate) const QUICK: Self = Self {
        crowd: 400,
        large_crowd: 500,
        audience: 50,
        seconds: 1,
        fan_out_rate: 20,
        single_rate: 500,
        burst: 100,
        room_events: 100,
        room_rate: 200,
        returning: 50,
        missed: 50,
        revoked: 50,
    };
}

/// Measures, writes CSV and a chart, and returns the table.
pub(crate) async fn run(rounds: usize, servers: &[Kind], scale: &Scale) -> Result<String> {
    let results = Results::default();
    let users = events::users(scale.large_crowd, &verify::keys()?, &Clock::system())?;
    for round in 1..=rounds {
        progress(&format!("sockets: round {round} of {rounds}"));
        for kind in Kind::ALL.into_iter().filter(|kind| servers.is_empty() || servers.contains(kind)) {
            match kind {
                Kind::FloorGathering => scenarios::only_burst(kind, scale, &users, &results).await?,
                Kind::GatewayPlain => {
                    scenarios::many(kind, scale, &users, &results).await?;
                    returns::resume_storm(scale, &users, &results).await?;
                    returns::revocations(scale, &users, &results).await?;
                }
                Kind::Gateway | Kind::Floor | Kind::SocketIo | Kind::SocketIoTwice => {
                    scenarios::many(kind, scale, &users, &results).await?;
                    scenarios::few(kind, scale, &users, &results).await?;
                }
            }
        }
    }
    std::fs::create_dir_all(FOLDER)?;
    std::fs::write(format!("{FOLDER}/sockets.csv"), results.csv())?;
    std::fs::write(format!("{FOLDER}/sockets.svg"), chart::svg(&results))?;
    progress(&format!("written: {FOLDER}/sockets.csv, {FOLDER}/sockets.svg"));
    Ok(results.markdown())
}
