use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use webauthn_rp::bin::Decode;
use webauthn_rp::request::DomainOrigin;
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::response::auth::error::AuthCeremonyErr;
use webauthn_rp::response::auth::ser_relaxed::{
    DiscoverableAuthenticationRelaxed64, NonDiscoverableAuthenticationRelaxed64,
};
use webauthn_rp::response::register::DynamicState;
use webauthn_rp::{
    DiscoverableAuthentication64, DiscoverableAuthenticationServerState, NonDiscoverableAuthentication64,
    NonDiscoverableAuthenticationServerState,
};

use super::challenge::{self, ChallengePurpose};
use super::entity::{self as passkey, Credential};
use super::options::decode_handle;
use super::relying::Relying;
use crate::error::AuthError;
use crate::state::State;
use crate::user::entity as user;

type Options<'a> = AuthenticationVerificationOptions<'a, 'a, DomainOrigin<'a, 'a>, DomainOrigin<'a, 'a>>;

/// The one error for everything that is wrong with an assertion.
pub(super) const WRONG: AuthError = AuthError::WrongFactor { field: "assertion" };

/// The ways to fail. All but the last are one error for the client.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the challenge is unknown, used or expired")]
    NoChallenge,
    #[error("there is no such passkey")]
    NoPasskey,
    #[error("the stored passkey or challenge is damaged")]
    Damaged,
    #[error(transparent)]
    Ceremony(#[from] AuthCeremonyErr),
    #[error("the sign counter did not rise")]
    Cloned { user_id: Uuid, id: Uuid },
    #[error(transparent)]
    Failed(#[from] AuthError),
}

/// An assertion that was read.
enum Assertion {
    Discoverable(DiscoverableAuthentication64),
    Listed(NonDiscoverableAuthentication64),
}

/// Verifies an `AuthenticationResponseJSON` for a challenge of this purpose and owner: the signature, the origin, the site,
/// the verification of the user, the user handle, the sign counter and the backup flags. Records the use of the passkey.
///
/// The caller holds the lock of the passkey's user (see [`owner_of`]). With [`request_options`](super::request_options),
/// the passkey is one of the user whom the options were for.
///
/// # Errors
/// [`AuthError::WrongFactor`] for everything that is wrong, [`AuthError::ClonedPasskey`], and [`AuthError::PasskeysOff`].
pub async fn verify(
    state: &State,
    transaction: &impl ConnectionTrait,
    assertion: &Value,
    purpose: ChallengePurpose,
    owner: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<passkey::Model, AuthError> {
    let relying = Relying::of(state)?;
    match check(&relying, transaction, assertion, purpose, owner, now).await {
        Ok((row, dynamic)) => Ok(row.record_use(transaction, dynamic, now).await?),
        Err(Refusal::Failed(error)) => Err(error),
        Err(Refusal::Cloned { user_id, id }) => {
            tracing::warn!(%user_id, passkey_id = %id, "refused a passkey whose sign counter did not rise");
            Err(AuthError::ClonedPasskey)
        }
        Err(refusal) => {
            tracing::debug!(reason = %refusal, "refused an assertion");
            Err(WRONG)
        }
    }
}

/// Returns the user of the passkey that an assertion names. Proves nothing.
pub async fn owner_of(state: &State, assertion: &Value) -> Result<Option<Uuid>, AuthError> {
    let relying = Relying::of(state)?;
    let Ok(assertion) = NonDiscoverableAuthenticationRelaxed64::deserialize(assertion) else {
        return Ok(None);
    };
    let id = URL_SAFE_NO_PAD.encode(assertion.0.raw_id());
    Ok(passkey::by_credential(&state.database, &id, relying.name()).await?.map(|row| row.user_id))
}

/// Takes the challenge and finds the passkey, then runs the ceremony.
async fn check(
    relying: &Relying,
    db: &impl ConnectionTrait,
    assertion: &Value,
    purpose: ChallengePurpose,
    owner: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(passkey::Model, DynamicState), Refusal> {
    let assertion = Assertion::read(assertion, purpose)?;
    let challenge = match &assertion {
        Assertion::Discoverable(assertion) => assertion.challenge_relaxed()?,
        Assertion::Listed(assertion) => assertion.challenge_relaxed()?,
    };
    let taken = challenge::take(db, challenge, purpose, owner, now).await.map_err(AuthError::from)?;
    let taken = taken.ok_or(Refusal::NoChallenge)?;
    let id = URL_SAFE_NO_PAD.encode(assertion.raw_id());
    let row = passkey::by_credential(db, &id, relying.name()).await.map_err(AuthError::from)?;
    let row = row.ok_or(Refusal::NoPasskey)?;
    let user = user::by_id(db, row.user_id).await.map_err(AuthError::from)?.ok_or(Refusal::NoPasskey)?;
    let handle = user.passkey_handle.as_deref().and_then(decode_handle).ok_or(Refusal::Damaged)?;
    let raw_id = row.raw_id().ok_or(Refusal::Damaged)?;
    let mut credential = row.credential(&raw_id, &handle).ok_or(Refusal::Damaged)?;
    match assertion.verify(relying, &taken, &mut credential) {
        Ok(()) => Ok((row, credential.dynamic_state())),
        Err(Refusal::Ceremony(AuthCeremonyErr::SignatureCounter)) => {
            Err(Refusal::Cloned { user_id: row.user_id, id: row.id })
        }
        Err(refusal) => Err(refusal),
    }
}

impl Assertion {
    fn read(assertion: &Value, purpose: ChallengePurpose) -> Result<Self, serde_json::Error> {
        Ok(if purpose == ChallengePurpose::LogIn {
            Self::Discoverable(DiscoverableAuthenticationRelaxed64::deserialize(assertion)?.0)
        } else {
            Self::Listed(NonDiscoverableAuthenticationRelaxed64::deserialize(assertion)?.0)
        })
    }

    fn raw_id(&self) -> &[u8] {
        match self {
            Self::Discoverable(assertion) => assertion.raw_id().into_inner(),
            Self::Listed(assertion) => assertion.raw_id().into_inner(),
        }
    }

    /// Runs the ceremony with its stored state. Changes the credential if it succeeds.
    fn verify(
        &self,
        relying: &Relying,
        stored: &[u8],
        credential: &mut Credential<'_>,
    ) -> Result<(), Refusal> {
        let origins = [relying.origin()];
        let options: Options<'_> = AuthenticationVerificationOptions {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            ..Default::default()
        };
        match self {
            Self::Discoverable(assertion) => {
                let ceremony = DiscoverableAuthenticationServerState::decode(stored);
                let ceremony = ceremony.map_err(|_damage| Refusal::Damaged)?;
                ceremony.verify(&relying.id, assertion, credential, &options)?;
            }
            Self::Listed(assertion) => {
                let ceremony = NonDiscoverableAuthenticationServerState::decode(stored);
                let ceremony = ceremony.map_err(|_damage| Refusal::Damaged)?;
                ceremony.verify(&relying.id, assertion, credential, &options)?;
            }
        }
        Ok(())
    }
}
