use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use contracts::events::auth::EndReason;
use contracts::{Claims, Clock, Holder, Role};
use identity::{KeyConfig, Keys, Revocations, Verifier};
use uuid::Uuid;

use crate::service::SECRET;
use crate::table::Table;

const ROUNDS: u32 = 200_000;
/// Number of sessions that end on a busy day.
const ENDED: usize = 100_000;

#[derive(Parser)]
struct Config {
    #[command(flatten)]
    keys: KeyConfig,
}

/// Signs an access token as the services do.
pub(crate) fn token(keys: &Keys, clock: &Clock, role: Role) -> Result<String> {
    let now = clock.now();
    let holder = Holder {
        subject: Uuid::new_v4().to_string(),
        email: "bench@example.com".into(),
        role,
        account_id: None,
        generation: 0,
        session: Uuid::new_v4(),
    };
    let claims = Claims::access(holder, now, now + chrono::TimeDelta::minutes(15));
    Ok(keys.sign(&claims)?)
}

/// Creates the keys that every process of the bench uses.
pub(crate) fn keys() -> Result<Keys> {
    let config = Config::try_parse_from(["bench", "--jwt-access-secret", SECRET])?.keys;
    Ok(Keys::load(&config, false)?)
}

pub(crate) fn run(table: &mut Table) -> Result<()> {
    let (clock, keys) = (Clock::system(), Arc::new(keys()?));
    let revocations = Revocations::new(clock.clone(), Duration::from_secs(900));
    for _ in 0..ENDED {
        revocations.end_session(Uuid::new_v4(), EndReason::Logout);
    }
    let token = token(&keys, &clock, Role::Viewer)?;
    let verifier = Verifier::new(keys, revocations, clock, false);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        black_box(verifier.verify(black_box(&token)))?;
    }
    let each = started.elapsed() / ROUNDS;
    let measured = format!("{:.2} µs", each.as_secs_f64() * 1e6);
    table.add(format!("verify a token (HS256) with {ENDED} ended sessions in memory"), measured, "≤ 5 µs");
    Ok(())
}
