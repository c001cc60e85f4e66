use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::auth::EndReason;
use contracts::{Claims, Clock};
use jsonwebtoken::Header;
use uuid::Uuid;

use crate::signing_key::TOKEN_TYPE;
use crate::{Keys, Revocations, UserChange};

/// Largest difference between the clocks of two machines that verification tolerates.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(10);
const MAX_TOKEN_BYTES: usize = 4_096;

/// The reason why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token is genuine, but has expired.
    #[error("the access token expired at {at}")]
    Expired { at: DateTime<Utc> },
    /// The token is genuine, but its session has ended.
    #[error("the session has ended: {reason}")]
    Revoked { reason: EndReason },
    /// The token is not one of ours.
    #[error("the access token is invalid")]
    Invalid,
}

/// Verifies access tokens, in memory. Cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<Keys>,
    revocations: Revocations,
    clock: Clock,
    accept_legacy: bool,
}

impl Verifier {
    /// Creates a verifier. `accept_legacy` accepts tokens of the old stack, which name no session.
    pub fn new(keys: Arc<Keys>, revocations: Revocations, clock: Clock, accept_legacy: bool) -> Self {
        Self { keys, revocations, clock, accept_legacy }
    }

    /// Returns the claims of a token that is genuine, has not expired, and belongs to a session that has not
    /// ended. Role and account are the user's current ones, if they changed since the token was issued.
    ///
    /// # Errors
    /// See [`TokenError`]. A token that is not genuine only gets [`TokenError::Invalid`].
    pub fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        // Read before the key is used, so that a withdrawal in between is noticed.
        let withdrawn_keys = self.keys.withdrawn();
        let mut claims = self.genuine(token).ok_or(TokenError::Invalid)?;
        claims.withdrawn_keys = withdrawn_keys;
        let now = self.clock.now();
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(TokenError::Invalid)?;
        if now > expires_at + LEEWAY {
            return Err(TokenError::Expired { at: expires_at });
        }
        if claims.nbf.is_some_and(|at| at > (now + LEEWAY).timestamp()) {
            return Err(TokenError::Invalid);
        }
        self.recheck(&mut claims)?;
        Ok(claims)
    }

    /// Checks whether the session has ended since the claims were verified, and updates the user's role and
    /// account in them.
    ///
    /// # Errors
    /// [`TokenError::Revoked`] if the session has ended.
    pub fn recheck(&self, claims: &mut Claims) -> Result<(), TokenError> {
        if let Some(user) = self.changed(&claims.sub, claims.sid, claims.generation)? {
            claims.role = user.role;
            claims.account_id.clone_from(&user.account_id);
        }
        Ok(())
    }

    /// Checks that no key was withdrawn since the claims were verified. For sockets that stay open: nobody knows which
    /// of their tokens were forged.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if a key was withdrawn.
    pub fn recheck_keys(&self, withdrawn_keys: u32) -> Result<(), TokenError> {
        if self.keys.withdrawn() == withdrawn_keys { Ok(()) } else { Err(TokenError::Invalid) }
    }

    /// Returns the user's newest state if the user has changed since `generation`. For sockets that stay open.
    ///
    /// # Errors
    /// [`TokenError::Revoked`] if the session has ended or the account is disabled.
    pub fn changed(
        &self,
        subject: &str,
        session: Option<Uuid>,
        generation: i64,
    ) -> Result<Option<Arc<UserChange>>, TokenError> {
        if let Some(reason) = session.and_then(|session| self.revocations.ended(session)) {
            return Err(TokenError::Revoked { reason });
        }
        let user = self.revocations.user(subject).filter(|user| user.generation > generation);
        match user {
            Some(user) if !user.is_active => Err(TokenError::Revoked { reason: EndReason::AccountDisabled }),
            changed => Ok(changed),
        }
    }

    /// Whether one of our keys signed the token: the current one, the previous one or the one shared with the
    /// old stack. Such a token may be invalid, but it was not guessed.
    pub fn is_signed_by_us(&self, token: &str) -> bool {
        if token.len() > MAX_TOKEN_BYTES {
            return false;
        }
        jsonwebtoken::decode_header(token).is_ok_and(|header| self.keys.signed(token, &header))
    }

    /// Returns the claims of a token that DriftSentry or the old stack signed.
    fn genuine(&self, token: &str) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        let ours = header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TOKEN_TYPE));
        if brings_its_own_key(&header) || !(ours || self.accept_legacy) {
            return None;
        }
        if !ours {
            return self.keys.verify_legacy(token, &header);
        }
        let claims = self.keys.verify(token, &header)?;
        let complete = claims.sid.is_some() && claims.jti.is_some() && !claims.sub.is_empty();
        (complete && claims.sub == claims.user_id).then_some(claims)
    }
}

/// Whether a header asks us to fetch or trust a key from the token itself, or to support extensions.
fn brings_its_own_key(header: &Header) -> bool {
    header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.crit.is_some()
}
