//! Limits per network and per user. They count across all replicas, or per process while the backplane is
//! unavailable. Account locks are in [`crate::login::account_locks`].
//!
//! Windows follow the clock, such as 12:15 to 12:30. A request counts for every network around the client;
//! see [`networks`]. A request that another limit refuses does not count for the networks, so that refused
//! requests cannot use up the limit of a wide network.

use std::net::IpAddr;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use uuid::Uuid;

use crate::error::AuthError;
use crate::login::account_locks::{FAMILIAR_FOR, Place};
use crate::login::attempt::Attempt;
use crate::login::known_network as login_network;
use crate::login::networks::{networks, own_network};
use crate::state::State;

const MINUTE: Duration = Duration::from_secs(60);
const QUARTER: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The divisor for the limits of unknown networks while there are too many failures, or sign-ups, in total.
const STRICTNESS: u64 = 50;
/// The counter of sign-ups for addresses that already have an account.
const CONFLICTS: &str = "signup-conflicts";
/// A user counts as new for this long after the sign-up.
const NEW_FOR: TimeDelta = TimeDelta::days(1);
/// Maximum number of changes of users and service tokens by one admin in 15 minutes.
const ADMIN_CHANGES: u64 = 1_000;
/// Maximum number of changes of one user's profile and settings in 15 minutes.
const SETTINGS_CHANGES: u64 = 100;
/// Maximum number of pages of one network that wait for a link, in requests in 15 minutes. A page sends 450.
const STATUS_REQUESTS: u64 = 50_000;
/// Maximum number of links and codes that one network may try in 15 minutes.
const LINK_USES: u64 = 1_000;
/// Maximum number of mails that one user may request in an hour.
const OWN_MAILS: u64 = 10;
/// Maximum number of invitations and reset mails of one admin in an hour.
const ADMIN_MAILS: u64 = 500;
/// Maximum number of exports of one user's data in an hour.
const EXPORTS: u64 = 10;
/// Maximum number of requests of one session in 15 minutes that end other sessions.
const SESSION_ENDS: u64 = 100;

/// Admits a login, a sign-up or a password change before any work is spent on it. Successful attempts count
/// as well, and so do attempts that a full queue sheds. Attempts that a lock of the place refuses do not
/// count, because others share the network of the client.
pub async fn admit_attempt(state: &State, attempt: &Attempt, place: &Place) -> Result<(), AuthError> {
    let (quarter, settings) = (Period::now(state, QUARTER), &state.settings.limits);
    let networks = ByNetwork::new(&quarter, "attempts", attempt.ip);
    networks.check(state, settings.logins_per_ip).await?;
    let pair = format!("attempts:{}:{}", attempt.account(), place.short());
    quarter.admit(state, &pair, settings.logins_per_account).await?;
    networks.admit(state, settings.logins_per_ip).await
}

/// Admits a login with the right password, or a password change. Strangers cannot use up this limit.
pub async fn admit_success(state: &State, user_id: Uuid) -> Result<(), AuthError> {
    let quarter = Period::now(state, QUARTER);
    quarter.admit(state, &format!("logins:{user_id}"), state.settings.limits.logins_per_account).await
}

/// The seconds for which logins from the networks of `ip` are refused because too many failed. The caller
/// exempts networks that are familiar to the account.
pub async fn refusal_of_failures(state: &State, ip: IpAddr) -> Result<Option<u64>, AuthError> {
    let (quarter, settings) = (Period::now(state, QUARTER), &state.settings.limits);
    let in_all = quarter.counted(state, "failures:all").await;
    let divisor = divisor(state, in_all >= settings.login_failures_total, ip).await?;
    let limit = (settings.login_failures_per_ip / divisor).max(1);
    let is_over = ByNetwork::new(&quarter, "failures", ip).are_over(state, limit).await;
    Ok(is_over.then_some(quarter.seconds_left))
}

/// Counts a wrong password against the networks of `ip`.
pub async fn count_failure(state: &State, ip: IpAddr) {
    let quarter = Period::now(state, QUARTER);
    ByNetwork::new(&quarter, "failures", ip).count(state).await;
    quarter.count(state, "failures:all").await;
}

/// Admits a sign-up, which is also an attempt.
pub async fn admit_signup(state: &State, attempt: &Attempt) -> Result<(), AuthError> {
    let (hour, settings, ip) = (Period::now(state, HOUR), &state.settings.limits, attempt.ip);
    let in_all = hour.counted(state, "signups:all").await;
    let divisor = divisor(state, in_all >= settings.signups_total, ip).await?;
    check_signup_conflicts(state, ip).await?;
    let (signups, limit) = (ByNetwork::new(&hour, "signups", ip), (settings.signups_per_ip / divisor).max(1));
    signups.check(state, limit).await?;
    // Counted after the checks: sign-ups that are refused above must not keep the users of a network from logging in.
    admit_attempt(state, attempt, &Place::Network(attempt.network())).await?;
    signups.admit(state, limit).await?;
    hour.count(state, "signups:all").await;
    Ok(())
}

