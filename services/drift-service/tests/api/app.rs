//! The service as its clients see it, with its stores, its clock and its published events.

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

use backplane::FeedItem;
use chrono::TimeDelta;
use clap::{CommandFactory, FromArgMatches, Parser};
use contracts::{Claims, Clock, Holder, Role};
use drift_service::{Settings, State, routes, run_background};
use http::{Http, HttpConfig, Server};
use identity::KeyConfig;
use platform::{Platform, ProcessConfig};
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, Method, Stores, eventually};
use uuid::Uuid;

use crate::logs;

/// Texts that the secrets of the samples contain. Each secret contains one of them.
pub(crate) const SECRETS: &str = include_str!("../../../../tests/samples/secrets.txt");

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    process: ProcessConfig,
    #[command(flatten)]
    http: HttpConfig,
    #[command(flatten)]
    keys: KeyConfig,
    #[command(flatten)]
    settings: Settings,
}

pub(crate) const SECRET: &str = "an access secret of the tests";

const ARGUMENTS: &[&str] =
    &["drift-service", "--host=127.0.0.1", "--workers=2", "--jwt-access-secret", SECRET];

pub(crate) struct App {
    pub anonymous: Client,
    pub platform: Platform,
    pub database_url: String,
    events: Arc<Mutex<Vec<Value>>>,
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
        let clock = self.platform.clock().clone();
        Self::on(self.stores.clone(), self.database_url.clone(), &[], clock).await
    }

    /// Starts the service again on the same stores, with these arguments.
    pub(crate) async fn restarted(&self, arguments: &[&str]) -> Self {
        let clock = self.platform.clock().clone();
        Self::on(self.stores.clone(), self.database_url.clone(), arguments, clock).await
    }

    /// Returns the number of rows in a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        use sea_orm::{ConnectionTrait, Database, Statement};

        let db = Database::connect(&self.database_url).await.unwrap();
        let count =
            Statement::from_string(db.get_database_backend(), format!("SELECT count(*) AS n FROM {table}"));
        db.query_one_raw(count).await.unwrap().unwrap().try_get("", "n").unwrap()
    }

    async fn on(stores: Arc<Stores>, database_url: String, arguments: &[&str], clock: Clock) -> Self {
        logs::capture();
        let arguments = ARGUMENTS.iter().chain(arguments);
        let matches = Cli::command().args_override_self(true).get_matches_from(arguments);
        let Cli { process, http, keys, settings } = Cli::from_arg_matches(&matches).unwrap();
        let redis_url = stores.redis_url();
        let platform = Platform::connect("drift-service", process, &keys, &redis_url, vec![], clock).unwrap();
        platform.tokens().revocations.synced().await;
        testing::eventually("the backplane is connected", async || platform.backplane().is_connected()).await;
        let http = Http::new(http, &platform).unwrap();
        let state = State::connect(platform.clone(), &database_url, settings).await.unwrap();
        let events = record_events(&platform).await;
        platform.spawn("drift-service", run_background(state.clone(), platform.lifecycle().served.clone()));
        let server = Server::bind(platform.clone(), http, 0, routes(state)).unwrap();
        let anonymous = Client::new(format!("http://{}", server.address()));
        tokio::task::spawn_local(server.run());
        Self { anonymous, platform, database_url, events, stores }
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.platform.clock().advance(by);
    }

    pub(crate) fn viewer(&self) -> Client {
        self.caller(Role::Viewer)
    }

    pub(crate) fn engineer(&self) -> Client {
        self.caller(Role::Engineer)
    }

    pub(crate) fn admin(&self) -> Client {
        self.caller(Role::Admin)
    }

    pub(crate) fn caller(&self, role: Role) -> Client {
        self.anonymous.with_token(&self.token(role, 900))
    }

    /// Returns a caller whose token outlives every change of the clock, and their id.
    pub(crate) fn lasting(&self, role: Role) -> (Client, String) {
        let token = self.token(role, 86_400 * 3_650);
        let user_id = self.platform.tokens().verifier.verify(&token).unwrap().user_id;
        (self.anonymous.with_token(&token), user_id)
    }

    /// Returns a token that expires that many seconds from now.
    pub(crate) fn token(&self, role: Role, seconds: i64) -> String {
        let now = self.platform.clock().now();
        let holder = Holder {
            subject: Uuid::new_v4().to_string(),
            email: format!("{role}@example.com"),
            role,
            account_id: None,
            generation: 1,
            session: Uuid::new_v4(),
        };
        let claims = Claims::access(holder, now, now + chrono::TimeDelta::seconds(seconds));
        self.platform.tokens().keys.sign(&claims).unwrap()
    }

    /// Waits until `count` events of a type are published, then asserts that there are no more.
    pub(crate) async fn expect_events(&self, event_type: &str, count: usize) -> Vec<Value> {
        self.stores.assert_all_events_are_heard();
        let what = format!("{count} × {event_type}");
        eventually(&what, async || self.events_of(event_type).len() >= count).await;
        // Events that were published before the flush have then arrived.
        self.flush().await;
        let events = self.events_of(event_type);
        assert_eq!(events.len(), count, "{event_type}");
        events
    }

    /// Creates an alert and waits for its event, which arrives after all earlier events.
    async fn flush(&self) {
        let before = self.events_of("alert:created").len();
        let body = json!({"type": "approval_needed", "severity": "info", "title": FLUSH, "message": FLUSH});
        self.engineer().post("/api/v1/alerts", &body).await.data();
        eventually("the last event", async || self.heard("alert:created").len() > before).await;
        eventually("the flush", async || {
            self.heard("alert:created").iter().any(|event| event["payload"]["title"] == FLUSH)
        })
        .await;
    }

    pub(crate) fn events_of(&self, event_type: &str) -> Vec<Value> {
        let mut events = self.heard(event_type);
        events.retain(|event| event["payload"]["title"] != FLUSH);
        events
    }

    fn heard(&self, event_type: &str) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| event["type"] == event_type).cloned().collect()
    }

    /// Returns all published events as text.
    pub(crate) fn published(&self) -> String {
        json!(*self.events.lock().unwrap()).to_string()
    }

    pub(crate) async fn ingest(&self, sample_name: &str, query: &str) -> Answer {
        let engineer = self.engineer();
        upload(&engineer, query, sample(sample_name)).await
    }

    /// Returns all drifts as the caller sees them.
    pub(crate) async fn drifts(&self, caller: &Client) -> Vec<Value> {
        walk(caller, "/api/v1/drifts?limit=100").await
    }
}

