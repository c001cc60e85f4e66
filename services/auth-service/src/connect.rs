//! The start of the service.

use std::sync::Arc;

use anyhow::{Result, ensure};
use database::{Database, Urls};
use identity::Seal;
use platform::{Platform, Turns, check_plaintext};

use crate::link::token::LinkTokens;
use crate::mail_queue::mailer::Mailer;
use crate::metrics::Metrics;
use crate::migration::Migrator;
use crate::password::PasswordHasher;
use crate::refusals;
use crate::settings::Settings;
use crate::signing_key::replacement;
use crate::state::State;
use crate::sweeper;
use crate::token::refresh_token::RefreshTokens;
use crate::user::demo::create_demo_users;
use crate::user::locked_user::CHANGES;

impl State {
    /// Checks the settings, connects to the database and migrates it.
    pub async fn connect(
        platform: Platform,
        urls: impl Into<Urls<'_>>,
        mut settings: Settings,
    ) -> Result<Self> {
        settings.check(platform.config())?;
        settings.open_blocklist()?;
        let keys = &platform.tokens().keys;
        ensure!(
            keys.can_sign() || keys.are_issued(),
            "JWT_PUBLIC_KEY_FILES has keys that only verify: set JWT_SIGNING_KEY_FILE or JWT_ACCESS_SECRET too, or none of the three"
        );
        let (log, clock) = (Arc::clone(&platform.backplane().log), platform.clock().clone());
        let urls = urls.into();
        for (variable, url) in urls.named() {
            check_plaintext(variable, url, platform.config())?;
        }
        let database = Database::connect::<Migrator>(urls, log, clock).await?;
        let metrics = Metrics::register(platform.metrics())?;
        let (hashing, waiting) = (metrics.password_hash_seconds.clone(), metrics.passwords_waiting.clone());
        let secret = settings.jwt_refresh_secret.as_deref().unwrap_or_default();
        watch_database(&platform, &database);
        let state = Self {
            passwords: PasswordHasher::new(settings.bcrypt_cost, settings.password_queue, hashing, waiting),
            refresh_tokens: RefreshTokens::new(secret, settings.previous_refresh_secret()),
            links: LinkTokens::new(secret, settings.previous_refresh_secret()),
            mailer: Mailer::new(&settings.people.mail, platform.config().is_strict())?,
            mail_is_due: Arc::default(),
            key_seal: Seal::new("signing keys", secret, settings.previous_refresh_secret()),
            settings: Arc::new(settings),
            turns: Turns::new(CHANGES),
            refusals: refusals::room(),
            platform,
            database,
            metrics,
        };
        if !state.mailer.is_on() {
            tracing::warn!(
                "mail is off without SMTP_URL: no reset of forgotten passwords, no invitations, no verified or changed addresses, no login by mail"
            );
        }
        replacement::renew(&state).await?;
        if state.platform.tokens().keys.are_issued() {
            // Before the first login, so that every service knows the key of its token.
            sweeper::catch_up_or_log(&state).await;
        }
        // Created before the service is ready, because a client that waits for readiness may log in as a demo
        // user.
        if state.settings.makes_demo_users(state.platform.config()) {
            create_demo_users(&state).await?;
        }
        Ok(state)
    }
}

fn watch_database(platform: &Platform, database: &Database) {
    let database = database.clone();
    platform.health().require("auth-database", move || {
        let database = database.clone();
        async move { database.check_writes().await }
    });
}
