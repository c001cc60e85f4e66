//! Adding, renaming and removing the passkeys of a user who is logged in.

use std::net::IpAddr;

use contracts::events::auth::FactorKind;
use sea_orm::ModelTrait;
use serde_json::Value;
use uuid::Uuid;

use super::{creation_options, entity as passkey, register};
use crate::caller::Person;
use crate::error::AuthError;
use crate::factor::enrol::lock;
use crate::factor::proof::Shown;
use crate::limits;
use crate::state::State;
use crate::user::name::Name;

/// Returns the options of a registration in the caller's session.
pub async fn begin(state: &State, person: &Person, ip: IpAddr) -> Result<Value, AuthError> {
    let user = lock(state, person, ip).await?;
    let row = user.row.clone();
    user.commit().await?;
    creation_options(state, &row, person.session.id).await
}

/// Adds a passkey that was registered in the caller's session. Returns recovery codes if the user has none.
pub async fn add(
    state: &State,
    person: &Person,
    name: Name,
    registration: &Value,
    ip: IpAddr,
) -> Result<(passkey::Model, Option<Vec<String>>), AuthError> {
    limits::admit_settings_change(state, person.id).await?;
    let mut user = lock(state, person, ip).await?;
    let (owner, now) = (person.session.id, user.now);
    let added = register(state, &user.transaction, person.id, owner, name, registration, now).await?;
    let session = user.open_session_by_id(person.session.id).await?.ok_or(AuthError::SessionEnded)?;
    let codes = user.add_factor(FactorKind::Passkey, Some(&session), Shown::PASSKEY).await?;
    user.commit().await?;
    Ok((added, codes))
}

pub async fn rename(
    state: &State,
    person: &Person,
    id: Uuid,
    name: Name,
    ip: IpAddr,
) -> Result<passkey::Model, AuthError> {
    limits::admit_settings_change(state, person.id).await?;
    let user = lock(state, person, ip).await?;
    let found = passkey::own(&user.transaction, person.id, id).await?.ok_or(AuthError::UnknownPasskey)?;
    let renamed = found.rename(&user.transaction, name.into()).await?;
    user.commit().await?;
    Ok(renamed)
}

pub async fn remove(state: &State, person: &Person, id: Uuid, ip: IpAddr) -> Result<(), AuthError> {
    limits::admit_settings_change(state, person.id).await?;
    let mut user = lock(state, person, ip).await?;
    let found = passkey::own(&user.transaction, person.id, id).await?.ok_or(AuthError::UnknownPasskey)?;
    found.delete(&user.transaction).await?;
    user.remove_factor(FactorKind::Passkey, person.session.id).await?;
    Ok(user.commit().await?)
}
