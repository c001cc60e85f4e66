use std::sync::Arc;

use database::Database;
use platform::{Platform, Turns};
use tokio::sync::Semaphore;

use crate::metrics::Metrics;
use crate::password::PasswordHasher;
use crate::settings::Settings;
use crate::signing_key::seal::Seal;
use crate::token::refresh_token::RefreshTokens;

/// The state that all handlers and background tasks of this service share. Cheap to clone.
#[derive(Clone)]
pub struct State {
    pub platform: Platform,
    pub database: Database,
    pub settings: Arc<Settings>,
    pub passwords: PasswordHasher,
    pub refresh_tokens: RefreshTokens,
    /// Encrypts the private keys in the database.
    pub key_seal: Seal,
    pub metrics: Metrics,
    /// Turns at changing a user: see [`crate::user::locked_user`].
    pub turns: Turns,
    /// See [`crate::refusals`].
    pub refusals: Arc<Semaphore>,
}
