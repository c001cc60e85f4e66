//! Who may open a socket.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::Claims;
use identity::TokenError;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::gateway::Gateway;
use crate::hub::Form;

/// How many tokens that are not ours an address may try.
const MAX_FAILURES: u64 = 5;
const FAILURE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Where a connection comes from, and the tokens its handshake brought.
#[derive(Clone, Default)]
pub struct Peer {
    pub ip: Option<IpAddr>,
    pub query_token: Option<String>,
    pub header_token: Option<String>,
}

impl Peer {
    /// The token that counts: of the query, else of the `CONNECT` packet, else of the header.
    pub fn token<'a>(&'a self, auth: &'a Map<String, Value>) -> Option<&'a str> {
        let given = |token: &'a Option<String>| token.as_deref().filter(|token| !token.is_empty());
        let in_packet = auth.get("token").and_then(Value::as_str).map(without_scheme);
        given(&self.query_token)
            .or(in_packet.filter(|token| !token.is_empty()))
            .or_else(|| given(&self.header_token))
    }

    /// What limits count by.
    pub fn network(&self) -> String {
        self.ip.map_or_else(|| "unknown".into(), |ip| web::network(ip).to_string())
    }
}

/// Some clients put the whole header's value into the `CONNECT` packet.
fn without_scheme(token: &str) -> &str {
    match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => token,
    }
}

/// Why a socket is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalCode {
    MissingToken,
    TokenExpired,
    InvalidToken,
    RateLimited,
    AuthFailed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: RefusalCode,
    pub message: String,
    pub expired_at: Option<DateTime<Utc>>,
}

impl RefusalCode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingToken => "MISSING_TOKEN",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::InvalidToken => "INVALID_TOKEN",
            Self::RateLimited => "RATE_LIMITED",
            Self::AuthFailed => "AUTH_FAILED",
        }
    }
}

impl Refusal {
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), expired_at: None }
    }

    /// The `data` of a `connect_error`: in `/dashboard` the code is always the same, and the exact
    /// one is the reason.
    pub fn data(&self, form: Form) -> Value {
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
        let (code, reason) = match form {
            Form::Dashboard => (RefusalCode::AuthFailed, Some(self.code)),
            Form::Root | Form::Plain => (self.code, None),
        };
        let data = Data { code, message: &self.message, reason, expired_at: self.expired_at };
        serde_json::to_value(data).unwrap_or_default()
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let (code, expired_at) = match error {
            TokenError::Expired { at } => (RefusalCode::TokenExpired, Some(at)),
            TokenError::Invalid => (RefusalCode::InvalidToken, None),
            TokenError::Revoked { .. } => (RefusalCode::AuthFailed, None),
        };
        Self { code, message: error.to_string(), expired_at }
    }
}

impl Gateway {
    /// The claims of a token, unless its address has tried too many that are not ours. A token that
    /// is missing, expired or of an ended session is refused, but nobody guesses with it: it does
    /// not count.
    pub async fn authorise(&self, peer: &Peer, token: Option<&str>) -> Result<Claims, Refusal> {
        let refused = match self.check(peer, token).await {
            Ok(claims) => return Ok(claims),
            Err(refused) => refused,
        };
        self.metrics.auth_failed(refused.code.as_str());
        let ip = peer.ip.map(|ip| ip.to_string());
        if refused.code == RefusalCode::RateLimited {
            tracing::warn!(security = true, ip, "authentication refused: too many failed attempts");
        } else {
            tracing::info!(ip, code = refused.code.as_str(), "authentication refused");
        }
        Err(refused)
    }

    async fn check(&self, peer: &Peer, token: Option<&str>) -> Result<Claims, Refusal> {
        let failures = format!("ws:failures:{}", peer.network());
        let limiter = &self.platform.limiter;
        if limiter.counted(&failures).await >= MAX_FAILURES {
            return Err(Refusal::new(
                RefusalCode::RateLimited,
                "too many failed attempts from your address: try again later",
            ));
        }
        let token = token.ok_or_else(|| Refusal::new(RefusalCode::MissingToken, "send an access token"))?;
        let verified = self.platform.verifier.verify(token);
        if verified == Err(TokenError::Invalid) {
            limiter.count(&failures, FAILURE_WINDOW).await;
        }
        Ok(verified?)
    }

    /// The claims of a token that is to replace another: it must be of the same user and session.
    pub async fn reauthorise(&self, peer: &Peer, old: &Claims, token: &str) -> Result<Claims, Refusal> {
        let new = self.authorise(peer, Some(token).filter(|token| !token.is_empty())).await?;
        if new.user_id != old.user_id || new.sid != old.sid {
            return Err(Refusal::new(
                RefusalCode::AuthFailed,
                "the token is of another user or of another session",
            ));
        }
        Ok(new)
    }
}
