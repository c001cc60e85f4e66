//! The service as its clients see it, with its stores, its clock, and receivers for its messages.

use std::sync::Arc;

use backplane::Entry;
use chrono::TimeDelta;
use clap::{CommandFactory, FromArgMatches, Parser};
use contracts::drift::Severity;
use contracts::{Claims, Clock, Event, Holder, Role};
use http::{Http, HttpConfig, Server};
use identity::KeyConfig;
use mail::MailConfig;
use notify_service::{Settings, State, routes, run_background};
use platform::{Platform, ProcessConfig};
use serde_json::{Value, json};
use testing::{Backend, Client, Stores, eventually};
use uuid::Uuid;

use crate::events::created;
use crate::inbox::Receiver;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    process: ProcessConfig,
    #[command(flatten)]
    http: HttpConfig,
    #[command(flatten)]
    keys: KeyConfig,
    #[command(flatten)]
    mail: MailConfig,
    #[command(flatten)]
    settings: Settings,
}

const ARGUMENTS: &[&str] = &[
    "notify-service",
    "--host=127.0.0.1",
    "--workers=1",
    "--jwt-access-secret=an access secret of the tests",
    "--public-url=http://localhost:3001",
    "--allow-private-webhooks=true",
    "--notify-timeout=2s",
];

pub(crate) const DESTINATIONS: &str = "/api/v1/notifications/destinations";

pub(crate) struct App {
    pub anonymous: Client,
    pub platform: Platform,
    pub database_url: String,
    stores: Arc<Stores>,
}

impl Drop for App {
    fn drop(&mut self) {
        self.platform.lifecycle().stop.cancel();
    }
}

impl App {
    pub(crate) async fn start(backend: Backend) -> Self {
        Self::with(backend, &[]).await
    }

    pub(crate) async fn with(backend: Backend, arguments: &[&str]) -> Self {
        let stores = Arc::new(backend.start().await);
        let database_url = stores.database_url().await;
        Self::on(stores, database_url, arguments, Clock::system()).await
    }

    /// Starts another process on the same stores, with the same clock.
    pub(crate) async fn replica(&self) -> Self {
        self.replica_with(&[]).await
    }

    pub(crate) async fn replica_with(&self, arguments: &[&str]) -> Self {
        let clock = self.platform.clock().clone();
        Self::on(self.stores.clone(), self.database_url.clone(), arguments, clock).await
    }

    async fn on(stores: Arc<Stores>, database_url: String, arguments: &[&str], clock: Clock) -> Self {
        let arguments = ARGUMENTS.iter().chain(arguments);
        let matches = Cli::command().args_override_self(true).get_matches_from(arguments);
        let Cli { process, http, keys, mail, settings } = Cli::from_arg_matches(&matches).unwrap();
        let redis_url = stores.redis_url();
        let platform =
            Platform::connect("notify-service", process, &keys, &redis_url, vec![], clock).unwrap();
        platform.tokens().revocations.synced().await;
        eventually("the backplane is connected", async || platform.backplane().is_connected()).await;
        let http = Http::new(http, &platform).unwrap();
        let state = State::connect(platform.clone(), &database_url, settings, &mail).await.unwrap();
        platform.spawn("notify-service", run_background(state.clone(), platform.lifecycle().served.clone()));
        let server = Server::bind(platform.clone(), http, 0, routes(state)).unwrap();
        let anonymous = Client::new(format!("http://{}", server.address()));
        tokio::task::spawn_local(server.run());
        let app = Self { anonymous, platform, database_url, stores };
        // Events from before the first start concern nobody.
        eventually("the position is stored", async || app.count("notify_cursors").await == 1).await;
        app
    }

    /// Deletes all events of the log but the newest.
    pub(crate) fn trim_log(&self) {
        let port = self.stores.redis().address().port().to_string();
        let trim = ["-p", &port, "XTRIM", "{driftsentry}:log", "MAXLEN", "1"];
        let output = std::process::Command::new("redis-cli").args(trim).output().unwrap();
        assert_ne!(String::from_utf8_lossy(&output.stdout).trim(), "0", "{output:?}");
    }

    /// Restarts Redis without its data.
    pub(crate) fn lose_redis(&self) {
        self.stores.redis().restart_empty();
    }

    /// Returns the number of rows in a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.query(&format!("SELECT count(*) AS n FROM {table}")).await.try_get("", "n").unwrap()
    }

    /// Returns the first row.
    pub(crate) async fn query(&self, query: &str) -> sea_orm::QueryResult {
        use sea_orm::{ConnectionTrait, Database, Statement};

        let db = Database::connect(&self.database_url).await.unwrap();
        let query = Statement::from_string(db.get_database_backend(), query);
        db.query_one_raw(query).await.unwrap().unwrap()
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.platform.clock().advance(by);
    }

    pub(crate) fn admin(&self) -> Client {
        self.caller(Role::Admin)
    }

    pub(crate) fn engineer(&self) -> Client {
        self.caller(Role::Engineer)
    }

    pub(crate) fn caller(&self, role: Role) -> Client {
        let now = self.platform.clock().now();
        let holder = Holder {
            subject: Uuid::new_v4().to_string(),
            email: format!("{role}@example.com"),
            role,
            account_id: None,
            generation: 1,
            session: Uuid::new_v4(),
        };
        // Outlives every change of the clock.
        let claims = Claims::access(holder, now, now + TimeDelta::days(3_650));
        self.anonymous.with_token(&self.platform.tokens().keys.sign(&claims).unwrap())
    }

    /// Creates a destination, and returns it as the response shows it.
    pub(crate) async fn destination(&self, target: Value, more: Value) -> Value {
        let mut body = json!({"name": "Test", "target": target});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.admin().post(DESTINATIONS, &body).await;
        answer.expect(testing::StatusCode::CREATED)["data"].clone()
    }

    pub(crate) async fn webhook(&self, receiver: &Receiver, more: Value) -> Value {
        self.destination(json!({"kind": "webhook", "url": receiver.url()}), more).await
    }

    pub(crate) async fn get(&self, destination: &Value) -> Value {
        let path = format!("{DESTINATIONS}/{}", destination["id"].as_str().unwrap());
        self.engineer().get(&path).await.data()
    }

    /// Publishes events, again after an error, as a relay does.
    pub(crate) async fn publish(&self, entries: &[Entry]) {
        let log = &self.platform.backplane().log;
        eventually("the events are published", async || log.append(entries).await.is_ok()).await;
    }

    pub(crate) fn entry<E: Event>(&self, event: E) -> Entry {
        Entry::of(event, self.platform.clock()).unwrap()
    }

    /// Publishes a new drift and returns its id.
    pub(crate) async fn drift(&self, stack: &str, severity: Severity) -> Uuid {
        let id = Uuid::now_v7();
        self.publish(&[self.entry(created(id, stack, severity))]).await;
        id
    }
}

/// Connects another process to the events, which also signs tokens.
pub(crate) async fn platform_on(redis_url: &str, clock: Clock) -> Platform {
    let matches = Cli::command().args_override_self(true).get_matches_from(ARGUMENTS);
    let Cli { process, keys, .. } = Cli::from_arg_matches(&matches).unwrap();
    let platform = Platform::connect("publisher", process, &keys, redis_url, vec![], clock).unwrap();
    eventually("the backplane is connected", async || platform.backplane().is_connected()).await;
    platform
}
