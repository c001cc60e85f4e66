//! How often one network, one account and all together may fail to log in, or sign up.
//!
//! Only failures count, so that nobody's success shuts anybody out. An account is locked for the network
//! that fails to get in; its owner elsewhere, and its sessions anywhere, go on.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{join, join_all};
use sha2::{Digest, Sha256};
use web::{Limit, network};

use crate::email::Email;
use crate::error::AuthError;
use crate::state::State;

const FAILURE_WINDOW: Duration = Duration::from_secs(15 * 60);
const SIGNUP_WINDOW: Duration = Duration::from_secs(60 * 60);
const FAILURES_IN_ALL: &str = "auth:failures:all";

/// Refuses a login from a network that failed too often, before any work is spent on it.
pub async fn check_login(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let limiter = &state.platform.limiter;
    let network = failures_of_network(ip);
    let (of_network, in_all) = join(limiter.counted(&network), limiter.counted(FAILURES_IN_ALL)).await;
    let settings = &state.settings;
    if of_network >= settings.login_failures_per_ip || in_all >= settings.login_failures_total {
        tracing::warn!(%ip, "logins are refused after too many failures");
        return Err(too_many(FAILURE_WINDOW));
    }
    Ok(())
}

/// Whether the account is locked for that network. Asked after the password was compared: of many
/// guesses at once, none that is right may pass once enough were wrong.
pub async fn is_locked(state: &State, email: &Email, ip: IpAddr) -> bool {
    let failures = state.platform.limiter.counted(&failures_of_account(email, ip)).await;
    failures >= state.settings.login_failures_per_account
}

pub async fn count_failed_login(state: &State, email: &Email, ip: IpAddr) {
    let keys = [failures_of_network(ip), failures_of_account(email, ip), FAILURES_IN_ALL.into()];
    join_all(keys.iter().map(|key| state.platform.limiter.count(key, FAILURE_WINDOW))).await;
}

pub async fn admit_signup(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let limits = [
        (format!("auth:signups:{}", network(ip)), state.settings.signups_per_ip),
        ("auth:signups:all".into(), state.settings.signups_total),
    ];
    for (key, count) in limits {
        if !state.platform.limiter.admit(&key, Limit { count, window: SIGNUP_WINDOW }).await {
            return Err(too_many(SIGNUP_WINDOW));
        }
    }
    Ok(())
}

fn too_many(window: Duration) -> AuthError {
    AuthError::TooManyAttempts { retry_after_seconds: window.as_secs() }
}

fn failures_of_network(ip: IpAddr) -> String {
    format!("auth:failures:{}", network(ip))
}

/// Hashed: the counters are readable by whoever may read the backplane.
fn failures_of_account(email: &Email, ip: IpAddr) -> String {
    let account = URL_SAFE_NO_PAD.encode(Sha256::digest(email.as_str()));
    format!("auth:failures:{account}:{}", network(ip))
}
