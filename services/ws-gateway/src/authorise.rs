//! Who may open a socket.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::auth::EndReason;
use contracts::{Claims, Sampler};
use identity::{LEEWAY, TokenError};
use serde::Serialize;
use serde_json::{Map, Value};
use strum::{EnumCount, EnumIter, IntoStaticStr};

use crate::gateway::Gateway;
use crate::hub::Form;

/// Number of tokens that an address may try without the signature of any of our keys.
const MAX_FAILURES: u64 = 5;
const FAILURE_WINDOW: Duration = Duration::from_secs(15 * 60);
const SHORTEST_LIFE: TimeDelta = TimeDelta::seconds(1);

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, EnumCount, EnumIter, IntoStaticStr)]
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
    /// Why its session ended, if it did.
    pub ended: Option<EndReason>,
}

impl Refusal {
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), expired_at: None, ended: None }
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
        let (code, expired_at, ended) = match error {
            TokenError::Expired { at } => (RefusalCode::TokenExpired, Some(at), None),
            TokenError::Invalid => (RefusalCode::InvalidToken, None, None),
            TokenError::Revoked { reason } => (RefusalCode::AuthFailed, None, Some(reason)),
        };
        Self { code, message: error.to_string(), expired_at, ended }
    }
}

impl Gateway {
    /// Returns the claims of a token. A verified token passes, also if its address is shut out. A token that
    /// none of our keys signed counts as a guess of its address; other refusals do not count.
    pub async fn authorise(&self, peer: &Peer, token: Option<&str>) -> Result<Claims, Refusal> {
        let verifier = &self.platform.verifier;
        let refusal = match token.map(|token| verifier.verify(token)) {
            Some(Ok(claims)) => match self.about_to_expire(&claims) {
                None => return Ok(claims),
                Some(expired) => expired.into(),
            },
            Some(Err(error)) => error.into(),
            None => Refusal::new(RefusalCode::MissingToken, "send an access token"),
        };
        let (limiter, key) = (&self.platform.limiter, failures_of(peer));
        let is_guess = refusal.code == RefusalCode::InvalidToken
            && !token.is_some_and(|token| verifier.is_signed_by_us(token));
        let earlier = match is_guess {
            true => limiter.count(&key, FAILURE_WINDOW).await.saturating_sub(1),
            false => limiter.counted(&key).await,
        };
        let refusal = if earlier < MAX_FAILURES { refusal } else { shut_out() };
        self.note_refusal(peer, refusal.code);
        Err(refusal)
    }

    /// A socket that could not live a second is not let in: its client would come back at once.
    fn about_to_expire(&self, claims: &Claims) -> Option<TokenError> {
        let at = DateTime::from_timestamp(claims.exp, 0)?;
        (self.clock().now() + SHORTEST_LIFE > at + LEEWAY).then_some(TokenError::Expired { at })
    }

    /// Counts every refusal and logs samples: strangers decide how often this happens.
    fn note_refusal(&self, peer: &Peer, code: RefusalCode) {
        static LINES: [Sampler; RefusalCode::COUNT] = [const { Sampler::new() }; RefusalCode::COUNT];
        self.metrics.auth_failed(code.into_str());
        let Some(left_out) = LINES[code as usize].admit() else { return };
        let ip = peer.ip.map(|ip| ip.to_string());
        if code == RefusalCode::RateLimited {
            tracing::warn!(security = true, ip, left_out, "refused authentication: too many failed attempts");
        } else {
            tracing::info!(ip, code = code.into_str(), left_out, "refused authentication");
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
