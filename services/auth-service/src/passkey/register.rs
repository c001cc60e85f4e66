use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, SqlErr};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use webauthn_rp::RegistrationServerState;
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::DomainOrigin;
use webauthn_rp::request::register::{RegistrationVerificationOptions, USER_HANDLE_MAX_LEN};
use webauthn_rp::response::register::ser_relaxed::RegistrationRelaxed;

use super::challenge::{self, ChallengePurpose};
use super::entity::{self as passkey, MAX_PER_USER};
use super::relying::Relying;
use crate::error::AuthError;
use crate::state::State;
use crate::user::name::Name;

const WRONG: AuthError = AuthError::WrongFactor { field: "registration" };

/// Stores the passkey that a browser created with the options of [`creation_options`](super::creation_options) for
/// `owner`. `registration` is a `RegistrationResponseJSON`.
///
/// The caller holds the lock of the user.
///
/// # Errors
/// [`AuthError::WrongFactor`] for everything that is wrong with the registration, [`AuthError::PasskeysOff`] and
/// [`AuthError::TooManyPasskeys`].
pub async fn register(
    state: &State,
    db: &impl ConnectionTrait,
    user_id: Uuid,
    owner: Uuid,
    name: Name,
    registration: &Value,
    now: DateTime<Utc>,
) -> Result<passkey::Model, AuthError> {
    let relying = Relying::of(state)?;
    let refused = |reason: &dyn std::fmt::Display| {
        tracing::debug!(%user_id, %reason, "refused the registration of a passkey");
        WRONG
    };
    let RegistrationRelaxed(registration) =
        RegistrationRelaxed::deserialize(registration).map_err(|error| refused(&error))?;
    let challenge = registration.challenge_relaxed().map_err(|error| refused(&error))?;
    let taken = challenge::take(db, challenge, ChallengePurpose::Register, Some(owner), now).await?;
    let taken = taken.ok_or_else(|| refused(&"the challenge is unknown, used or expired"))?;
    let ceremony =
        RegistrationServerState::<USER_HANDLE_MAX_LEN>::decode(&taken).map_err(AuthError::passkey)?;
    let origins = [relying.origin()];
    let options = RegistrationVerificationOptions::<DomainOrigin<'_, '_>, DomainOrigin<'_, '_>> {
        allowed_origins: &origins,
        error_on_unsolicited_extensions: false,
        ..Default::default()
    };
    let verified = ceremony.verify(&relying.id, &registration, &options).map_err(|error| refused(&error))?;
    if passkey::count_of(db, user_id).await? >= MAX_PER_USER {
        return Err(AuthError::TooManyPasskeys);
    }
    let credential_id = URL_SAFE_NO_PAD.encode(verified.id());
    if passkey::is_taken(db, &credential_id).await? {
        return Err(refused(&"the credential id exists"));
    }
    let (Ok(key), Ok(transports)) = (verified.static_state().encode(), verified.transports().encode());
    let dynamic = verified.dynamic_state();
    let row = passkey::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(user_id),
        name: Set(name.into()),
        credential_id: Set(credential_id),
        rp_id: Set(relying.name().to_owned()),
        public_key: Set(URL_SAFE_NO_PAD.encode(key)),
        state: Set(passkey::encode_state(transports, dynamic)),
        is_backed_up: Set(passkey::is_backed_up(dynamic)),
        created_at: Set(now),
        last_used_at: Set(None),
    };
    row.insert(db).await.map_err(|error| match error.sql_err() {
        // Registered by a concurrent request.
        Some(SqlErr::UniqueConstraintViolation(_)) => WRONG,
        _ => AuthError::Database(error),
    })
}