const FLUSH: &str = "flush";

pub(crate) async fn upload(caller: &Client, query: &str, body: Vec<u8>) -> Answer {
    let request = caller
        .request(Method::POST, &format!("/api/v1/drifts/ingest?{query}"))
        .header("content-type", "application/json")
        .body(body);
    caller.send(request).await
}

/// Returns the rows of all pages of a list.
pub(crate) async fn walk(caller: &Client, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = path.to_owned();
    loop {
        let answer = caller.get(&next).await;
        let page = answer.expect(testing::StatusCode::OK);
        rows.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["page"]["nextCursor"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return rows,
        }
    }
}

/// Returns an unpacked sample.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(packed(name).as_slice()).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// Returns a sample as it is stored.
pub(crate) fn packed(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples");
    std::fs::read(folder.join(format!("{name}.gz"))).unwrap()
}

async fn record_events(platform: &Platform) -> Arc<Mutex<Vec<Value>>> {
    let events = Arc::new(Mutex::new(Vec::new()));
    let mut feed = platform.backplane().feed();
    assert!(matches!(feed.next().await, FeedItem::Reset { .. }));
    let heard = events.clone();
    tokio::spawn(async move {
        loop {
            if let FeedItem::Message(message) = feed.next().await {
                heard.lock().unwrap().push(serde_json::to_value(&message.envelope).unwrap());
            }
        }
    });
    events
}
