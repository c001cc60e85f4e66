//! Adding, renaming and removing the passkeys of a user who is logged in.

use sea_orm::ModelTrait;
use serde_json::Value;
use uuid::Uuid;

use super::entity as passkey;
use super::register;
use crate::audit::action::{Action, Initiator};
use crate::caller::Person;
use crate::error::AuthError;
use crate::state::State;
use crate::user::locked_user::LockedUser;
use crate::user::name::Name;

/// The detail of a passkey's rows in the audit log.
const FACTOR: &str = "passkey";

/// Adds a passkey that was registered in the caller's session.
pub async fn add(
    state: &State,
    person: &Person,
    name: Name,
    registration: &Value,
    initiator: Initiator,
) -> Result<passkey::Model, AuthError> {
    let mut user = lock(state, person, initiator).await?;
    let (id, owner, now) = (user.row.id, person.session.id, user.now);
    match register(state, &user.transaction, id, owner, name, registration, now).await {
        Ok(added) => {
            on_added(&mut user);
            user.commit().await?;
            Ok(added)
        }
        Err(error @ AuthError::WrongRegistration) => {
            user.commit().await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

pub async fn rename(
    state: &State,
    person: &Person,
    id: Uuid,
    name: Name,
    initiator: Initiator,
) -> Result<passkey::Model, AuthError> {
    let user = lock(state, person, initiator).await?;
    let found = passkey::own(&user.transaction, user.row.id, id).await?.ok_or(AuthError::UnknownPasskey)?;
    let renamed = found.rename(&user.transaction, name.into()).await?;
    user.commit().await?;
    Ok(renamed)
}

pub async fn remove(state: &State, person: &Person, id: Uuid, initiator: Initiator) -> Result<(), AuthError> {
    let mut user = lock(state, person, initiator).await?;
    let found = passkey::own(&user.transaction, user.row.id, id).await?.ok_or(AuthError::UnknownPasskey)?;
    found.delete(&user.transaction).await?;
    on_removed(&mut user);
    Ok(user.commit().await?)
}

async fn lock<'a>(
    state: &'a State,
    person: &Person,
    initiator: Initiator,
) -> Result<LockedUser<'a>, AuthError> {
    let user = LockedUser::lock(state, person.id, initiator).await?.ok_or(AuthError::UnknownCaller)?;
    user.open_session_by_id(person.session.id).await?.ok_or(AuthError::SessionEnded)?;
    Ok(user)
}

/// The effects of a new passkey besides its row.
fn on_added(user: &mut LockedUser<'_>) {
    user.audit(Action::FactorAdded, None, Some(FACTOR));
}

/// The effects of a removed passkey besides its row.
fn on_removed(user: &mut LockedUser<'_>) {
    user.audit(Action::FactorRemoved, None, Some(FACTOR));
}
