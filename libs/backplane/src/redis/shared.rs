//! The connection that all short commands share: what is asked at the same time travels together.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue, Pipeline, RedisResult};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::{TIMEOUT, away};
use crate::driver::{Error, Result};

pub(super) struct Shared {
    client: redis::Client,
    /// Drives the connection, whichever thread opens it: worker threads end before their process.
    runtime: Handle,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    opened: u64,
}

impl Shared {
    pub(super) fn new(client: redis::Client) -> Self {
        Self { client, runtime: Handle::current(), current: Mutex::default() }
    }

    /// Runs commands that may be run twice, within the time limit. A connection that ended since it was
    /// used last shows it only now, so the commands are given to a new one; one that is too slow is
    /// given up.
    pub(super) async fn query<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T> {
        let mut opened = None;
        let within = async {
            let answer = self.try_query(commands, &mut opened).await;
            match (answer, opened) {
                (Err(error), Some(used)) if error.is_unrecoverable_error() => {
                    self.give_up(used).await;
                    self.try_query(commands, &mut opened).await
                }
                (answer, _) => answer,
            }
        };
        match tokio::time::timeout(TIMEOUT, within).await {
            Ok(answer) => answer.map_err(away),
            Err(_) => {
                if let Some(used) = opened {
                    self.give_up(used).await;
                }
                Err(Error::Timeout)
            }
        }
    }

    async fn try_query<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
        opened: &mut Option<u64>,
    ) -> RedisResult<T> {
        let (number, mut connection) = self.connection().await?;
        *opened = Some(number);
        commands.query_async(&mut connection).await
    }

    async fn connection(&self) -> RedisResult<(u64, MultiplexedConnection)> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((current.opened, connection.clone()));
        }
        let client = self.client.clone();
        let opening = self.runtime.spawn(async move {
            let config =
                AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(None);
            client.get_multiplexed_async_connection_with_config(&config).await
        });
        let stopped = |_| redis::RedisError::from((redis::ErrorKind::Io, "the process is stopping"));
        let connection = opening.await.map_err(stopped)??;
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
