//! A gateway on a port of its own, and tokens for it.

use backplane::Entry;
use clap::Parser;
use contracts::{Claims, Clock, Event, Role, TokenUse};
use http::{Http, Server};
use platform::Platform;
use prometheus::TextEncoder;
use testing::{Backend, Client, Socket, Stores, eventually};
use uuid::Uuid;
use ws_gateway::{Config, State};

use crate::stock::Stock;

/// One or several gateways on the same stores; the first is the one that is asked unless said.
pub(crate) struct App {
    pub gateways: Vec<Gateway>,
    pub stores: Stores,
}

pub(crate) struct Gateway {
    pub platform: Platform,
    pub client: Client,
}

impl App {
    pub(crate) async fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[]).await
    }

    /// With further command line arguments.
    pub(crate) async fn start_with(backend: Backend, arguments: &[&str]) -> Self {
        let stores = backend.start().await;
        let gateways = vec![Gateway::start(&stores, arguments).await];
        Self { gateways, stores }
    }

    /// Two replicas on one Redis.
    pub(crate) async fn start_two(arguments: &[&str]) -> Self {
        let mut app = Self::start_with(Backend::Real, arguments).await;
        app.gateways.push(Gateway::start(&app.stores, arguments).await);
        app
    }

    /// One more replica, which has heard nothing yet.
    pub(crate) async fn add_gateway(&mut self) {
        self.gateways.push(Gateway::start(&self.stores, &[]).await);
    }

    /// One more replica, for which the backplane is away.
    pub(crate) async fn add_deaf_gateway(&mut self, arguments: &[&str]) {
        self.gateways.push(Gateway::launch(&self.stores.redis_url(), arguments).await);
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateways[0]
    }

    /// Publishes as our own services do: in the log.
    pub(crate) async fn emit(&self, event: impl Event) {
        let platform = &self.gateway().platform;
        self.append(&[Entry::of(event, platform.clock()).unwrap()]).await;
    }

    /// Publishes as another back end does: nothing but a message on a channel.
    pub(crate) async fn publish(&self, channel: &str, user: Option<&str>, payload: serde_json::Value) {
        let envelope = serde_json::json!({
            "eventId": Uuid::now_v7(), "type": channel, "timestamp": self.gateway().platform.clock().now(),
            "payload": payload, "userId": user,
        });
        self.gateway().platform.backplane().log.broadcast(channel, &envelope.to_string()).await.unwrap();
    }
}

impl std::ops::Deref for App {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        self.gateway()
    }
}

impl Gateway {
    async fn start(stores: &Stores, arguments: &[&str]) -> Self {
        Self::start_at(&stores.redis_url(), arguments).await
    }

    /// One on this Redis, ready.
    pub(crate) async fn start_at(redis: &str, arguments: &[&str]) -> Self {
        let gateway = Self::launch(redis, arguments).await;
        eventually("the gateway to be ready", async || gateway.client.get("/ready").await.status == 200)
            .await;
        eventually("the backplane to be connected", async || gateway.platform.backplane().is_connected())
            .await;
        gateway
    }

    async fn launch(redis: &str, arguments: &[&str]) -> Self {
        let own = ["ws-gateway", "--host", "127.0.0.1", "--workers", "2", "--redis-url", redis];
        let secret = ["--jwt-access-secret", "of a test"];
        let config = Config::parse_from(own.iter().chain(&secret).chain(arguments));
        let channels = config.settings.channels().unwrap();
        let clock = Clock::system();
        let platform =
            Platform::connect("ws-gateway", config.process, &config.keys, redis, channels, clock).unwrap();
        let http = Http::new(config.http, &platform).unwrap();
        let state = State::connect(platform.clone(), config.settings).unwrap();
        platform.spawn(
            "ws-gateway",
            ws_gateway::run_background(state.clone(), platform.lifecycle().served.clone()),
        );
        let server = Server::bind(platform.clone(), http, 0, ws_gateway::routes(state)).unwrap();
        let client = Client::new(format!("http://{}", server.address()));
        tokio::task::spawn_local(server.run());
        Self { platform, client }
    }

    /// Publishes as the relay of an outbox does: again, until it is known to have been done.
    pub(crate) async fn append(&self, entries: &[Entry]) {
        let appended = async || self.platform.backplane().log.append(entries).await.is_ok();
        eventually("the events to be in the log", appended).await;
    }

    pub(crate) fn ws(&self, path: &str) -> String {
        format!("{}{path}", self.client.base().replace("http://", "ws://"))
    }

    pub(crate) fn claims(&self, user: &str) -> Claims {
        let now = self.platform.clock().now().timestamp();
        Claims {
            sub: user.into(),
            user_id: user.into(),
            email: "a@example.com".into(),
            role: Role::Viewer,
            sid: Some(Uuid::new_v4()),
            token_use: TokenUse::Access,
            account_id: None,
            generation: 1,
            iat: now,
            exp: now + 900,
            nbf: None,
            jti: Some(Uuid::new_v4()),
            withdrawn_keys: 0,
        }
    }

    pub(crate) fn sign(&self, claims: &Claims) -> String {
        self.platform.tokens().keys.sign(claims).unwrap()
    }

    pub(crate) fn token(&self, user: &str) -> String {
        self.sign(&self.claims(user))
    }

    /// An admin's HTTP caller.
    pub(crate) fn admin(&self) -> Client {
        self.client.with_token(&self.sign(&Claims { role: Role::Admin, ..self.claims("root") }))
    }

    /// A socket in `/` or `/dashboard`, authorized.
    pub(crate) async fn stock(&self, namespace: &str, token: &str) -> Stock {
        let mut stock = Stock::open(self).await;
        stock.join(namespace, token).await;
        stock
    }

    /// A socket on `/ws`, authorized.
    pub(crate) async fn plain(&self, token: &str) -> Socket {
        let authorization = format!("Bearer {token}");
        let mut socket = Socket::connect_with(&self.ws("/ws"), &[("authorization", &authorization)]).await;
        socket.next_event("connection.authorized").await;
        socket
    }

    /// A line of `/metrics`, such as `ws_disconnects_total{code="4401"}`; 0 if it is not there.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let text = self.client.get("/metrics").await.text;
        let value = text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok());
        value.unwrap_or(0.0)
    }

    /// All lines of a counter; also of a gateway that answers no more.
    pub(crate) fn counts(&self, name: &str) -> Vec<String> {
        let text = TextEncoder::new().encode_to_string(&self.platform.metrics().gather()).unwrap();
        let of_name = |line: &&str| line.starts_with(&format!("{name}{{")) && !line.ends_with(" 0");
        text.lines().filter(of_name).map(str::to_owned).collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.platform.lifecycle().stop.cancel();
    }
}
