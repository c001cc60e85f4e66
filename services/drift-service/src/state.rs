use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use outbox::Database;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use web::{Platform, Status, check_plaintext};

use crate::config::Settings;
use crate::fingerprint::StateKey;
use crate::migration::Migrator;
use crate::rules::Rules;

const CLEAN_INTERVAL: Duration = Duration::from_secs(3_600);
const DEVELOPMENT_KEY: &str = "only for development";

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct State {
    pub(crate) database: Database,
    pub platform: Platform,
    pub(crate) settings: Settings,
    pub(crate) rules: Arc<Rules>,
    pub(crate) state_key: StateKey,
    pub(crate) ingest_turn: Arc<Semaphore>,
}

impl State {
    /// Connects and migrates the database and reads the rules.
    ///
    /// # Errors
    /// If a setting is missing or of no use (the message names the variable), or the database is away.
    pub async fn connect(platform: Platform, database_url: &str, settings: Settings) -> Result<Self> {
        let rules = match &settings.drift_rules {
            Some(file) => Rules::read(file).with_context(|| format!("DRIFT_RULES {}", file.display()))?,
            None => Rules::default(),
        };
        let key = match &settings.drift_hash_secret {
            Some(key) => {
                if platform.http.is_strict() {
                    identity::check_secret("DRIFT_HASH_SECRET", key)?;
                }
                key
            }
            None if platform.http.is_strict() => {
                anyhow::bail!("DRIFT_HASH_SECRET is missing: set it to at least 32 random bytes")
            }
            None => DEVELOPMENT_KEY,
        };
        check_plaintext("DATABASE_URL", database_url, &platform.http)?;
        let database =
            Database::connect::<Migrator>(database_url, platform.backplane.clone(), platform.clock.clone())
                .await
                .context("DATABASE_URL cannot be used")?;
        watch_database(&platform, &database);
        Ok(Self {
            rules: Arc::new(rules),
            state_key: StateKey::new(key.as_bytes()),
            ingest_turn: Arc::new(Semaphore::new(1)),
            platform,
            database,
            settings,
        })
    }
}

fn watch_database(platform: &Platform, database: &Database) {
    let database = database.clone();
    platform.health.register("drift-database", move || {
        let database = database.clone();
        async move {
            match database.ping().await {
                Ok(()) => Status::Up,
                Err(_) => Status::Down("the database does not answer".into()),
            }
        }
    });
}

/// Publishes events and forgets old `Idempotency-Key`s until `stop`.
///
/// # Errors
/// If the metrics of this service are registered already.
pub async fn run_background(state: State, stop: CancellationToken) -> Result<()> {
    let relay = state.database.run_relay(&state.platform.metrics, "drift-service", stop.clone());
    let (relayed, ()) = tokio::join!(relay, clean(&state, stop));
    relayed
}

async fn clean(state: &State, stop: CancellationToken) {
    let mut interval = tokio::time::interval(CLEAN_INTERVAL);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = crate::answered_request::clean(&*state.database, state.platform.clock.now()).await
        {
            tracing::warn!(%error, "old idempotency keys stay for now");
        }
    }
}
