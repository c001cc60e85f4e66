//! Limits of device logins. See [`crate::limits`].

use std::net::IpAddr;

use uuid::Uuid;

use crate::error::AuthError;
use crate::limits::{ByNetwork, HOUR, Period, QUARTER, divisor};
use crate::state::State;

/// Maximum number of device logins that one network may request in an hour.
const REQUESTS: u64 = 300;
/// Maximum number of device logins that all networks may request in an hour; beyond that, networks without a recent
/// login get a fraction of [`REQUESTS`].
const REQUESTS_TOTAL: u64 = 10_000;
/// Maximum number of device logins of one network that wait for a decision.
pub const WAITING: u64 = 50;
/// Maximum number of user codes, right or wrong, that one user may send in 15 minutes.
const USER_CODES: u64 = 100;

/// Admits a request for a device login.
pub async fn admit_request(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let hour = Period::now(state, HOUR);
    let in_all = hour.counted(state, "device-logins:all").await;
    let divisor = divisor(state, in_all >= REQUESTS_TOTAL, ip).await?;
    let (requests, limit) = (ByNetwork::new(&hour, "device-logins", ip), REQUESTS / divisor);
    requests.check(state, limit).await?;
    requests.admit(state, limit).await?;
    hour.count(state, "device-logins:all").await;
    Ok(())
}

/// Admits a user code before it is looked up. Wrong ones also count as wrong codes of the network.
pub async fn admit_user_code(state: &State, user_id: Uuid) -> Result<(), AuthError> {
    Period::now(state, QUARTER).admit(state, &format!("user-codes:{user_id}"), USER_CODES).await
}
