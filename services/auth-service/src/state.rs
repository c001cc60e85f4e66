use std::sync::Arc;

use database::Database;
use platform::Platform;
use tokio::sync::Semaphore;

use crate::metrics::Metrics;
use crate::password::PasswordHasher;
use crate::settings::Settings;
use crate::token::refresh_token::RefreshTokens;
use crate::turns::Turns;

/// The state that all handlers and background tasks of this service share. Cheap to clone.
#[derive(Clone)]
pub struct State {
    pub platform: Platform,
    pub database: Database,
    pub settings: Arc<Settings>,
    pub passwords: PasswordHasher,
    pub refresh_tokens: RefreshTokens,
    pub metrics: Metrics,
    pub turns: Turns,
    /// See [`crate::refusals`].
    pub refusals: Arc<Semaphore>,
}
