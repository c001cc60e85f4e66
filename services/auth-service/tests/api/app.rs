//! The service as its clients see it, with its stores, its clock and its published events.

use std::sync::{Arc, Mutex};

use auth_service::user::locked_user::{LockedUser, NewUser};
use auth_service::{Settings, State, routes_alone, run_background};
use backplane::FeedItem;
use chrono::TimeDelta;
use clap::{CommandFactory, FromArgMatches, Parser};
use contracts::Clock;
use http::{Http, HttpConfig, Server};
use identity::KeyConfig;
use platform::{Platform, ProcessConfig};
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, StatusCode, Stores, eventually, wait_for};
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const WRONG: &str = "wrong password";
/// Lets a test choose the addresses of its clients.
pub(crate) const BEHIND_PROXY: &str = "--trusted-proxies=127.0.0.0/8";

#[derive(Parser)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub process: ProcessConfig,
    #[command(flatten)]
    pub http: HttpConfig,
    #[command(flatten)]
    pub keys: KeyConfig,
    #[command(flatten)]
    pub settings: Settings,
}

const ARGUMENTS: &[&str] = &[
    "auth-service",
    "--host=127.0.0.1",
    "--workers=2",
    "--jwt-access-secret=an access secret of the tests",
    "--jwt-refresh-secret=a refresh secret of the tests",
    "--bcrypt-cost=4",
    "--demo-users=false",
    "--session-sweep-interval=50ms",
    "--cors-origin=https://app.example.com",
];

pub(crate) struct App {
    pub client: Client,
    pub state: State,
    pub stores: Arc<Stores>,
    database_url: String,
    arguments: Vec<String>,
    events: Arc<Mutex<Vec<Value>>>,
}

/// A user who has logged in.
#[derive(Clone)]
pub(crate) struct User {
    pub client: Client,
    pub id: Uuid,
    pub email: String,
    pub session: Uuid,
    pub access: String,
    pub refresh: String,
}

impl Drop for App {
    fn drop(&mut self) {
        self.state.platform.lifecycle().stop.cancel();
    }
}

impl App {
    pub(crate) async fn start(backend: Backend) -> Self {
        Self::with(backend, &[]).await
    }

    /// Starts the service. Further arguments override the arguments of all tests.
    pub(crate) async fn with(backend: Backend, arguments: &[&str]) -> Self {
        let stores = Arc::new(backend.start().await);
        let database_url = stores.database_url().await;
        let arguments = ARGUMENTS.iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
        Self::on(stores, database_url, arguments, clock()).await
    }

    /// Starts the service on an existing database.
    pub(crate) async fn on_database(stores: Stores, database_url: String) -> Self {
        let arguments = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
        Self::on(Arc::new(stores), database_url, arguments, clock()).await
    }

    /// Starts another process on the same stores, with the same clock.
    pub(crate) async fn replica(&self) -> Self {
        self.replica_with(&[]).await
    }

    /// Starts another process on the same stores, with the same clock and further arguments.
    pub(crate) async fn replica_with(&self, arguments: &[String]) -> Self {
        let clock = self.state.platform.clock().clone();
        let arguments = [&self.arguments, arguments].concat();
        Self::on(self.stores.clone(), self.database_url.clone(), arguments, clock).await
    }

    /// Starts another process on the same database, with a new backplane that has lost everything.
    pub(crate) async fn with_new_backplane(&self, backend: Backend) -> Self {
        let (stores, clock) = (Arc::new(backend.start().await), self.state.platform.clock().clone());
        Self::on(stores, self.database_url.clone(), self.arguments.clone(), clock).await
    }

    async fn on(stores: Arc<Stores>, database_url: String, arguments: Vec<String>, clock: Clock) -> Self {
        let matches = Cli::command().args_override_self(true).get_matches_from(&arguments);
        let cli = Cli::from_arg_matches(&matches).unwrap();
        let redis_url = stores.redis_url();
        let platform =
            Platform::connect("auth-service", cli.process, &cli.keys, &redis_url, vec![], clock).unwrap();
        platform.tokens().revocations.synced().await;
        testing::eventually("the backplane is connected", async || platform.backplane().is_connected()).await;
        let http = Http::new(cli.http, &platform).unwrap();
        let state = State::connect(platform.clone(), &database_url, cli.settings).await.unwrap();
        // Responses are not held back, except in the test that adds permits again.
        state.refusals.forget_permits(usize::MAX);
        let events = record_events(&platform).await;
        platform.spawn("auth-service", run_background(state.clone(), platform.lifecycle().served.clone()));
        let server = Server::bind(platform.clone(), http, 0, routes_alone(state.clone())).unwrap();
        let client = Client::new(format!("http://{}", server.address()));
        tokio::task::spawn_local(server.run());
        Self { client, state, stores, database_url, arguments, events }
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.state.platform.clock().advance(by);
    }

    /// Signs up `name@example.com`.
    pub(crate) async fn sign_up(&self, name: &str) -> User {
        let body = json!({"name": name, "email": email(name), "password": PASSWORD});
        self.user(&self.client.post("/api/auth/signup", &body).await)
    }

