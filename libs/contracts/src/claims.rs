use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, Role};

/// The issuer of access tokens (`iss`), unless another is configured.
pub const ISSUER: &str = "driftsentry";
/// The audience of access tokens (`aud`), unless another is configured.
pub const AUDIENCE: &str = "api";

/// The `type` claim: what a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenUse {
    Access,
}

/// The claims of an access token (RFC 9068, plus what the frontends read), except the issuer and the audience.
///
/// `iat`, `exp` and `nbf` are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// The user's id: a UUID for users of auth-service.
    pub sub: String,
    /// Equal to `sub`, under the name that the frontends read.
    pub user_id: String,
    pub email: String,
    pub role: Role,
    /// The session that the token belongs to. Absent only in tokens of a replaced stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
    #[serde(rename = "type")]
    pub token_use: TokenUse,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The user's generation when the token was issued. After a later change, the token's `role` is out of
    /// date.
    #[serde(rename = "gen", default)]
    pub generation: i64,
    pub iat: i64,
    pub exp: i64,
    /// Never written by DriftSentry, but honoured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Absent only in tokens of a replaced stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<Uuid>,
    /// Not in the token: the number of keys that had been withdrawn when the token was verified.
    #[serde(skip)]
    pub withdrawn_keys: u32,
}

/// The subject that an access token is issued to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// A user's id, or the subject of a service token.
    pub subject: String,
    pub email: String,
    pub role: Role,
    pub account_id: Option<AccountId>,
    pub generation: i64,
    pub session: Uuid,
}

impl Claims {
    /// Creates the claims of a new access token, with its own `jti`.
    pub fn access(holder: Holder, issued_at: DateTime<Utc>, expires_at: DateTime<Utc>) -> Self {
        let Holder { subject, email, role, account_id, generation, session } = holder;
        Self {
            user_id: subject.clone(),
            sub: subject,
            email,
            role,
            sid: Some(session),
            token_use: TokenUse::Access,
            account_id,
            generation,
            iat: issued_at.timestamp(),
            exp: expires_at.timestamp(),
            nbf: None,
            jti: Some(Uuid::new_v4()),
            withdrawn_keys: 0,
        }
    }
}
