//! Account locks: after too many wrong passwords for an account, no password is accepted for a while.
//!
//! Failures are counted by the email address that was typed, whether or not it has an account. A response
//! therefore depends on the counts alone, and a lock reveals nothing about the account.
//!
//! | place | limit | window |
//! |---|---|---|
//! | a network | `LOGIN_FAILURES_PER_ACCOUNT` | 15 minutes |
//! | a network | `LOGIN_FAILURES_PER_ACCOUNT_PER_DAY` | a day |
//! | all networks | `LOGIN_FAILURES_PER_ACCOUNT_PER_DAY` | a day |
//! | a session that changes its password | the same two | 15 minutes, a day |
//!
//! A lock for all networks does not apply to familiar ones, from which the user logged in within the last
//! [`FAMILIAR_FOR`]. Strangers therefore cannot lock the owner out (NIST SP 800-63B §5.2.2).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::limit_settings::LimitSettings;
use crate::login::attempt::{Attempt, account};
use crate::login::{failure as login_failure, known_network as login_network};
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;

/// A network stays familiar for this long after a login.
pub const FAMILIAR_FOR: TimeDelta = TimeDelta::days(30);

const SHORT: TimeDelta = TimeDelta::minutes(15);
const DAY: TimeDelta = TimeDelta::days(1);
/// The name of the place that stands for all networks. Also the prefix of the names of the other one-day
/// windows.
const EVERYWHERE: &str = "day";
/// Stands in for the account in attempts that a lock or a limit refuses even with the right password. They
/// cost the same work as others, but share a few rows.
const NO_ACCOUNT: &str = "";

/// The place at which failures of an account are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Logins from a network.
    Network(String),
    /// Password changes in a session.
    Session(Uuid),
}

impl Place {
    /// Returns the name of this place in counters.
    pub fn short(&self) -> String {
        match self {
            Self::Network(network) => format!("network:{network}"),
            Self::Session(id) => format!("session:{id}"),
        }
    }

    fn day(&self) -> String {
        format!("{EVERYWHERE}-{}", self.short())
    }

    /// Returns the names and windows under which a failure at this place is counted.
    fn windows(&self) -> Vec<(String, TimeDelta)> {
        let mut windows = vec![(self.short(), SHORT), (self.day(), DAY)];
        if matches!(self, Self::Network(_)) {
            windows.push((EVERYWHERE.into(), DAY));
        }
        windows
    }
}

/// The locks that apply to an attempt, with the remaining seconds of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// Applies to every client at the place.
    pub here: Option<u64>,
    /// Applies to networks that are not familiar.
    pub everywhere: Option<u64>,
}

impl Locks {
    /// The remaining seconds of the longer lock.
    pub fn longest(self) -> Option<u64> {
        self.here.max(self.everywhere)
    }
}

/// Reads the locks of an account at a place.
pub async fn read(state: &State, account: &str, place: &Place) -> Result<Locks, DbErr> {
    let places = place.windows().into_iter().map(|(name, _)| name).collect();
    let now = state.platform.clock().now();
    let windows = login_failure::open_at(&state.database, account, places, now).await?;
    let mut locks = Locks::default();
    for window in windows.into_iter().filter(|window| is_locked(&state.settings.limits, window)) {
        let lock = if window.place == EVERYWHERE { &mut locks.everywhere } else { &mut locks.here };
        // Rounded up, so that a client that waits this long is not refused for a fraction of a second more.
        *lock = (*lock).max(Some((window.ends_at - now).num_seconds().unsigned_abs() + 1));
    }
    Ok(locks)
}

/// Whether the user has logged in from the attempt's network lately. Costs the same without a user.
pub async fn is_familiar(state: &State, attempt: &Attempt, user_id: Option<Uuid>) -> Result<bool, DbErr> {
    let since = state.platform.clock().now() - FAMILIAR_FOR;
    let user_id = user_id.unwrap_or(Uuid::nil());
    login_network::is_familiar(&state.database, user_id, &attempt.network(), since).await
}

/// Counts a wrong password. Returns the locks that start with this failure. An attempt without `had_chance`
/// was refused whatever its password: it costs the same work but counts for no account.
pub async fn count_failure(
    db: &impl ConnectionTrait,
    state: &State,
    account: &str,
    place: &Place,
    had_chance: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Scope>, DbErr> {
    let account = if had_chance { account } else { NO_ACCOUNT };
    let rows = place.windows().into_iter().enumerate();
    let rows = rows.map(|(nth, (name, window))| login_failure::ActiveModel {
        account: Set(account.into()),
        place: Set(if had_chance { name } else { nth.to_string() }),
        failures: Set(1),
        ends_at: Set(now + window),
    });
    let mut counted = login_failure::count(db, rows.collect(), now).await?;
    let limits = &state.settings.limits;
    counted.retain(|window| had_chance && window.failures == limit_of(limits, window));
    Ok(counted.iter().map(Scope::of).collect())
}

/// A lock as admins see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub user_id: Uuid,
    pub scope: Scope,
    pub ends_at: DateTime<Utc>,
}

/// The scope of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Network(String),
    UnfamiliarNetworks,
    PasswordChange,
}

impl Scope {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Network(_) => "network",
            Self::UnfamiliarNetworks => "unfamiliar_networks",
            Self::PasswordChange => "password_change",
        }
    }

    fn of(window: &login_failure::Model) -> Self {
        match window.place.trim_start_matches("day-").split_once(':') {
            Some(("network", network)) => Self::Network(network.into()),
            Some(_) => Self::PasswordChange,
            None => Self::UnfamiliarNetworks,
        }
    }
}

/// Returns the locks of these users. Includes locks from before a user's sign-up.
pub async fn of_users(
    db: &impl ConnectionTrait,
    state: &State,
    users: &[user::Model],
) -> Result<Vec<Lock>, DbErr> {
    let of_account = |user: &user::Model| Some((account(&Email::parse(&user.email).ok()?), user.id));
    let users = users.iter().filter_map(of_account).collect::<HashMap<_, _>>();
    let accounts = users.keys().cloned().collect();
    let windows = login_failure::open_of(db, accounts, state.platform.clock().now()).await?;
    let locked = windows.into_iter().filter(|window| is_locked(&state.settings.limits, window));
    let locks = locked.filter_map(|window| {
        let user_id = *users.get(&window.account)?;
        Some(Lock { user_id, scope: Scope::of(&window), ends_at: window.ends_at })
    });
    Ok(locks.collect())
}

fn is_locked(limits: &LimitSettings, window: &login_failure::Model) -> bool {
    window.failures >= limit_of(limits, window)
}

fn limit_of(limits: &LimitSettings, window: &login_failure::Model) -> i64 {
    let limit = if window.place.starts_with(EVERYWHERE) {
        limits.login_failures_per_account_per_day
    } else {
        limits.login_failures_per_account
    };
    i64::try_from(limit).unwrap_or(i64::MAX)
}
