//! Adds and removes the authenticator app of a signed-in user.

use std::net::IpAddr;

use chrono::TimeDelta;
use contracts::events::auth::{FactorChange, FactorKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::action::{Action, Initiator};
use crate::caller::Person;
use crate::error::AuthError;
use crate::factor::changes::{close_secret, open_secret};
use crate::factor::proof::{Given, Shown, within_limits};
use crate::factor::totp::{TotpSecret, qr_code};
use crate::factor::{recovery_code, totp_factor};
use crate::limits;
use crate::login::account_locks::Place;
use crate::state::State;
use crate::step_up;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// Time for the first code of an app.
const CONFIRM_WITHIN: TimeDelta = TimeDelta::minutes(30);

/// The secret of a new authenticator app, in three forms. No other response contains the secret.
#[derive(Serialize, ToSchema)]
pub struct NewTotp {
    /// In base32, to be typed.
    pub secret: String,
    /// An `otpauth://` address.
    pub uri: String,
    /// The address as a QR code, in SVG.
    pub qr: String,
}

impl NewTotp {
    pub fn of(secret: &TotpSecret, email: &str) -> Result<Self, AuthError> {
        let uri = secret.uri(email).map_err(AuthError::Factor)?;
        let qr = qr_code(&uri).map_err(AuthError::Factor)?;
        Ok(Self { secret: secret.base32(), uri, qr })
    }
}

/// Creates a secret for an app. The app counts once a first code confirms it.
pub async fn begin_totp(state: &State, person: &Person, ip: IpAddr) -> Result<NewTotp, AuthError> {
    limits::admit_settings_change(state, person.id).await?;
    let user = lock(state, person, ip).await?;
    if totp_factor::of_user(&user.transaction, person.id).await?.is_some() {
        return Err(AuthError::FactorExists);
    }
    let secret = TotpSecret::generate().map_err(AuthError::Factor)?;
    let row = totp_factor::Model {
        user_id: person.id,
        secret: close_secret(state, person.id, &secret)?,
        last_step: 0,
        created_at: user.now,
        confirmed_at: None,
        last_used_at: None,
    };
    totp_factor::put(&user.transaction, row).await?;
    let email = user.row.email.clone();
    user.commit().await?;
    NewTotp::of(&secret, &email)
}

/// Confirms an app with its first code. Returns recovery codes if the user has none.
pub async fn confirm_totp(
    state: &State,
    person: &Person,
    code: &str,
    ip: IpAddr,
) -> Result<Option<Vec<String>>, AuthError> {
    let known = user::by_id(&state.database, person.id).await?.ok_or(AuthError::UnknownCaller)?;
    let confirm = async {
        let mut user = lock(state, person, ip).await?;
        let session = user.open_session_by_id(person.session.id).await?.ok_or(AuthError::SessionEnded)?;
        let app = totp_factor::unconfirmed_of(&user.transaction, person.id).await?;
        let app = app.filter(|app| user.now - app.created_at < CONFIRM_WITHIN);
        let app = app.ok_or(AuthError::UnknownFactor)?;
        let secret = open_secret(state, person.id, &app.secret)?;
        let step = secret.step_of(code, user.now, app.last_step).map_err(AuthError::Factor)?;
        let last_step = step.ok_or_else(|| Given::Code(code).wrong())?;
        let confirmed = totp_factor::Model { last_step, confirmed_at: Some(user.now), ..app };
        totp_factor::put(&user.transaction, confirmed).await?;
        let codes = user.add_factor(FactorKind::Totp, Some(&session), Shown::CODE).await?;
        user.commit().await?;
        Ok(codes)
    };
    within_limits(state, &known, Place::Session(person.session.id), ip, confirm).await
}

/// Removes the app of the user.
pub async fn remove_totp(state: &State, person: &Person, ip: IpAddr) -> Result<(), AuthError> {
    limits::admit_settings_change(state, person.id).await?;
    let mut user = lock(state, person, ip).await?;
    if !totp_factor::delete_of(&user.transaction, person.id).await? {
        return Err(AuthError::UnknownFactor);
    }
    user.remove_factor(FactorKind::Totp, person.session.id).await?;
    Ok(user.commit().await?)
}

/// Creates recovery codes in place of the earlier ones.
pub async fn replace_codes(state: &State, person: &Person, ip: IpAddr) -> Result<Vec<String>, AuthError> {
    limits::admit_settings_change(state, person.id).await?;
    let mut user = lock(state, person, ip).await?;
    if !user.row.has_factor {
        return Err(AuthError::UnknownFactor);
    }
    let codes = recovery_code::replace(&user.transaction, person.id, user.now).await;
    let codes = codes.map_err(AuthError::Factor)?;
    user.audit(Action::RecoveryCodesReplaced, Some(person.session.id), None);
    let session = Some(person.session.id);
    user.tell_of_factor(FactorChange::Replaced, FactorKind::RecoveryCodes, session).await?;
    user.commit().await?;
    Ok(codes)
}

/// Locks the user of a session that may change second factors.
pub async fn lock<'a>(state: &'a State, person: &Person, ip: IpAddr) -> Result<LockedUser<'a>, AuthError> {
    let user = LockedUser::lock(state, person.id, Initiator::user_at(ip)).await?;
    let user = user.filter(|user| user.row.is_active).ok_or(AuthError::UnknownCaller)?;
    let session = user.open_session_by_id(person.session.id).await?.ok_or(AuthError::SessionEnded)?;
    step_up::require_for_factors(state, &user.transaction, &user.row, &session).await?;
    Ok(user)
}
