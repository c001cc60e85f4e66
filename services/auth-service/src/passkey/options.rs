//! The options that a page hands to the browser's API. Each holds a new challenge, which is stored.
//!
//! None of these functions may run inside a transaction of the caller, because SQLite has one writer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::AllowedCredentials;
use webauthn_rp::request::register::{CredProtect, PublicKeyCredentialUserEntity, UserHandle64};
use webauthn_rp::request::{Credentials, TimedCeremony, UserVerificationRequirement};
use webauthn_rp::{
    DiscoverableCredentialRequestOptions, NonDiscoverableCredentialRequestOptions,
    PublicKeyCredentialCreationOptions,
};

use super::challenge::{self, ChallengePurpose};
use super::entity::{self as passkey, MAX_PER_USER};
use super::limits;
use super::relying::Relying;
use crate::error::AuthError;
use crate::state::State;
use crate::user::entity as user;

const SITE: &str = "DriftSentry";

/// Returns `PublicKeyCredentialCreationOptionsJSON` for a new passkey of `user`. Only `owner` can complete the
/// registration: the session, or the login that waits for a factor.
///
/// # Errors
/// [`AuthError::PasskeysOff`], [`AuthError::TooManyPasskeys`] and [`AuthError::TooManyAttempts`].
pub async fn creation_options(state: &State, user: &user::Model, owner: Uuid) -> Result<Value, AuthError> {
    let relying = Relying::of(state)?;
    limits::admit_options_of(state, user.id).await?;
    let known = passkey::of_user(&state.database, user.id).await?;
    if known.len() as u64 >= MAX_PER_USER {
        return Err(AuthError::TooManyPasskeys);
    }
    let handle = handle_of(&state.database, user).await?;
    let known = known.iter().filter_map(passkey::Model::descriptor).collect();
    // The names are added below: the profile of names that the library demands refuses some addresses.
    let entity = PublicKeyCredentialUserEntity::from(&handle);
    let mut options = PublicKeyCredentialCreationOptions::passkey(&relying.id, entity, known);
    // With its default, browsers refuse authenticators that cannot demand the person's verification of every relying party.
    // Here every login demands it anyway.
    options.extensions.cred_protect = CredProtect::None;
    let (server, client) = options.start_ceremony().map_err(AuthError::passkey)?;
    let encoded = server.encode().map_err(AuthError::passkey)?;
    store(state, &server, ChallengePurpose::Register, Some(owner), &encoded).await?;
    let mut options = to_value(&client)?;
    options["rp"]["name"] = json!(SITE);
    options["user"]["name"] = json!(user.email);
    options["user"]["displayName"] = json!(user.name);
    Ok(options)
}

/// Returns `PublicKeyCredentialRequestOptionsJSON` that lists the user's passkeys. Only `owner` can use the challenge,
/// and for `purpose` only.
///
/// # Errors
/// [`AuthError::PasskeysOff`], [`AuthError::NoPasskey`] and [`AuthError::TooManyAttempts`].
pub async fn request_options(
    state: &State,
    user_id: Uuid,
    owner: Uuid,
    purpose: ChallengePurpose,
) -> Result<Value, AuthError> {
    let relying = Relying::of(state)?;
    limits::admit_options_of(state, user_id).await?;
    let known = passkey::of_user(&state.database, user_id).await?;
    let mut allowed = AllowedCredentials::with_capacity(known.len());
    for descriptor in
        known.iter().filter(|known| known.rp_id == relying.name()).filter_map(|known| known.descriptor())
    {
        allowed.push(descriptor.into());
    }
    let options = NonDiscoverableCredentialRequestOptions::second_factor(&relying.id, allowed);
    let mut options = options.map_err(|_none| AuthError::NoPasskey)?;
    options.options().user_verification = UserVerificationRequirement::Required;
    let (server, client) = options.start_ceremony().map_err(AuthError::passkey)?;
    let encoded = server.encode().map_err(AuthError::passkey)?;
    store(state, &server, purpose, Some(owner), &encoded).await?;
    to_value(&client)
}

/// Returns `PublicKeyCredentialRequestOptionsJSON` for a login without a password. Every client may ask for it, so the
/// caller limits the requests with [`limits::admit_options`].
///
/// # Errors
/// [`AuthError::PasskeysOff`].
pub async fn discoverable_options(state: &State) -> Result<Value, AuthError> {
    let relying = Relying::of(state)?;
    let options = DiscoverableCredentialRequestOptions::passkey(&relying.id);
    let (server, client) = options.start_ceremony().map_err(AuthError::passkey)?;
    let encoded = server.encode().map_err(AuthError::passkey)?;
    store(state, &server, ChallengePurpose::LogIn, None, &encoded).await?;
    to_value(&client)
}

async fn store(
    state: &State,
    ceremony: &impl TimedCeremony,
    purpose: ChallengePurpose,
    owner: Option<Uuid>,
    encoded: &[u8],
) -> Result<(), AuthError> {
    let now = state.platform.clock().now();
    Ok(challenge::insert(&state.database, ceremony.sent_challenge(), purpose, owner, encoded, now).await?)
}

fn to_value(options: &impl Serialize) -> Result<Value, AuthError> {
    serde_json::to_value(options).map_err(AuthError::passkey)
}

/// Returns the user's handle, which is random and created at first use. All passkeys of the user have it.
async fn handle_of(db: &impl ConnectionTrait, user: &user::Model) -> Result<UserHandle64, AuthError> {
    let stored = match &user.passkey_handle {
        Some(handle) => handle.clone(),
        None => {
            let new = URL_SAFE_NO_PAD.encode(UserHandle64::new());
            user::keep_passkey_handle(db, user.id, new).await?.ok_or(AuthError::UnknownUser)?
        }
    };
    decode_handle(&stored).ok_or_else(|| AuthError::passkey("the handle of a user is damaged"))
}

/// Reads the stored form of a handle.
pub(super) fn decode_handle(stored: &str) -> Option<UserHandle64> {
    let Ok(handle) = UserHandle64::decode(URL_SAFE_NO_PAD.decode(stored).ok()?.try_into().ok()?);
    Some(handle)
}
