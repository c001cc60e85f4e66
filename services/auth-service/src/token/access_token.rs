use chrono::{DateTime, TimeDelta, Utc};
use contracts::{Claims, Holder};

use crate::error::AuthError;
use crate::session::entity as session;
use crate::state::State;
use crate::user::entity as user;

/// An access token and its remaining lifetime.
pub struct AccessToken {
    pub token: String,
    pub expires_in_seconds: i64,
}

/// Signs an access token for a person's session. The token never outlives the session.
pub fn for_session(
    state: &State,
    user: &user::Model,
    session: &session::Model,
) -> Result<AccessToken, AuthError> {
    let now = state.platform.clock().now();
    let lifetime = TimeDelta::from_std(state.platform.tokens().lifetime).unwrap_or(TimeDelta::MAX);
    let holder = Holder {
        subject: user.id.to_string(),
        email: user.email.clone(),
        role: user.role,
        account_id: user.account_id.clone(),
        generation: user.generation,
        session: session.id,
    };
    state.metrics.token("access");
    sign(state, holder, now, (now + lifetime).min(session.expires_at))
}

pub fn sign(
    state: &State,
    holder: Holder,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<AccessToken, AuthError> {
    let claims = Claims::access(holder, issued_at, expires_at);
    let token = state.platform.tokens().keys.sign(&claims).map_err(|error| AuthError::Sign(error.into()))?;
    Ok(AccessToken { token, expires_in_seconds: claims.exp - claims.iat })
}
