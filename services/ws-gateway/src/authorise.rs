//! Who may open a socket.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::Claims;
use identity::TokenError;
use serde::Serialize;
use serde_json::{Map, Value};
use strum::{EnumIter, IntoStaticStr};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, EnumIter, IntoStaticStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", const_into_str)]
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
    /// The claims of a token. One that is not ours counts as a failed attempt of its address; one that is
    /// missing, expired or of an ended session is refused, but nobody guesses with it.
    pub async fn authorise(&self, peer: &Peer, token: Option<&str>) -> Result<Claims, Refusal> {
        let refusal = match token.map(|token| self.platform.verifier.verify(token)) {
            Some(Ok(claims)) => return Ok(claims),
            Some(Err(error)) => error.into(),
            None => Refusal::new(RefusalCode::MissingToken, "send an access token"),
        };
        let (limiter, key) = (&self.platform.limiter, failures_of(peer));
        let earlier = match refusal.code {
            RefusalCode::InvalidToken => limiter.count(&key, FAILURE_WINDOW).await.saturating_sub(1),
            _ => limiter.counted(&key).await,
        };
        let refusal = if earlier < MAX_FAILURES { refusal } else { shut_out() };
        self.note_refusal(peer, refusal.code);
        Err(refusal)
    }

    /// Refuses whoever comes from an address that tried too many tokens which are not ours.
    pub async fn check_address(&self, peer: &Peer) -> Result<(), Refusal> {
        if self.platform.limiter.counted(&failures_of(peer)).await < MAX_FAILURES {
            return Ok(());
        }
        self.note_refusal(peer, RefusalCode::RateLimited);
        Err(shut_out())
    }

    fn note_refusal(&self, peer: &Peer, code: RefusalCode) {
        self.metrics.auth_failed(code.into_str());
        let ip = peer.ip.map(|ip| ip.to_string());
        if code == RefusalCode::RateLimited {
            tracing::warn!(security = true, ip, "authentication refused: too many failed attempts");
        } else {
            tracing::info!(ip, code = code.into_str(), "authentication refused");
        }
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

fn failures_of(peer: &Peer) -> String {
    format!("ws:failures:{}", peer.network())
}

fn shut_out() -> Refusal {
    let message = "too many failed attempts from your address: try again later";
    Refusal::new(RefusalCode::RateLimited, message)
}