/// Refuses a sign-up if too many of its network were for addresses that already have an account.
pub async fn check_signup_conflicts(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let (hour, limit) = (Period::now(state, HOUR), state.settings.limits.signup_conflicts_per_ip);
    ByNetwork::new(&hour, CONFLICTS, ip).check(state, limit).await
}

/// Counts a sign-up for an address that already has an account. Refuses it beyond the limit: several sign-ups
/// may have passed [`check_signup_conflicts`] before the first of them was counted here.
pub async fn admit_signup_conflict(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let (hour, limit) = (Period::now(state, HOUR), state.settings.limits.signup_conflicts_per_ip);
    ByNetwork::new(&hour, CONFLICTS, ip).admit(state, limit).await
}

/// Admits a request for a mail to an address. No limit here depends on the address: [`crate::link::prepare`]
/// limits the mails to one address without a trace in the response.
pub async fn admit_link(state: &State, attempt: &Attempt) -> Result<(), AuthError> {
    let (hour, settings, ip) = (Period::now(state, HOUR), &state.settings.limits, attempt.ip);
    let in_all = hour.counted(state, "mails:all").await;
    let divisor = divisor(state, in_all >= settings.mails_total, ip).await?;
    let (mails, limit) = (ByNetwork::new(&hour, "mails", ip), (settings.mails_per_ip / divisor).max(1));
    mails.check(state, limit).await?;
    mails.admit(state, limit).await?;
    hour.count(state, "mails:all").await;
    Ok(())
}

/// Whether another mail may be sent to an address. A network that the owner of the address logs in from counts
/// alone, so that strangers cannot use up the mails of the owner. Of the other networks, one cannot use up the
/// mails of all. Counts only mails that are sent, by a hash of the address, so that a deleted user counts on.
pub async fn admits_mail(state: &State, account: &str, network: &str, is_familiar: bool) -> bool {
    for (length, from_one, from_all) in [(HOUR, 3, 5), (24 * HOUR, 6, 20)] {
        let period = Period::now(state, length);
        let own = format!("mailed:{account}:{network}");
        let limit = if is_familiar { from_all } else { from_one };
        if period.admit(state, &own, limit).await.is_err() {
            return false;
        }
        let all = format!("mailed:{account}");
        if !is_familiar && period.admit(state, &all, from_all).await.is_err() {
            return false;
        }
    }
    true
}

/// Refuses further codes of a network that sent too many wrong ones.
pub async fn check_wrong_codes(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let (quarter, limit) = (Period::now(state, QUARTER), state.settings.limits.login_failures_per_ip);
    ByNetwork::new(&quarter, "wrong-codes", ip).check(state, limit).await
}

pub async fn count_wrong_code(state: &State, ip: IpAddr) {
    ByNetwork::new(&Period::now(state, QUARTER), "wrong-codes", ip).count(state).await;
}

/// Admits the use of a link or a code.
pub async fn admit_link_use(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let quarter = Period::now(state, QUARTER);
    let uses = ByNetwork::new(&quarter, "links", ip);
    uses.check(state, LINK_USES).await?;
    uses.admit(state, LINK_USES).await
}

/// Admits a question of a waiting page.
pub async fn admit_status(state: &State, ip: IpAddr) -> Result<(), AuthError> {
    let quarter = Period::now(state, QUARTER);
    let requests = ByNetwork::new(&quarter, "status", ip);
    requests.check(state, STATUS_REQUESTS).await?;
    requests.admit(state, STATUS_REQUESTS).await
}

/// Admits a mail that a signed-in user requests.
pub async fn admit_own_mail(state: &State, user_id: Uuid) -> Result<(), AuthError> {
    Period::now(state, HOUR).admit(state, &format!("own-mails:{user_id}"), OWN_MAILS).await
}

/// Admits a mail that an admin sends.
pub async fn admit_admin_mail(state: &State, admin: Uuid) -> Result<(), AuthError> {
    Period::now(state, HOUR).admit(state, &format!("admin-mails:{admin}"), ADMIN_MAILS).await
}

/// Admits a refresh that renews the token of a session. Repeating a renewal, as racing tabs do, has no
/// limit: it writes nothing, and a refusal could outlast the grace of the caller's token.
pub async fn admit_refresh(state: &State, session_id: Uuid, user_id: Uuid) -> Result<(), AuthError> {
    let (minute, settings) = (Period::now(state, MINUTE), &state.settings.limits);
    minute.admit(state, &format!("refreshes:{session_id}"), settings.refreshes_per_session).await?;
    minute.admit(state, &format!("refreshes:{user_id}"), settings.refreshes_per_user).await
}

