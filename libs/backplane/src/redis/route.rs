//! The connections to the server that holds the keys, and the way to the next server after a failover.

use std::sync::Arc;
use std::time::Duration;

use contracts::Tasks;
use deadpool_redis::{Manager, Pool, PoolError, Runtime, Timeouts};
use redis::{Client, ErrorKind, RedisError, RedisResult};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::locator::Locator;
use super::names::PROBE_TTL_MS;
use super::refusal::is_wrong_server;
use super::shared::Shared;
use super::timeouts::{TIMEOUT, connection_config};

const CONNECTIONS: usize = 16;
/// Interval between questions whether a server that works is still the primary.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The server that holds the keys, as long as it does.
pub(super) struct Server {
    pub client: Client,
    /// For long commands, and those that must not run twice.
    pub pool: Pool,
    /// For short commands, such as counting.
    pub shared: Shared,
    /// Cancelled when another server has to be found. Results that arrive later do not count.
    pub left: CancellationToken,
}

impl Server {
    fn new(client: Client, tasks: &Tasks) -> RedisResult<Self> {
        let manager = Manager::new_with_config(client.get_connection_info().clone(), connection_config())?;
        let timeouts = Timeouts { wait: Some(TIMEOUT), create: Some(TIMEOUT), recycle: Some(TIMEOUT) };
        let pool = Pool::builder(manager).max_size(CONNECTIONS).runtime(Runtime::Tokio1).timeouts(timeouts);
        let failed = |_| RedisError::from((ErrorKind::Client, "the pool of connections has no runtime"));
        let pool = pool.build().map_err(failed)?;
        let shared = Shared::new(client.clone(), tasks.clone());
        Ok(Self { client, pool, shared, left: CancellationToken::new() })
    }

    /// Takes a connection from the pool.
    pub(super) async fn connection(&self) -> RedisResult<deadpool_redis::Connection> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            error => RedisError::from((ErrorKind::Io, "no connection is free", error.to_string())),
        })
    }
}

pub(super) struct Route {
    locator: Locator,
    tasks: Tasks,
    /// The key that shows whether a server accepts writes.
    probe: String,
    current: Mutex<Option<Arc<Server>>>,
}

impl Route {
    pub(super) fn new(locator: Locator, tasks: Tasks, probe: String) -> Self {
        Self { locator, tasks, probe, current: Mutex::default() }
    }

    /// Returns the server that holds the keys. Finds it if none is known.
    pub(super) async fn server(&self) -> RedisResult<Arc<Server>> {
        let mut current = self.current.lock().await;
        if let Some(server) = &*current {
            return Ok(Arc::clone(server));
        }
        let server = Arc::new(self.find().await?);
        *current = Some(Arc::clone(&server));
        Ok(server)
    }

    /// Resolves when the Sentinels have replaced the server. It may work for some more seconds, but the events that it
    /// takes are lost, and other processes do not receive them.
    pub(super) async fn until_replaced(&self, server: &Server) {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            if self.locator.is_replaced(server.client.get_connection_info().addr()).await {
                return;
            }
        }
    }

    /// Makes the next command find a server again.
    pub(super) async fn leave(&self, server: &Arc<Server>) {
        server.left.cancel();
        let mut current = self.current.lock().await;
        current.take_if(|current| Arc::ptr_eq(current, server));
    }

    /// Finds a server that accepts writes, or refuses them for a reason that no other server can help with.
    async fn find(&self) -> RedisResult<Server> {
        let server = Server::new(self.locator.locate().await?, &self.tasks)?;
        let (_, mut connection) = server.shared.connection().await?;
        let mut probe = redis::cmd("SET");
        probe.arg(&self.probe).arg("").arg("PX").arg(PROBE_TTL_MS);
        match probe.exec_async(&mut connection).await {
            Err(error) if error.code().is_none() || is_wrong_server(&error) => Err(error),
            _ => Ok(server),
        }
    }
}
