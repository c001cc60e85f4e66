use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::TimeDelta;
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use identity::{check_secret, parse_duration};
use platform::{Environment, ProcessConfig};

use crate::challenge::AbuseProtection;
use crate::limit_settings::LimitSettings;
use crate::password::{Blocklist, Password, PasswordPolicy, TooWeak};
use crate::people_settings::PeopleSettings;
use crate::signing_key::schedule::Schedule;
use crate::token::rotation::RotationPolicy;
use crate::user::email::Email;

const MIN_STRICT_BCRYPT_COST: u32 = 10;
const SHORTEST_STRICT_ROTATION: Duration = Duration::from_secs(60 * 60);

/// The ways to deliver a refresh token to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Delivery {
    /// In the body and as a cookie; a request may ask for one of the two.
    Both,
    Body,
    Cookie,
}

/// The settings that only auth-service has.
#[derive(Args, Clone)]
#[group(id = "auth-service")]
pub struct Settings {
    /// Secret that refresh tokens are derived from; at least 32 bytes outside development
    #[arg(long, env = "JWT_REFRESH_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub jwt_refresh_secret: Option<String>,

    /// Second secret, whose refresh tokens are accepted and renewed with the main secret; needed while
    /// JWT_REFRESH_SECRET is rotated
    #[arg(long, env = "JWT_REFRESH_SECRET_PREVIOUS", hide_env_values = true, value_name = "SECRET")]
    pub jwt_refresh_secret_previous: Option<String>,

    /// Time after which a key that auth-service created is replaced; at least 1h outside development
    #[arg(long, env = "JWT_KEY_ROTATION", default_value = "30d", value_parser = parse_duration)]
    pub jwt_key_rotation: Duration,

    /// Lifetime of refresh tokens, counted from the login; a session ends after this time or
    /// SESSION_LIFETIME_HOURS, whichever is shorter
    #[arg(long, env = "JWT_REFRESH_EXPIRY", default_value = "7d", value_parser = parse_duration)]
    pub jwt_refresh_expiry: Duration,

    /// Issue a new refresh token at each use; false keeps one per session, as the old stack did
    #[arg(long, env = "REFRESH_ROTATION", default_value_t = true, action = clap::ArgAction::Set)]
    pub refresh_rotation: bool,

    /// Seconds for which a used refresh token is still accepted
    #[arg(long, env = "REFRESH_GRACE_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=3_600))]
    pub refresh_grace_seconds: u32,

    /// Delivery of refresh tokens
    #[arg(long, env = "REFRESH_TOKEN_DELIVERY", value_enum, default_value = "both")]
    pub refresh_token_delivery: Delivery,

    /// Minutes without activity after which a session ends
    #[arg(long, env = "SESSION_TIMEOUT_MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=525_600))]
    pub session_timeout_minutes: u32,

    /// Hours after the login at which a session ends; JWT_REFRESH_EXPIRY counts instead if it is shorter
    #[arg(long, env = "SESSION_LIFETIME_HOURS", default_value_t = 168, value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub session_lifetime_hours: u32,

    /// Maximum number of sessions per user; a further login evicts the least recently active one
    #[arg(long, env = "MAX_SESSIONS_PER_USER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub max_sessions_per_user: u32,

    /// Days for which ended sessions, expired service tokens, and audit rows of refreshes and failed logins are
    /// kept
    #[arg(long, env = "SESSION_RETENTION_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub session_retention_days: u32,

    /// Minimum number of seconds between two writes of a session's last activity
    #[arg(long, env = "ACTIVITY_INTERVAL_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub activity_interval_seconds: u32,

    /// Interval between sweeps for expired sessions, more than 0
    #[arg(long, env = "SESSION_SWEEP_INTERVAL", default_value = "20s", value_parser = parse_duration)]
    pub session_sweep_interval: Duration,

    /// Cost of new password hashes, as a power of two
    #[arg(long, env = "BCRYPT_COST", default_value_t = 10, value_parser = clap::value_parser!(u32).range(4..=20))]
    pub bcrypt_cost: u32,

    /// Maximum number of passwords that wait to be hashed; beyond that, requests of the most crowded network
    /// get 503
    #[arg(long, env = "PASSWORD_QUEUE", default_value_t = 64, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub password_queue: usize,

    /// Requirements for new passwords besides their length
    #[arg(long, env = "PASSWORD_POLICY", value_enum, default_value = "length")]
    pub password_policy: PasswordPolicy,

