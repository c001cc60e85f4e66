//! The service as its clients see it, with its stores, its clock, and receivers for its messages.

use std::sync::{Arc, Mutex};

use actix_web::web::{Bytes, Data};
use actix_web::{App as Actix, HttpRequest, HttpResponse, HttpServer, web};
use backplane::Entry;
use chrono::{TimeDelta, Utc};
use clap::{CommandFactory, FromArgMatches, Parser};
use contracts::drift::{ResolvedHow, Severity, Status};
use contracts::events::drift::{DriftCreated, DriftResolved, DriftSubject, DriftUpdated};
use contracts::{Claims, Clock, Event, Holder, Role};
use http::{Http, HttpConfig, Server};
use identity::KeyConfig;
use mail::MailConfig;
use notify_service::{Settings, State, routes, run_background};
use platform::{Platform, ProcessConfig};
use serde_json::{Value, json};
use testing::{Backend, Client, Stores, eventually};
use uuid::Uuid;

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

pub(crate) fn subject(stack: &str, severity: Severity) -> DriftSubject {
    DriftSubject {
        stack: stack.into(),
        address: "aws_instance.web".into(),
        resource_id: "i-1".into(),
        resource_type: "aws_instance".into(),
        severity,
        fingerprint: format!("fingerprint of {stack}"),
    }
}

pub(crate) fn created(id: Uuid, stack: &str, severity: Severity) -> DriftCreated {
    DriftCreated {
        id,
        subject: subject(stack, severity),
        region: None,
        cost_impact_monthly: 0.0,
        detected_at: Utc::now(),
        status: Status::Detected,
        version: 1,
        account_id: None,
    }
}

pub(crate) fn updated(id: Uuid, version: i32, severity: Severity) -> DriftUpdated {
    DriftUpdated {
        id,
        subject: subject("prod", severity),
        status: Status::Detected,
        version,
        cost_impact_monthly: 0.0,
        region: None,
        account_id: None,
    }
}

pub(crate) fn resolved(id: Uuid) -> DriftResolved {
    DriftResolved {
        id,
        subject: subject("prod", Severity::Warning),
        status: Status::Resolved,
        resolved_at: Utc::now(),
        resolved_how: ResolvedHow::Auto,
        account_id: None,
    }
}

/// A request that a receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

type Answer = dyn Fn(usize, &Received) -> HttpResponse + Send + Sync;

struct Inbox {
    received: Mutex<Vec<Received>>,
    answer: Box<Answer>,
}

/// An HTTP server that receives messages, and answers as a test wants.
pub(crate) struct Receiver {
    inbox: Data<Inbox>,
    port: u16,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        Self::answering(|_, _| HttpResponse::Ok().finish())
    }

    /// The answer depends on the number of requests before, and on the request.
    pub(crate) fn answering(
        answer: impl Fn(usize, &Received) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        let inbox = Data::new(Inbox { received: Mutex::default(), answer: Box::new(answer) });
        let shared = inbox.clone();
        let server =
            HttpServer::new(move || Actix::new().app_data(shared.clone()).default_service(web::to(receive)));
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let port = server.addrs()[0].port();
        tokio::spawn(server.run());
        Self { inbox, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inbox.received.lock().unwrap().clone()
    }

    /// Waits for that many requests, and returns them.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} messages");
        eventually(&what, async || self.inbox.received.lock().unwrap().len() >= count).await;
        self.received()
    }
}

async fn receive(inbox: Data<Inbox>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let path = request.path().to_owned();
    let received = Received { path, headers, body: serde_json::from_slice(&body).unwrap_or_default() };
    let before = {
        let mut all = inbox.received.lock().unwrap();
        all.push(received.clone());
        all.len() - 1
    };
    (inbox.answer)(before, &received)
}
