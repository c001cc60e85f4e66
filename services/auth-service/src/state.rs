use std::sync::Arc;

use database::Database;
use identity::Seal;
use platform::{Platform, Turns};
use tokio::sync::{Notify, Semaphore};

use crate::link::token::LinkTokens;
use crate::mail_queue::mailer::Mailer;
use crate::metrics::Metrics;
use crate::password::PasswordHasher;
use crate::settings::Settings;
use crate::token::refresh_token::RefreshTokens;

/// The state that all handlers and background tasks of this service share. Cheap to clone.
#[derive(Clone)]
pub struct State {
    pub platform: Platform,
    pub database: Database,
    pub settings: Arc<Settings>,
    pub passwords: PasswordHasher,
    pub refresh_tokens: RefreshTokens,
    /// Issues and reads the links in mails.
    pub links: LinkTokens,
    pub mailer: Mailer,
    /// Notified when a mail was requested in this process.
    pub mail_is_due: Arc<Notify>,
    /// Encrypts the private keys in the database.
    pub key_seal: Seal,
    pub metrics: Metrics,
    /// Turns at changing a user: see [`crate::user::locked_user`].
    pub turns: Turns,
    /// See [`crate::refusals`].
    pub refusals: Arc<Semaphore>,
}
