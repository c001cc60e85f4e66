//! The limits of requests with passkeys; see [`crate::limits`].

use std::net::IpAddr;

use uuid::Uuid;

use crate::error::AuthError;
use crate::limits::{ByNetwork, Period, QUARTER, divisor};
use crate::state::State;

/// Maximum number of options for passkeys that one user may request in 15 minutes.
const PASSKEY_OPTIONS: u64 = 200;
/// Maximum number of options for logins with a passkey in 15 minutes from all networks; beyond that, networks without a
/// recent login get a fiftieth.
const PASSKEY_OPTIONS_TOTAL: u64 = 100_000;

/// Admits a request for the options of a login with a passkey, each of which stores a challenge. The login page sends one.
pub async fn admit_options(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let (quarter, settings) = (Period::now(state, QUARTER), &state.settings.limits);
    let in_all = quarter.counted(state, "passkey-options:all").await;
    let divisor = divisor(state, in_all >= PASSKEY_OPTIONS_TOTAL, ip).await?;
    let options = ByNetwork::new(&quarter, "passkey-options", ip);
    let limit = (settings.logins_per_ip / divisor).max(1);
    options.check(state, limit).await?;
    options.admit(state, limit).await?;
    quarter.count(state, "passkey-options:all").await;
    Ok(())
}

/// Admits a request of a user for the options of a registration, a second factor or a step-up.
pub async fn admit_options_of(state: &State, user_id: Uuid) -> Result<(), AuthError> {
    Period::now(state, QUARTER).admit(state, &format!("passkey-options:{user_id}"), PASSKEY_OPTIONS).await
}

/// Admits a login with a passkey that no user has, like a login with a password.
pub async fn admit_unknown(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let (quarter, limit) = (Period::now(state, QUARTER), state.settings.limits.logins_per_ip);
    let networks = ByNetwork::new(&quarter, "attempts", ip);
    networks.check(state, limit).await?;
    networks.admit(state, limit).await
}
