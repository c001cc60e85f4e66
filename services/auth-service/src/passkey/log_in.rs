use std::net::IpAddr;

use sea_orm::EntityTrait;
use serde_json::Value;

use super::challenge::Purpose;
use super::limits as passkey_limits;
use super::verify::{owner_of, verify};
use crate::audit::action::{Action, Initiator};
use crate::audit::entity as audit_log;
use crate::error::AuthError;
use crate::limits;
use crate::login::account_locks::{self, Place};
use crate::login::attempt::Attempt;
use crate::login::guard::{record_failure, refuse};
use crate::login::log_in::{LoggedIn, open_session};
use crate::session::device::Device;
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::{LockedUser, audit_row};

/// Opens a session for the user whose passkey signed a challenge of
/// [`discoverable_options`](super::discoverable_options). Failures count like wrong passwords.
pub async fn log_in(
    state: &State,
    assertion: &Value,
    ip: IpAddr,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    passkey_limits::admit_login(state, ip).await?;
    let refusal = limits::refusal_of_failures(state, ip).await?;
    let owner = owner_of(state, assertion).await?;
    let known = match owner {
        Some(id) => user::by_id(&state.database, id).await?,
        None => None,
    };
    let Some(known) = known else {
        refuse(refusal)?;
        return Err(fail_unknown(state, ip).await?);
    };
    let email = Email::parse(&known.email).map_err(AuthError::passkey)?;
    let attempt = Attempt { email, ip };
    let place = Place::Network(attempt.network());
    let locks = account_locks::read(state, &attempt.account(), &place).await?;
    refuse(locks.here)?;
    if !account_locks::is_familiar(state, &attempt, Some(known.id)).await? {
        refuse(locks.everywhere.max(refusal))?;
    }
    match enter(state, &known, assertion, &attempt, device).await {
        Err(AuthError::WrongAssertion) => {
            let (action, user_id) = (Some(Action::LoginFailed), Some(known.id));
            record_failure(state, action, &attempt, user_id, &place, true).await?;
            Err(AuthError::WrongAssertion)
        }
        outcome => outcome,
    }
}

async fn enter(
    state: &State,
    known: &user::Model,
    assertion: &Value,
    attempt: &Attempt,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    let initiator = Initiator::user_at(attempt.ip);
    let user = LockedUser::lock(state, known.id, initiator).await?;
    let user = user.filter(|user| user.row.is_active).ok_or(AuthError::WrongAssertion)?;
    match verify(state, &user.transaction, assertion, Purpose::LogIn, None, initiator, user.now).await {
        Ok(_passkey) => {
            limits::admit_success(state, user.row.id).await?;
            open_session(user, attempt, device, None).await
        }
        Err(AuthError::WrongAssertion) => {
            user.commit().await?;
            Err(AuthError::WrongAssertion)
        }
        Err(error) => Err(error),
    }
}

/// Records a login with a passkey that does not exist.
async fn fail_unknown(state: &State, ip: IpAddr) -> Result<AuthError, AuthError> {
    let now = state.platform.clock().now();
    let row = audit_row(Action::LoginFailed, None, None, None, Initiator::user_at(ip), now);
    audit_log::Entity::insert(row).exec_without_returning(&state.database).await?;
    limits::count_failure(state, ip).await;
    Ok(AuthError::WrongAssertion)
}
