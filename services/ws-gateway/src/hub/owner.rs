use chrono::{DateTime, Utc};
use contracts::{Claims, Role};
use identity::{LEEWAY, TokenError, Verifier};
use uuid::Uuid;

use crate::catalogue::own_rooms;

/// The user and the session of an open socket. Other claims are not kept, to save memory: there may be many idle
/// sockets.
pub(crate) struct Owner {
    pub user_id: Box<str>,
    pub sid: Option<Uuid>,
    pub account_id: Option<Box<str>>,
    generation: i64,
    /// The expiry of the token, in seconds since the epoch.
    expires: i64,
    /// Whether the user may decide on drifts.
    pub is_engineer: bool,
    /// The number of keys that had been withdrawn when the token was verified.
    withdrawn_keys: u32,
}

impl Owner {
    pub(crate) fn of(claims: &Claims) -> Self {
        Self {
            user_id: (*claims.user_id).into(),
            sid: claims.sid,
            account_id: claims.account_id.as_deref().map(Into::into),
            generation: claims.generation,
            expires: claims.exp,
            is_engineer: claims.role >= Role::Engineer,
            withdrawn_keys: claims.withdrawn_keys,
        }
    }

    /// Whether the claims are of the same user and session.
    pub(crate) fn is_same(&self, claims: &Claims) -> bool {
        *self.user_id == *claims.user_id && self.sid == claims.sid
    }

    /// The rooms that a socket of this owner is in without asking.
    pub(crate) fn rooms(&self) -> Vec<String> {
        own_rooms(&self.user_id, self.account_id.as_deref(), self.sid)
    }

    pub(crate) fn expires_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.expires, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Returns the time at which verification stops accepting the token.
    pub(crate) fn closes_at(&self) -> DateTime<Utc> {
        self.expires_at() + LEEWAY
    }

    /// Checks the keys, the session and the user again, and updates the account and the role.
    ///
    /// # Errors
    /// If a key was withdrawn, the session has ended or the account is disabled.
    pub(crate) fn recheck(&mut self, verifier: &Verifier) -> Result<(), TokenError> {
        verifier.recheck_keys(self.withdrawn_keys)?;
        // The verifier accepts only tokens whose subject is the user.
        if let Some(user) = verifier.changed(&self.user_id, self.sid, self.generation)? {
            self.account_id = user.account_id.as_deref().map(Into::into);
            self.is_engineer = user.role >= Role::Engineer;
        }
        Ok(())
    }
}
