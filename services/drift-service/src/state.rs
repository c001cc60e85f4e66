use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use database::{Database, Urls};
use platform::{Platform, Turns, TurnsConfig, check_plaintext};
use scan::StateKey;
use scan::redact::{Redactor, Secrets};
use scan::rules::Rules;

use crate::config::Settings;
use crate::drift::deciding::Deciding;
use crate::migration::Migrator;
use crate::newest_position::Newest;
use crate::rules::{self, CurrentRules};

/// Request bodies of four callers, one each, take at most 128 MiB.
const RECEIVING: TurnsConfig = TurnsConfig {
    slots: 4,
    slots_per_caller: 1,
    waiting_per_caller: 64,
    waiting: 512,
    patience: Duration::from_secs(120),
};
const PROCESSING: TurnsConfig = TurnsConfig { slots: 1, ..RECEIVING };
/// An export is read at the pace of its client, and holds one page of drifts in memory.
const EXPORTING: TurnsConfig = TurnsConfig { slots: 8, slots_per_caller: 2, ..RECEIVING };
const DEVELOPMENT_KEY: &str = "only for development";

/// The state that all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct State {
    pub(crate) database: Database,
    pub platform: Platform,
    pub(crate) settings: Settings,
    pub(crate) rules: CurrentRules,
    pub(crate) state_key: StateKey,
    /// Turns at receiving the body of an upload into memory.
    pub(crate) receiving: Turns,
    /// Turns at reading and storing an upload.
    pub(crate) processing: Turns,
    /// Turns at exporting a list.
    pub(crate) exporting: Turns,
    pub(crate) newest: Newest,
    pub(crate) deciding: Deciding,
}

impl State {
    /// Reads the rules, connects to the database and migrates it.
    ///
    /// # Errors
    /// If a setting is missing or invalid (the message names the variable), or if the database is
    /// unavailable.
    pub async fn connect(platform: Platform, urls: impl Into<Urls<'_>>, settings: Settings) -> Result<Self> {
        let rules = match &settings.drift_rules {
            Some(file) => Rules::read(file).with_context(|| format!("DRIFT_RULES {}", file.display()))?,
            None => Rules::default(),
        };
        let key = match &settings.drift_hash_secret {
            Some(key) => {
                if platform.config().is_strict() {
                    identity::check_secret("DRIFT_HASH_SECRET", key)?;
                }
                key
            }
            None if platform.config().is_strict() => {
                anyhow::bail!("DRIFT_HASH_SECRET is missing: set it to at least 32 random bytes")
            }
            None => DEVELOPMENT_KEY,
        };
        let urls = urls.into();
        for (variable, url) in urls.named() {
            check_plaintext(variable, url, platform.config())?;
        }
        let database = Database::connect::<Migrator>(
            urls,
            Arc::clone(&platform.backplane().log),
            platform.clock().clone(),
        )
        .await?;
        watch_database(&platform, &database);
        let state_key = StateKey::new(key.as_bytes());
        let rules = CurrentRules::new(rules);
        rules::reapply(&database, &rules, &state_key, platform.clock().now())
            .await
            .context("the rules cannot be applied to the stored drifts")?;
        let settings = settings.for_environment(platform.config());
        Ok(Self {
            rules,
            state_key,
            receiving: Turns::new(RECEIVING),
            processing: Turns::new(PROCESSING),
            exporting: Turns::new(EXPORTING),
            newest: Newest::default(),
            deciding: Deciding::default(),
            platform,
            database,
            settings,
        })
    }
}

impl State {
    /// Redacts everything in a person's text that looks like a secret.
    pub(crate) fn redacted(&self, text: &str) -> String {
        Redactor::new(&Secrets::none(), &self.state_key).text(text).into_owned()
    }
}

impl State {
    /// See [`Database::restore_log`].
    ///
    /// # Errors
    /// If the database or the backplane is unavailable.
    pub async fn restore_log(&self) -> Result<()> {
        self.database.restore_log().await
    }
}

fn watch_database(platform: &Platform, database: &Database) {
    let database = database.clone();
    platform.health().require("drift-database", move || {
        let database = database.clone();
        async move { database.check_writes().await }
    });
}
