use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use database::{Database, Urls};
use identity::Seal;
use mail::{MailConfig, Smtp};
use platform::{Platform, check_plaintext};
use sea_orm::ActiveValue::Set;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::config::Settings;
use crate::destination::entity::{self as destination, Model as Destination};
use crate::destination::signing::SigningSecrets;
use crate::destination::target::Target;
use crate::intake::Matchers;
use crate::metrics::Metrics;
use crate::migration::Migrator;
use crate::send::{Client, ClientConfig};
use crate::slack_app::{DriftService, link};

const DEVELOPMENT_SECRET: &str = "only for development";
const PURPOSE: &str = "destinations";

/// The state that all handlers and background tasks share. Cheap to clone.
#[derive(Clone)]
pub struct State {
    pub(crate) database: Database,
    pub platform: Platform,
    pub(crate) settings: Arc<Settings>,
    pub(crate) client: Client,
    pub(crate) smtp: Option<Arc<Smtp>>,
    /// `None` if DRIFT_SERVICE_URL is not set.
    pub(crate) drift_service: Option<DriftService>,
    /// The address of the console in links.
    pub(crate) public_url: Option<Arc<str>>,
    pub(crate) mail_domain: Arc<str>,
    pub(crate) matchers: Matchers,
    pub(crate) metrics: Metrics,
    /// Notified when deliveries may be due.
    pub(crate) dispatch: Arc<Notify>,
    /// Identifies this process in leases.
    pub(crate) process: Uuid,
    seal: Seal,
}

impl State {
    /// Connects to the database and migrates it.
    ///
    /// # Errors
    /// If a setting is missing or invalid (the message names the variable), or if the database is unavailable.
    pub async fn connect(
        platform: Platform,
        urls: impl Into<Urls<'_>>,
        settings: Settings,
        mail: &MailConfig,
    ) -> Result<Self> {
        let is_strict = platform.config().is_strict();
        let secret = match settings.notify_secret.as_deref().filter(|secret| !secret.is_empty()) {
            Some(secret) => {
                if is_strict {
                    identity::check_secret("NOTIFY_SECRET", secret)?;
                }
                secret
            }
            None if is_strict => {
                anyhow::bail!("NOTIFY_SECRET is missing: set it to at least 32 random bytes")
            }
            None => DEVELOPMENT_SECRET,
        };
        mail.check(is_strict)?;
        let smtp = if mail.is_enabled() { Some(Arc::new(Smtp::new(mail)?)) } else { None };
        let client = Client::new(ClientConfig {
            allows_private: settings.allow_private_webhooks,
            allows_plain_http: settings.allow_private_webhooks || !is_strict,
            timeout: settings.notify_timeout,
            dns_servers: settings.notify_dns_servers.clone(),
        })?;
        let drift_service = settings.drift_service_url.as_deref().filter(|url| !url.is_empty());
        let drift_service = drift_service.map(DriftService::new).transpose()?;
        let urls = urls.into();
        for (variable, url) in urls.named() {
            check_plaintext(variable, url, platform.config())?;
        }
        let log = Arc::clone(&platform.backplane().log);
        let database = Database::connect::<Migrator>(urls, log, platform.clock().clone()).await?;
        watch_database(&platform, &database);
        let seal = Seal::new(PURPOSE, secret, settings.notify_secret_previous.as_deref());
        let metrics = Metrics::register(platform.metrics())?;
        Ok(Self {
            seal,
            database,
            client,
            drift_service,
            smtp,
            public_url: mail.public_url.as_deref().map(Into::into),
            mail_domain: mail::message_id_domain(mail.public_url.as_deref().unwrap_or_default()).into(),
            matchers: Matchers::default(),
            metrics,
            dispatch: Arc::default(),
            process: Uuid::new_v4(),
            settings: Arc::new(settings),
            platform,
        })
    }

    /// Decrypts the address and the secrets of a destination.
    pub(crate) fn open_target(&self, destination: &Destination) -> Result<Target> {
        let opened = self.seal.open(&destination.id.to_string(), &destination.target);
        let opened = opened.context("cannot decrypt a destination: NOTIFY_SECRET is another one")?;
        Ok(serde_json::from_slice(&opened.content)?)
    }

    /// Decrypts the secrets that sign the requests to a webhook.
    pub(crate) fn open_signing(&self, destination: &Destination) -> Result<Option<SigningSecrets>> {
        let Some(sealed) = &destination.signing else { return Ok(None) };
        let opened = self.seal.open(&signing_id(destination.id), sealed);
        let opened = opened.context("cannot decrypt a signing secret: NOTIFY_SECRET is another one")?;
        Ok(Some(serde_json::from_slice(&opened.content)?))
    }

    /// Encrypts with the current secret what the previous one encrypted, so that it is needed no longer.
    pub(crate) async fn renew_seals(&self) -> Result<()> {
        for row in destination::all(&self.database).await? {
            let target = self.seal.open(&row.id.to_string(), &row.target);
            if !target.is_ok_and(|opened| opened.is_outdated) {
                continue;
            }
            let signing =
                self.open_signing(&row)?.map(|secrets| self.seal_signing(row.id, &secrets)).transpose()?;
            let target = self.seal_target(row.id, &self.open_target(&row)?)?;
            let change =
                destination::ActiveModel { target: Set(target), signing: Set(signing), ..Default::default() };
            // Unless a person has just changed it.
            destination::update_if(&self.database, row.id, row.version, change).await?;
        }
        for row in link::all(&self.database).await? {
            let opened = self.seal.open(&slack_token_id(row.id), &row.token);
            if let Some(opened) = opened.ok().filter(|opened| opened.is_outdated) {
                let token = self.seal.close(&slack_token_id(row.id), &opened.content)?;
                link::renew(&self.database, row.id, token).await?;
            }
        }
        Ok(())
    }

    pub(crate) fn seal_target(&self, id: Uuid, target: &Target) -> Result<String, identity::Unreadable> {
        self.seal.close(&id.to_string(), &serde_json::to_vec(target).unwrap_or_default())
    }

    pub(crate) fn seal_signing(
        &self,
        id: Uuid,
        secrets: &SigningSecrets,
    ) -> Result<String, identity::Unreadable> {
        self.seal.close(&signing_id(id), &serde_json::to_vec(secrets).unwrap_or_default())
    }
}

impl State {
    /// Decrypts the token of a person who decides in Slack.
    pub(crate) fn open_slack_token(&self, link: &link::Model) -> Result<String> {
        let opened = self.seal.open(&slack_token_id(link.id), &link.token);
        let opened = opened.context("cannot decrypt a token of a person: NOTIFY_SECRET is another one")?;
        Ok(String::from_utf8(opened.content)?)
    }

    pub(crate) fn seal_slack_token(&self, link: Uuid, token: &str) -> Result<String, identity::Unreadable> {
        self.seal.close(&slack_token_id(link), token.as_bytes())
    }
}

fn slack_token_id(link: Uuid) -> String {
    format!("{link} slack token")
}

impl Settings {
    /// The time for which a delivery is tried again.
    pub(crate) fn retry_for(&self) -> TimeDelta {
        TimeDelta::from_std(self.notify_retry_for).unwrap_or(TimeDelta::days(1))
    }
}

/// The two sealed texts of a destination cannot be exchanged.
fn signing_id(destination: Uuid) -> String {
    format!("{destination} signing")
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
    platform.health().require("notify-database", move || {
        let database = database.clone();
        async move { database.check_writes().await }
    });
}
