use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use contracts::{Claims, Clock, Sampler};
use identity::{LEEWAY, TokenError, Verifier};
use platform::Limiter;
use strum::EnumCount;
use uuid::Uuid;

use super::peer::Peer;
use super::quotas::Quotas;
use crate::metrics::Metrics;
use crate::protocol::{Refusal, RefusalCode};

/// Maximum number of tokens without a signature of ours that one address may try within [`FAILURE_WINDOW`].
const MAX_FAILURES: u64 = 5;
const FAILURE_WINDOW: Duration = Duration::from_secs(15 * 60);
const SHORTEST_LIFE: TimeDelta = TimeDelta::seconds(1);
/// The window in which the messages of a client are counted.
pub(crate) const MESSAGE_WINDOW: Duration = Duration::from_secs(1);

/// Decides who may open a socket and send messages: by token, by rate and by quota.
pub(crate) struct Admission {
    pub verifier: Verifier,
    pub limiter: Limiter,
    pub quotas: Quotas,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub messages_per_second: u64,
}

impl Admission {
    /// Returns the claims of a token. A valid token is accepted even from an address with too many failures, unless
    /// its socket would close within a second. Only a token that none of our keys signed counts as a failure of its
    /// address.
    pub(crate) async fn authorize(&self, peer: &Peer, token: Option<&str>) -> Result<Claims, Refusal> {
        let refusal = match token.map(|token| self.verifier.verify(token)) {
            Some(Ok(claims)) => match self.about_to_expire(&claims) {
                None => return Ok(claims),
                Some(expired) => expired.into(),
            },
            Some(Err(error)) => error.into(),
            None => Refusal::new(RefusalCode::MissingToken, "send an access token"),
        };
        let key = failures_key(peer);
        let is_guess = refusal.code == RefusalCode::InvalidToken
            && !token.is_some_and(|token| self.verifier.is_signed_by_us(token));
        let earlier = if is_guess {
            self.limiter.count(&key, FAILURE_WINDOW).await.saturating_sub(1)
        } else {
            self.limiter.counted(&key).await
        };
        let refusal = if earlier < MAX_FAILURES { refusal } else { shut_out() };
        self.report(peer, refusal.code);
        Err(refusal)
    }

    /// Returns the claims of a token that replaces another one of the same user and session; refuses any other token.
    pub(crate) async fn reauthorize(
        &self,
        peer: &Peer,
        user: &str,
        session: Option<Uuid>,
        token: &str,
    ) -> Result<Claims, Refusal> {
        let new = self.authorize(peer, Some(token).filter(|token| !token.is_empty())).await?;
        if new.user_id != user || new.sid != session {
            let message = "the token is of another user or of another session";
            return Err(Refusal::new(RefusalCode::AuthFailed, message));
        }
        Ok(new)
    }

    /// Counts a message of a user, over all sockets and replicas. Returns false if it is over the limit.
    pub(crate) async fn count_message(&self, user: &str) -> bool {
        let key = format!("ws:messages:{user}");
        self.limiter.count(&key, MESSAGE_WINDOW).await <= self.messages_per_second
    }

    /// Returns an error for a token whose socket would close within a second, since its client would reconnect at
    /// once.
    fn about_to_expire(&self, claims: &Claims) -> Option<TokenError> {
        let at = DateTime::from_timestamp(claims.exp, 0)?;
        (self.clock.now() + SHORTEST_LIFE > at + LEEWAY).then_some(TokenError::Expired { at })
    }

    /// Counts every refusal, but logs only samples, because strangers can cause any number of refusals.
    fn report(&self, peer: &Peer, code: RefusalCode) {
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
}

fn failures_key(peer: &Peer) -> String {
    format!("ws:failures:{}", peer.network())
}

fn shut_out() -> Refusal {
    let message = "too many failed attempts from your address: try again later";
    Refusal::new(RefusalCode::RateLimited, message)
}
