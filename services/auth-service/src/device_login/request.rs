use std::net::IpAddr;

use uuid::Uuid;

use super::codes::UserCode;
use super::entity::{self, LIFETIME, Model};
use super::limits;
use crate::error::AuthError;
use crate::login::networks::own_network;
use crate::state::State;

/// Enough for a user code that is already taken, which happens to one login in millions.
const TRIES: u8 = 3;

/// Requests a login of a device. Returns its row and its user code.
pub async fn request(
    state: &State,
    name: Option<String>,
    ip: IpAddr,
) -> Result<(Model, UserCode), AuthError> {
    limits::admit_request(state, ip).await?;
    let (now, network) = (state.platform.clock().now(), own_network(ip));
    if entity::count_waiting(&state.database, &network, now).await? >= limits::WAITING {
        return Err(AuthError::TooManyAttempts {
            retry_after_seconds: LIFETIME.num_seconds().unsigned_abs(),
        });
    }
    for _ in 0..TRIES {
        let id = Uuid::now_v7();
        let user_code = state.device_codes.user_code(id);
        let row = Model {
            id,
            user_code_hash: state.device_codes.hash(&user_code),
            name: name.clone(),
            ip_address: ip.to_string(),
            network: network.clone(),
            created_at: now,
            expires_at: now + LIFETIME,
            last_polled_at: None,
            decided_at: None,
            decision: None,
            user_id: None,
            session_id: None,
            login_epoch: None,
            acr: None,
            amr: None,
            auth_time: None,
            used_at: None,
        };
        if entity::insert(&state.database, row.clone()).await? {
            return Ok((row, user_code));
        }
    }
    Err(AuthError::TooManyAttempts { retry_after_seconds: 1 })
}