/// Admits a change of a user or a service token by an admin.
pub async fn admit_admin_change(state: &State, admin: Uuid) -> Result<(), AuthError> {
    Period::now(state, QUARTER).admit(state, &format!("changes:{admin}"), ADMIN_CHANGES).await
}

/// Admits a change of the caller's profile or settings.
pub async fn admit_settings_change(state: &State, user_id: Uuid) -> Result<(), AuthError> {
    Period::now(state, QUARTER).admit(state, &format!("settings:{user_id}"), SETTINGS_CHANGES).await
}

/// Admits an export of the caller's data.
pub async fn admit_export(state: &State, user_id: Uuid) -> Result<(), AuthError> {
    Period::now(state, HOUR).admit(state, &format!("exports:{user_id}"), EXPORTS).await
}

/// Admits a request that ends other sessions of the caller. Counts by session: a thief with one session must
/// not keep its user from ending that session.
pub async fn admit_session_end(state: &State, session_id: Uuid) -> Result<(), AuthError> {
    Period::now(state, QUARTER).admit(state, &format!("ends:{session_id}"), SESSION_ENDS).await
}

/// Returns the divisor for a network's limits. Above the total, a network without a recent login gets a
/// fraction of its limits. A network with a recent login keeps its limits, so that strangers who reach the
/// total lock out no user. Logins of new users do not count, because a stranger can sign up anywhere.
async fn divisor(state: &State, is_above_total: bool, ip: IpAddr) -> Result<u64, AuthError> {
    let now = state.platform.clock().now();
    let (since, created_before) = (now - FAMILIAR_FOR, now - NEW_FOR);
    let is_strict = is_above_total
        && !login_network::is_known(&state.database, &own_network(ip), since, created_before).await?;
    Ok(if is_strict { STRICTNESS } else { 1 })
}

/// A window that follows the clock.
#[derive(Clone, Copy)]
struct Period {
    length: Duration,
    number: i64,
    seconds_left: u64,
}

impl Period {
    fn now(state: &State, length: Duration) -> Self {
        let (now, seconds) = (state.platform.clock().now().timestamp(), length.as_secs().cast_signed());
        let seconds_left = (seconds - now.rem_euclid(seconds)).unsigned_abs();
        Self { length, number: now.div_euclid(seconds), seconds_left }
    }

    /// Counts a request, and refuses it beyond `limit`.
    async fn admit(&self, state: &State, name: &str, limit: u64) -> Result<(), AuthError> {
        if self.count(state, name).await <= limit { Ok(()) } else { Err(self.refusal()) }
    }

    async fn count(&self, state: &State, name: &str) -> u64 {
        state.platform.limiter().count(&self.key(name), self.length).await
    }

    async fn counted(&self, state: &State, name: &str) -> u64 {
        state.platform.limiter().counted(&self.key(name)).await
    }

    fn key(&self, name: &str) -> String {
        format!("auth:{name}:{}", self.number)
    }

    fn refusal(&self) -> AuthError {
        AuthError::TooManyAttempts { retry_after_seconds: self.seconds_left }
    }
}

/// Counters of the networks around an address, with the weight of each.
struct ByNetwork<'a> {
    period: &'a Period,
    counters: Vec<(String, u64)>,
}

impl<'a> ByNetwork<'a> {
    fn new(period: &'a Period, name: &str, ip: IpAddr) -> Self {
        let counters = networks(ip).into_iter();
        let counters = counters.map(|network| (format!("{name}:{}", network.range), network.weight as u64));
        Self { period, counters: counters.collect() }
    }

    /// Whether a network has reached its multiple of `limit`.
    async fn are_over(&self, state: &State, limit: u64) -> bool {
        let counts = join_all(self.counters.iter().map(|(name, _)| self.period.counted(state, name))).await;
        let mut weighed = self.counters.iter().zip(counts);
        weighed.any(|((_, weight), count)| count >= limit.saturating_mul(*weight))
    }

    async fn check(&self, state: &State, limit: u64) -> Result<(), AuthError> {
        if self.are_over(state, limit).await { Err(self.period.refusal()) } else { Ok(()) }
    }

    async fn count(&self, state: &State) -> Vec<u64> {
        join_all(self.counters.iter().map(|(name, _)| self.period.count(state, name))).await
    }

    /// Counts a request, and refuses it beyond a network's multiple of `limit`.
    async fn admit(&self, state: &State, limit: u64) -> Result<(), AuthError> {
        let mut weighed = self.counters.iter().zip(self.count(state).await);
        let is_over = weighed.any(|((_, weight), count)| count > limit.saturating_mul(*weight));
        if is_over { Err(self.period.refusal()) } else { Ok(()) }
    }
}
