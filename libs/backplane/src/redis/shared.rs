//! The connection that all short commands share. Commands issued at the same moment travel together.

use contracts::Tasks;
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, Pipeline, RedisError, RedisResult, ScriptInvocation};
use tokio::sync::Mutex;

use super::timeouts::connection_config;

pub(super) struct Shared {
    client: redis::Client,
    /// Drives the connection on the process's runtime, because worker threads end before the process.
    tasks: Tasks,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    opened: u64,
}

/// Commands for the shared connection. They may run twice.
pub(super) enum Commands<'a> {
    Pipeline(&'a Pipeline),
    Script(&'a ScriptInvocation<'a>),
}

impl Commands<'_> {
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        mut connection: MultiplexedConnection,
    ) -> RedisResult<T> {
        match self {
            Self::Pipeline(pipeline) => pipeline.query_async(&mut connection).await,
            Self::Script(script) => script.invoke_async(&mut connection).await,
        }
    }
}

impl Shared {
    pub(super) fn new(client: redis::Client, tasks: Tasks) -> Self {
        Self { client, tasks, current: Mutex::default() }
    }

    /// Returns the connection and its number. Opens it if there is none.
    pub(super) async fn connection(&self) -> RedisResult<(u64, MultiplexedConnection)> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((current.opened, connection.clone()));
        }
        let client = self.client.clone();
        let opening = self.tasks.run("redis connection", async move {
            client.get_multiplexed_async_connection_with_config(&connection_config()).await
        });
        let stopped = || RedisError::from((redis::ErrorKind::Io, "the process is stopping"));
        let connection = opening.await.ok().flatten().ok_or_else(stopped)??;
        current.opened += 1;
        current.connection = Some(connection.clone());
        Ok((current.opened, connection))
    }

    /// Closes the connection of this number, which has ended or is too slow.
    pub(super) async fn give_up(&self, opened: u64) {
        let mut current = self.current.lock().await;
        if current.opened == opened {
            current.connection = None;
        }
    }
}