    /// List of breached passwords that PASSWORD_POLICY=strong refuses; built with `driftsentry passwords build`
    #[arg(long, env = "PASSWORD_BLOCKLIST", value_name = "FILE")]
    pub password_blocklist: Option<PathBuf>,

    /// The open file, once the service runs.
    #[arg(skip)]
    pub opened_blocklist: Option<Blocklist>,

    /// Measures against automated requests, besides the limits
    #[arg(long, env = "ABUSE_PROTECTION", value_enum, default_value = "off")]
    pub abuse_protection: AbuseProtection,

    /// Create the demo users; allowed in development only, where it is the default
    #[arg(long, env = "DEMO_USERS")]
    pub demo_users: Option<bool>,

    #[command(flatten)]
    pub people: PeopleSettings,

    #[command(flatten)]
    pub limits: LimitSettings,
}

impl Settings {
    /// Refuses settings that are not allowed outside development. Error messages name the variable, never its
    /// value.
    pub fn check(&self, process: &ProcessConfig) -> Result<()> {
        let secret = self.jwt_refresh_secret.as_deref().unwrap_or_default();
        ensure!(!secret.is_empty(), "JWT_REFRESH_SECRET is missing: set it to at least 32 random bytes");
        self.people.check(process)?;
        if process.is_strict() {
            check_secret("JWT_REFRESH_SECRET", secret)?;
            if let Some(previous) = self.previous_refresh_secret() {
                check_secret("JWT_REFRESH_SECRET_PREVIOUS", previous)?;
            }
            ensure!(
                self.jwt_key_rotation >= SHORTEST_STRICT_ROTATION,
                "JWT_KEY_ROTATION must be at least 1h outside development"
            );
            ensure!(
                self.bcrypt_cost >= MIN_STRICT_BCRYPT_COST,
                "BCRYPT_COST must be at least {MIN_STRICT_BCRYPT_COST} outside development"
            );
            ensure!(
                self.demo_users != Some(true),
                "DEMO_USERS must not be set outside development; create the first admin with create-admin"
            );
        }
        Ok(())
    }

    /// Opens `PASSWORD_BLOCKLIST`.
    pub fn open_blocklist(&mut self) -> Result<()> {
        let Some(file) = &self.password_blocklist else { return Ok(()) };
        ensure!(
            self.password_policy == PasswordPolicy::Strong,
            "PASSWORD_BLOCKLIST needs PASSWORD_POLICY=strong, the policy that reads it"
        );
        self.opened_blocklist = Some(Blocklist::open(file).context("PASSWORD_BLOCKLIST")?);
        Ok(())
    }

    pub fn previous_refresh_secret(&self) -> Option<&str> {
        self.jwt_refresh_secret_previous.as_deref().filter(|secret| !secret.is_empty())
    }

    pub fn makes_demo_users(&self, process: &ProcessConfig) -> bool {
        !process.is_strict() && self.demo_users.unwrap_or(process.environment == Environment::Development)
    }

    pub fn key_schedule(&self) -> Schedule {
        Schedule { rotation: TimeDelta::from_std(self.jwt_key_rotation).unwrap_or(TimeDelta::MAX) }
    }

    pub fn idle_timeout(&self) -> TimeDelta {
        TimeDelta::minutes(self.session_timeout_minutes.into())
    }

    /// The time from the login to the latest end of the session.
    pub fn session_lifetime(&self) -> TimeDelta {
        let refresh_expiry = TimeDelta::from_std(self.jwt_refresh_expiry).unwrap_or(TimeDelta::MAX);
        TimeDelta::hours(self.session_lifetime_hours.into()).min(refresh_expiry)
    }

    pub fn activity_interval(&self) -> TimeDelta {
        TimeDelta::seconds(self.activity_interval_seconds.into())
    }

    pub fn retention(&self) -> TimeDelta {
        TimeDelta::days(self.session_retention_days.into())
    }

    /// Checks a new password of a user.
    pub fn check_strength(&self, password: &Password, name: &str, email: &Email) -> Result<(), TooWeak> {
        let context = [name, email.as_str(), "driftsentry"];
        self.password_policy.check(password, &context, self.opened_blocklist.as_ref())
    }

    pub fn rotation(&self) -> RotationPolicy {
        RotationPolicy {
            rotate: self.refresh_rotation,
            grace: TimeDelta::seconds(self.refresh_grace_seconds.into()),
        }
    }
}
