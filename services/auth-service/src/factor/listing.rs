//! The second factors of a user, without anything that could be used as one.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Person;
use crate::error::AuthError;
use crate::factor::{recovery_code, totp_factor};
use crate::passkey::entity as passkey;
use crate::passkey::view::Passkey;
use crate::state::State;
use crate::step_up::{self, Raised};
use crate::user::entity as user;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Factors {
    totp: Option<TotpFactor>,
    recovery_codes: Option<RecoveryCodes>,
    passkeys: Vec<Passkey>,
    /// Whether the settings demand a second factor of the user.
    required: bool,
    /// The methods that `POST /api/auth/step-up` accepts of the user: `totp`, `passkey` or `password`.
    methods: Vec<&'static str>,
    /// The strength of the caller's session.
    strength: Raised,
}

/// The user's authenticator app.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TotpFactor {
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryCodes {
    /// The number of codes that were not used.
    left: usize,
    created_at: DateTime<Utc>,
}

/// Returns the factors of the caller.
pub async fn of_person(state: &State, person: &Person) -> Result<Factors, AuthError> {
    let db = &state.database;
    let user = user::by_id(db, person.id).await?.ok_or(AuthError::UnknownCaller)?;
    let totp = totp_factor::of_user(db, person.id).await?;
    let totp = totp
        .map(|totp_factor::Model { created_at, last_used_at, .. }| TotpFactor { created_at, last_used_at });
    let codes = recovery_code::of_user(db, person.id).await?;
    let left = codes.iter().filter(|code| code.used_at.is_none()).count();
    let created_at = codes.first().map(|code| code.created_at);
    Ok(Factors {
        totp,
        recovery_codes: created_at.map(|created_at| RecoveryCodes { left, created_at }),
        passkeys: passkey::of_user(db, person.id).await?.into_iter().map(Passkey::from).collect(),
        required: state.settings.factors.mfa_required.applies_to(user.role),
        methods: step_up::methods(db, &user).await?,
        strength: Raised::of(state, &person.session),
    })
}

/// The kinds of second factors with which a user can complete a login.
pub async fn kinds_of(
    db: &impl sea_orm::ConnectionTrait,
    user: &user::Model,
) -> Result<Vec<&'static str>, DbErr> {
    let has_app = totp_factor::of_user(db, user.id).await?.is_some();
    let has_code = recovery_code::of_user(db, user.id).await?.iter().any(|code| code.used_at.is_none());
    let has_passkey = passkey::count_of(db, user.id).await? > 0;
    let kinds = [("totp", has_app), ("passkey", has_passkey), ("recovery", has_code)];
    Ok(kinds.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect())
}
