use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;
use testing::{Client, PrivatePostgres, Process, Proxy, StatusCode, binary, free_port};

use crate::{Redis, RedisKind};

/// Two replicas of each service, as in production, and a proxy in front of each gateway.
pub struct Deployment {
    pub redis: Redis,
    pub auth: [Replica; 2],
    pub drift: [Replica; 2],
    pub gateways: [Replica; 2],
    pub lines: [Proxy; 2],
    pub drift_database: String,
}

/// One process that can be killed and restarted with the same port and environment.
pub struct Replica {
    pub name: String,
    port: u16,
    program: &'static str,
    environment: Vec<(String, String)>,
    process: Mutex<Process>,
}

impl Replica {
    fn start(program: &'static str, number: usize, shared: &[(&str, String)]) -> Self {
        let port = free_port();
        let mut environment: Vec<(String, String)> =
            shared.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        environment.push(("PORT".into(), port.to_string()));
        let process = Mutex::new(Process::spawn(&binary(program), &[], environment.clone()));
        Self { name: format!("{program} {number}"), port, program, environment, process }
    }

    /// Returns `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sends SIGKILL.
    pub fn kill(&self) {
        self.process().kill();
    }

    /// Starts the process again after a kill.
    pub fn restart(&self) {
        *self.process() = Process::spawn(&binary(self.program), &[], self.environment.clone());
    }

    pub fn freeze(&self) {
        self.process().freeze();
    }

    pub fn thaw(&self) {
        self.process().thaw();
    }

    /// Returns everything that the process has written since its last start.
    pub fn log(&self) -> String {
        self.process().log()
    }

    async fn until_ready(&self) {
        let probe = Client::new(self.url());
        testing::eventually(&format!("{} to be ready", self.name), async || {
            let answer = probe.request(testing::Method::GET, "/ready").send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deployment {
    /// Starts everything and waits until it is ready.
    pub async fn start(redis: RedisKind) -> Self {
        let redis = Redis::start(redis).await;
        let postgres = PrivatePostgres::shared();
        let (auth_database, drift_database) =
            (postgres.create_database().await, postgres.create_database().await);
        let shared = |database: Option<&str>| {
            let mut variables = vec![
                ("NODE_ENV", "development".to_owned()),
                ("HOST", "127.0.0.1".to_owned()),
                ("REDIS_URL", redis.url()),
                ("JWT_ACCESS_SECRET", "access secret of the fault runs".to_owned()),
                ("JWT_REFRESH_SECRET", "refresh secret of the fault runs".to_owned()),
                ("DRIFT_HASH_SECRET", "hash secret of the fault runs".to_owned()),
                ("BCRYPT_COST", "4".to_owned()),
                ("WORKERS", "2".to_owned()),
                ("RUST_LOG", "warn,ws_gateway=info".to_owned()),
                ("GATEWAY_MESSAGES_PER_SECOND", "1000".to_owned()),
                ("GATEWAY_PING_INTERVAL_MS", "2000".to_owned()),
                ("GATEWAY_PING_TIMEOUT_MS", "2000".to_owned()),
                ("GATEWAY_SOCKETS_PER_USER", "5000".to_owned()),
                ("MAX_SESSIONS_PER_USER", "2".to_owned()),
                ("REFRESH_GRACE_SECONDS", "0".to_owned()),
                ("SIGNUPS_PER_IP", "100000".to_owned()),
                ("LOGINS_PER_IP", "100000".to_owned()),
            ];
            variables.extend(database.map(|url| ("DATABASE_URL", url.to_owned())));
            variables
        };
        let pair = |program, database: Option<&str>| {
            [1, 2].map(|number| Replica::start(program, number, &shared(database)))
        };
        let auth = pair("auth-service", Some(&auth_database));
        let drift = pair("drift-service", Some(&drift_database));
        let gateways = pair("ws-gateway", None);
        let lines = [line_to(&gateways[0]).await, line_to(&gateways[1]).await];
        let deployment = Self { redis, auth, drift, gateways, lines, drift_database };
        deployment.until_ready().await;
        deployment
    }

    /// Iterates over every process.
    pub fn replicas(&self) -> impl Iterator<Item = &Replica> {
        self.auth.iter().chain(&self.drift).chain(&self.gateways)
    }

    /// Waits until every process reports that it is ready, and Redis can bear another fault.
    pub async fn until_ready(&self) {
        self.redis.until_whole().await;
        self.until_started().await;
    }

    /// Waits until every process reports that it is ready.
    pub async fn until_started(&self) {
        for replica in self.replicas() {
            replica.until_ready().await;
        }
    }

    /// Logs in a demo user, and returns the access token.
    pub async fn token(&self, role: &str) -> String {
        let credentials =
            json!({"email": format!("{role}@driftsentry.local"), "password": format!("{role}123")});
        let client = Client::new(self.auth[0].url());
        let login = client.post("/api/auth/login", &credentials).await.expect(StatusCode::OK);
        login["data"]["accessToken"].as_str().expect("a token").to_owned()
    }

    /// Returns `ws://…/ws` of a gateway, through its proxy.
    pub fn socket_url(&self, gateway: usize) -> String {
        format!("ws://{}/ws", self.lines[gateway % 2].address())
    }
}

async fn line_to(gateway: &Replica) -> Proxy {
    Proxy::start(([127, 0, 0, 1], gateway.port).into()).await
}
