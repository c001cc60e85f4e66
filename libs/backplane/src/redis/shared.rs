//! The connection that all short commands share. Commands issued at the same moment travel together.

use contracts::Tasks;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue, Pipeline, RedisError, RedisResult, ScriptInvocation};
use tokio::sync::Mutex;

use super::condition::is_wrong_server;
use super::error::unavailable;
use super::names::TIMEOUT;
use crate::driver::{Error, Result};

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
    async fn run<T: FromRedisValue>(&self, mut connection: MultiplexedConnection) -> RedisResult<T> {
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

    /// Runs commands within the time limit. If the connection has ended since it was last used, or leads to a
    /// server that became a replica, the commands are sent again on a new connection. A connection that is
    /// too slow is closed.
    pub(super) async fn run<T: FromRedisValue>(&self, commands: Commands<'_>) -> Result<T> {
        let mut opened = None;
        let within = async {
            let result = self.try_run(&commands, &mut opened).await;
            match (result, opened) {
                (Err(error), Some(used)) if error.is_unrecoverable_error() || is_wrong_server(&error) => {
                    self.give_up(used).await;
                    self.try_run(&commands, &mut opened).await
                }
                (result, _) => result,
            }
        };
        match tokio::time::timeout(TIMEOUT, within).await {
            Ok(result) => result.map_err(unavailable),
            Err(_) => {
                if let Some(used) = opened {
                    self.give_up(used).await;
                }
                Err(Error::Timeout)
            }
        }
    }

    async fn try_run<T: FromRedisValue>(
        &self,
        commands: &Commands<'_>,
        opened: &mut Option<u64>,
    ) -> RedisResult<T> {
        let (number, connection) = self.connection().await?;
        *opened = Some(number);
        commands.run(connection).await
    }

    async fn connection(&self) -> RedisResult<(u64, MultiplexedConnection)> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((current.opened, connection.clone()));
        }
        let client = self.client.clone();
        let opening = self.tasks.run("redis connection", async move {
            let config =
                AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(None);
            client.get_multiplexed_async_connection_with_config(&config).await
        });
        let stopped = || RedisError::from((redis::ErrorKind::Io, "the process is stopping"));
        let connection = opening.await.ok().flatten().ok_or_else(stopped)??;
        current.opened += 1;
        current.connection = Some(connection.clone());
        Ok((current.opened, connection))
    }

    async fn give_up(&self, opened: u64) {
        let mut current = self.current.lock().await;
        if current.opened == opened {
            current.connection = None;
        }
    }
}
