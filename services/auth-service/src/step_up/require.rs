use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::error::AuthError;
use crate::factor::totp_factor;
use crate::passkey::entity as passkey;
use crate::session::entity as session;
use crate::state::State;
use crate::user::entity as user;

/// Requires a fresh second factor for a sensitive action of a user who has one.
///
/// # Errors
/// [`AuthError::StepUpRequired`] with the methods that the user has.
pub async fn require(state: &State, user_id: Uuid, session: Option<Uuid>) -> Result<(), AuthError> {
    let user = user::by_id(&state.database, user_id).await?.ok_or(AuthError::UnknownCaller)?;
    if !user.has_factor {
        return Ok(());
    }
    let session = match session {
        Some(id) => session::by_id(&state.database, id).await?,
        None => None,
    };
    let is_fresh = session.is_some_and(|session| is_fresh(state, &session));
    if is_fresh {
        Ok(())
    } else {
        Err(AuthError::StepUpRequired { methods: methods(&state.database, &user).await? })
    }
}

/// Requires a fresh second factor for a change of second factors, or else, from a user without one, a fresh login.
///
/// # Errors
/// [`AuthError::StepUpRequired`] with the methods that the user has.
pub async fn require_for_factors(
    state: &State,
    db: &impl ConnectionTrait,
    user: &user::Model,
    session: &session::Model,
) -> Result<(), AuthError> {
    let now = state.platform.clock().now();
    let is_fresh_login = now - session.authenticated_at() <= state.platform.tokens().step_up_window;
    let suffices = if user.has_factor { is_fresh(state, session) } else { is_fresh_login };
    if suffices { Ok(()) } else { Err(AuthError::StepUpRequired { methods: methods(db, user).await? }) }
}

fn is_fresh(state: &State, session: &session::Model) -> bool {
    session.strength(true).is_fresh(state.platform.clock().now(), state.platform.tokens().step_up_window)
}

/// The methods that a step-up of this user accepts.
pub async fn methods(db: &impl ConnectionTrait, user: &user::Model) -> Result<Vec<&'static str>, AuthError> {
    if !user.has_factor {
        return Ok(vec!["password"]);
    }
    let has_app = totp_factor::of_user(db, user.id).await?.is_some();
    let has_passkey = passkey::count_of(db, user.id).await? > 0;
    Ok([("totp", has_app), ("passkey", has_passkey)]
        .into_iter()
        .filter(|(_, has)| *has)
        .map(|(name, _)| name)
        .collect())
}
