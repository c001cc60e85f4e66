//! Access tokens that the replaced stacks signed.

use contracts::{Claims, Role, TokenUse};
use serde::Deserialize;

/// The claims of such a token. Each stack has some of them; none has a session.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LegacyClaims {
    user_id: Option<String>,
    sub: Option<String>,
    email: Option<String>,
    role: Option<String>,
    #[serde(rename = "type")]
    token_use: Option<String>,
    exp: i64,
    #[serde(default)]
    iat: i64,
    nbf: Option<i64>,
}

impl LegacyClaims {
    /// Returns the claims in our form, or `None` if this is no access token. A role that is missing or unknown
    /// becomes `viewer`.
    pub(crate) fn into_claims(self) -> Option<Claims> {
        let is_access = match self.token_use.as_deref() {
            Some(token_use) => token_use == "access",
            // A refresh token of the monolith has the same secret and names only a user.
            None => self.user_id.is_none() || (self.email.is_some() && self.role.is_some()),
        };
        let id = self.user_id.or(self.sub).filter(|id| !id.is_empty() && is_access)?;
        Some(Claims {
            sub: id.clone(),
            user_id: id,
            email: self.email.unwrap_or_default(),
            role: self.role.and_then(|role| role.parse().ok()).unwrap_or(Role::Viewer),
            sid: None,
            token_use: TokenUse::Access,
            account_id: None,
            generation: 0,
            iat: self.iat,
            exp: self.exp,
            nbf: self.nbf,
            jti: None,
            withdrawn_keys: 0,
        })
    }
}
