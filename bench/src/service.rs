use std::time::{Duration, Instant};

use testing::{Client, PrivatePostgres, PrivateRedis, Process, StatusCode, binary, free_port};

/// One service with its own database and Redis.
pub(crate) struct Service {
    pub process: Process,
    pub client: Client,
    pub environment: Vec<(&'static str, String)>,
    /// Time from the start of the process until it was ready, including the creation of its tables.
    pub started_in: Duration,
    _redis: PrivateRedis,
}

impl Service {
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_with(name, &[]).await
    }

    /// Starts the service with further variables.
    pub(crate) async fn start_with(name: &str, more: &[(&'static str, &str)]) -> Self {
        let redis = PrivateRedis::start();
        let database = PrivatePostgres::shared().create_database().await;
        let port = free_port();
        let mut environment = vec![
            ("HOST", "127.0.0.1".to_owned()),
            ("PORT", port.to_string()),
            ("DATABASE_URL", database),
            ("REDIS_URL", redis.url()),
            ("JWT_ACCESS_SECRET", SECRET.to_owned()),
            ("JWT_REFRESH_SECRET", "refresh tokens of the bench".to_owned()),
            ("DRIFT_HASH_SECRET", "states of the bench".to_owned()),
            ("MAX_SESSIONS_PER_USER", "1000".to_owned()),
            ("LOGIN_FAILURES_PER_ACCOUNT", LOCKED_AFTER.to_string()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        let unlimited = [
            "MAILS_PER_IP",
            "MAILS_TOTAL",
            "SIGNUPS_PER_IP",
            "SIGNUPS_TOTAL",
            "LOGINS_PER_ACCOUNT",
            "LOGINS_PER_IP",
            "LOGIN_FAILURES_PER_ACCOUNT_PER_DAY",
            "LOGIN_FAILURES_PER_IP",
            "LOGIN_FAILURES_TOTAL",
            "REFRESHES_PER_SESSION",
            "REFRESHES_PER_USER",
        ];
        environment.extend(unlimited.map(|name| (name, "1000000".to_owned())));
        environment.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let started = Instant::now();
        let mut process = Process::spawn(&binary(name), &[], environment.clone());
        let base = format!("http://127.0.0.1:{port}");
        process.wait_until_ready(&base).await;
        let started_in = started.elapsed();
        Self { process, client: Client::new(base), environment, started_in, _redis: redis }
    }

    /// Logs in and returns the data of the response.
    pub(crate) async fn log_in(&self, email: &str, password: &str) -> serde_json::Value {
        let credentials = serde_json::json!({"email": email, "password": password});
        self.client.post("/api/auth/login", &credentials).await.expect(StatusCode::OK)["data"].clone()
    }
}

/// Number of failed logins after which an account is locked.
pub(crate) const LOCKED_AFTER: usize = 50;

/// The secret that signs access tokens.
pub(crate) const SECRET: &str = "access tokens of the bench";
