//! The backplane on Redis: a stream as the log, pub/sub for announcements, a sorted set for marks.

mod condition;
mod driver;
mod error;
mod names;
mod shared;
mod subscriber;

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use contracts::Clock;
use deadpool_redis::{Connection, Manager, Pool, Runtime, Timeouts};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, FromRedisValue, Pipeline, RedisResult, Script,
    TlsCertificates,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::driver::{Error, Result};
use crate::queue::Listeners;
use crate::tls::Tls;
use crate::{Link, Options};
use condition::{Condition, is_wrong_server, reason};
use error::unavailable;
use names::TIMEOUT;
use shared::Shared;
use subscriber::Subscriber;

const CONNECTIONS: usize = 16;

static APPEND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("append.lua")));
static MARK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("mark.lua")));
static HOLD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("hold.lua")));

pub(crate) struct Redis {
    /// For long commands, and those that must not run twice.
    pool: Pool,
    /// For short commands, such as counting.
    shared: Shared,
    condition: Arc<Condition>,
    clock: Clock,
    log_length: usize,
    log_age: Duration,
    subscriber: JoinHandle<()>,
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.subscriber.abort();
    }
}

impl Redis {
    pub(crate) fn open(
        url: &str,
        options: Options,
        listeners: Listeners,
        link: watch::Sender<Link>,
    ) -> Result<Self> {
        let Options { clock, tasks, channels, tls, log_length, log_age } = options;
        let client = client(url, tls).map_err(unavailable)?;
        // `TIMEOUT` limits each call. The library's default response timeout is too short for long appends.
        let connection =
            AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(None);
        let information = client.get_connection_info().clone();
        let manager = Manager::new_with_config(information, connection).map_err(unavailable)?;
        let pool = Pool::builder(manager).max_size(CONNECTIONS).runtime(Runtime::Tokio1);
        let timeouts = Timeouts { wait: Some(TIMEOUT), create: Some(TIMEOUT), recycle: Some(TIMEOUT) };
        let pool = pool.timeouts(timeouts).build().map_err(unavailable)?;
        let patterns = contracts::events::LOGGED_CHANNELS.into_iter().map(String::from).chain(channels);
        let shared = Shared::new(client.clone(), tasks.clone());
        let condition = Arc::new(Condition::new(link));
        let subscriber =
            Subscriber::new(client, pool.clone(), patterns.collect(), listeners, Arc::clone(&condition));
        let listening = async move {
            subscriber.run().await;
            Ok::<(), Infallible>(())
        };
        let subscriber = tasks.spawn("redis subscriber", listening);
        Ok(Self { pool, shared, condition, clock, log_length, log_age, subscriber })
    }

    /// Runs one exchange with a connection of the pool, within the time limit.
    async fn exchange<T, F>(&self, exchange: impl FnOnce(Connection) -> F) -> Result<T>
    where
        F: Future<Output = redis::RedisResult<T>>,
    {
        Ok(self.try_exchange(exchange).await?)
    }

    async fn try_exchange<T, F>(
        &self,
        exchange: impl FnOnce(Connection) -> F,
    ) -> std::result::Result<T, Failure>
    where
        F: Future<Output = redis::RedisResult<T>>,
    {
        let within = async {
            let connection = self
                .pool
                .get()
                .await
                .map_err(|error| Failure { error: unavailable(error), refusal: None })?;
            exchange(connection).await.map_err(|error| {
                self.condition.suspect(&error, &self.pool);
                let refusal = error.code().filter(|_| !is_wrong_server(&error)).map(|_| reason(&error));
                Failure { error: unavailable(error), refusal }
            })
        };
        let late = Failure { error: Error::Timeout, refusal: None };
        tokio::time::timeout(TIMEOUT, within).await.unwrap_or(Err(late))
    }

    async fn run_pipeline<T: FromRedisValue>(&self, pipeline: Pipeline) -> Result<T> {
        self.exchange(|mut connection| async move { pipeline.query_async(&mut connection).await }).await
    }
}

/// The reason why an exchange failed.
struct Failure {
    error: Error,
    /// Set if Redis refused the command: it may still accept other commands.
    refusal: Option<&'static str>,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

fn client(url: &str, tls: Tls) -> RedisResult<Client> {
    // The library asks for the provider of the process. An error means that one is installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    if tls.authority.is_none() && tls.client.is_none() {
        return Client::open(url);
    }
    let client_tls =
        tls.client.map(|client| ClientTlsConfig { client_cert: client.certificate, client_key: client.key });
    Client::build_with_tls(url, TlsCertificates { client_tls, root_cert: tls.authority })
}