    pub(crate) async fn log_in(&self, name: &str) -> User {
        self.user(&self.try_log_in(&email(name), PASSWORD).await)
    }

    pub(crate) async fn try_log_in(&self, email: &str, password: &str) -> Answer {
        self.client.post("/api/auth/login", &json!({"email": email, "password": password})).await
    }

    /// Returns a client at this address, behind a trusted proxy; see [`BEHIND_PROXY`].
    pub(crate) fn at(&self, ip: &str) -> Client {
        self.client.with_header("x-forwarded-for", ip)
    }

    pub(crate) async fn try_log_in_at(&self, ip: &str, email: &str, password: &str) -> Answer {
        self.at(ip).post("/api/auth/login", &json!({"email": email, "password": password})).await
    }

    /// Signs up a user and makes them an admin.
    pub(crate) async fn admin(&self, name: &str) -> User {
        let user = self.sign_up(name).await;
        let change =
            auth_service::user::admin::UserEdit { role: Some(contracts::Role::Admin), ..Default::default() };
        let initiator = auth_service::audit::action::Initiator::service_itself();
        auth_service::user::admin::update(&self.state, user.id, change, initiator).await.unwrap();
        self.log_in(name).await
    }

    /// Creates an admin without a sign-up, as `create-admin` does.
    pub(crate) async fn first_admin(&self) -> User {
        let address = auth_service::user::email::Email::parse(&email("root")).unwrap();
        let password = auth_service::password::Password::parse(PASSWORD).unwrap();
        let password = self.state.passwords.hash(password, vec![]).await.unwrap();
        let new = NewUser::new("root".into(), address, password, contracts::Role::Admin);
        let initiator = auth_service::audit::action::Initiator::service_itself();
        LockedUser::create(&self.state, new, initiator).await.unwrap().commit().await.unwrap();
        self.log_in("root").await
    }

    pub(crate) fn user(&self, answer: &Answer) -> User {
        let data = answer.data();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let access = text(&data["accessToken"]);
        User {
            client: self.client.with_token(&access),
            id: text(&data["user"]["id"]).parse().unwrap(),
            email: text(&data["user"]["email"]),
            session: text(&data["session"]["id"]).parse().unwrap(),
            refresh: text(&data["refreshToken"]),
            access,
        }
    }

    pub(crate) async fn try_refresh(&self, token: &str) -> Answer {
        self.client.post("/api/auth/refresh", &json!({"refreshToken": token})).await
    }

    /// Exchanges a refresh token that must be accepted. Returns its successor.
    pub(crate) async fn refresh(&self, token: &str) -> String {
        self.try_refresh(token).await.data()["refreshToken"].as_str().unwrap().to_owned()
    }

    /// Returns the payloads published on a channel so far.
    pub(crate) fn published(&self, channel: &str) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| event["type"] == channel).map(|event| event["payload"].clone()).collect()
    }

    /// Returns all envelopes published so far.
    pub(crate) fn all_published(&self) -> Vec<Value> {
        self.events.lock().unwrap().clone()
    }

    /// Waits for a payload on the channel for which `is_it` returns `true`.
    pub(crate) async fn event(&self, channel: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.stores.assert_all_events_are_heard();
        wait_for(channel, async || self.published(channel).into_iter().find(&is_it)).await
    }

    /// Waits for the end of a session. Returns the published reason.
    pub(crate) async fn ended(&self, session: Uuid) -> String {
        let event =
            self.event("auth:session.deleted", |payload| payload["sessionId"] == json!(session)).await;
        event["reason"].as_str().unwrap().to_owned()
    }

    /// Waits until all committed events are published and received.
    pub(crate) async fn all_events_are_out(&self) {
        self.stores.assert_all_events_are_heard();
        self.state.database.publish_pending().await.unwrap();
        // Events arrive in the order of publication, so this one is the last.
        let id = json!(Uuid::now_v7());
        let last = json!({
            "eventId": id,
            "type": "auth:last",
            "timestamp": self.state.platform.clock().now(),
            "payload": {},
        });
        self.state.platform.backplane().log.broadcast("auth:last", &last.to_string()).await.unwrap();
        eventually("the events are received", async || {
            self.events.lock().unwrap().iter().any(|event| event["eventId"] == id)
        })
        .await;
        self.events.lock().unwrap().retain(|event| event["type"] != "auth:last");
    }
}

impl User {
    /// Whether the access token still works.
    pub(crate) async fn is_in(&self) -> bool {
        match self.client.get("/api/auth/me").await.status {
            StatusCode::OK => true,
            StatusCode::UNAUTHORIZED => false,
            status => panic!("{status}"),
        }
    }
}

/// A clock at the beginning of an hour, so that no window of a limit ends during a test.
fn clock() -> Clock {
    let clock = Clock::system();
    let into_the_hour = clock.now().timestamp().rem_euclid(3_600);
    clock.advance(TimeDelta::seconds(3_600 - into_the_hour));
    clock
}

pub(crate) fn email(name: &str) -> String {
    format!("{name}@example.com")
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
