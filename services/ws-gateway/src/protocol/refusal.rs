use chrono::{DateTime, Utc};
use contracts::events::auth::EndReason;
use identity::TokenError;
use serde::Serialize;
use serde_json::Value;
use strum::{EnumCount, EnumIter, IntoStaticStr};

use super::NamespaceKind;

/// The reason why a socket is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, EnumCount, EnumIter, IntoStaticStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", const_into_str)]
pub(crate) enum RefusalCode {
    MissingToken,
    TokenExpired,
    InvalidToken,
    RateLimited,
    AuthFailed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: RefusalCode,
    pub message: String,
    pub expired_at: Option<DateTime<Utc>>,
    /// The reason why the session ended, if it has ended.
    pub ended: Option<EndReason>,
}

impl Refusal {
    pub(crate) fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), expired_at: None, ended: None }
    }

    /// Returns the refusal in the words of the replaced stack, which pages compare.
    pub(crate) fn in_old_words(self) -> Self {
        let message = match self.code {
            RefusalCode::MissingToken => "Authentication failed: missing token",
            RefusalCode::TokenExpired | RefusalCode::InvalidToken | RefusalCode::AuthFailed => {
                "Authentication failed: invalid token"
            }
            // The replaced stack had no such limit.
            RefusalCode::RateLimited => return self,
        };
        Self { message: message.into(), ..self }
    }

    /// The `data` of a `connect_error`. In `/dashboard` the code is always the same, and the exact code is
    /// the reason.
    pub(crate) fn data(&self, kind: NamespaceKind) -> Value {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Data<'a> {
            code: RefusalCode,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<RefusalCode>,
            #[serde(skip_serializing_if = "Option::is_none")]
            expired_at: Option<DateTime<Utc>>,
        }
        let (code, reason) = match kind {
            NamespaceKind::Dashboard => (RefusalCode::AuthFailed, Some(self.code)),
            NamespaceKind::Root | NamespaceKind::Plain => (self.code, None),
        };
        let data = Data { code, message: &self.message, reason, expired_at: self.expired_at };
        serde_json::to_value(data).unwrap_or_default()
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let (code, expired_at, ended) = match error {
            TokenError::Expired { at } => (RefusalCode::TokenExpired, Some(at), None),
            TokenError::Invalid => (RefusalCode::InvalidToken, None, None),
            TokenError::Revoked { reason } => (RefusalCode::AuthFailed, None, Some(reason)),
        };
        Self { code, message: error.to_string(), expired_at, ended }
    }
}
