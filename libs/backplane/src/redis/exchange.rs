//! Exchanges with the server that holds the keys, within the time limit.

use std::sync::Arc;

use deadpool_redis::Connection;
use redis::{ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult};
use tokio::time::timeout;

use super::Redis;
use super::refusal::{is_wrong_server, reason};
use super::route::Server;
use super::shared::Commands;
use super::timeouts::TIMEOUT;
use crate::{Error, Result};

/// The reason why an exchange failed.
pub struct Failure {
    error: Error,
    /// Set if Redis refused the command: it may still accept other commands.
    pub refusal: Option<&'static str>,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl Redis {
    /// Runs one exchange with a connection of the pool, within the time limit.
    pub(super) async fn exchange<T, F>(&self, exchange: impl FnOnce(Connection) -> F) -> Result<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        Ok(self.try_exchange(exchange).await?)
    }

    pub(super) async fn try_exchange<T, F>(
        &self,
        exchange: impl FnOnce(Connection) -> F,
    ) -> std::result::Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let within = async {
            let connected = async {
                let server = self.route.server().await?;
                RedisResult::Ok((server.connection().await?, server))
            };
            let (connection, server) = connected
                .await
                .map_err(|error| Failure { error: Error::unavailable(error), refusal: None })?;
            match exchange(connection).await {
                // The subscription no longer proves what the server did: it may be an old primary.
                Ok(_) if server.left.is_cancelled() => {
                    let error = RedisError::from((ErrorKind::Io, "the server was left meanwhile"));
                    Err(Failure { error: Error::unavailable(error), refusal: None })
                }
                Ok(result) => Ok(result),
                Err(error) => {
                    let is_wrong = is_wrong_server(&error);
                    if is_wrong {
                        self.route.leave(&server).await;
                    }
                    let refusal = error.code().filter(|_| !is_wrong).map(|_| reason(&error));
                    Err(Failure { error: Error::unavailable(error), refusal })
                }
            }
        };
        let late = Failure { error: Error::Timeout, refusal: None };
        timeout(TIMEOUT, within).await.unwrap_or(Err(late))
    }

    pub(super) async fn run_pipeline<T: FromRedisValue>(&self, pipeline: Pipeline) -> Result<T> {
        self.exchange(|mut connection| async move { pipeline.query_async(&mut connection).await }).await
    }

    /// Runs short commands on the shared connection, within the time limit. If the connection has ended since it
    /// was last used, or leads to a server that no longer holds the keys, the commands are sent again on a new
    /// connection. A connection that is too slow is closed.
    pub(super) async fn run_shared<T: FromRedisValue>(&self, commands: Commands<'_>) -> Result<T> {
        let mut used = None;
        match timeout(TIMEOUT, self.try_shared(&commands, &mut used)).await {
            Ok(result) => result.map_err(Error::unavailable),
            Err(_) => {
                if let Some((server, number)) = used {
                    server.shared.give_up(number).await;
                }
                Err(Error::Timeout)
            }
        }
    }

    async fn try_shared<T: FromRedisValue>(
        &self,
        commands: &Commands<'_>,
        used: &mut Option<(Arc<Server>, u64)>,
    ) -> RedisResult<T> {
        let mut may_repeat = true;
        loop {
            let server = self.route.server().await?;
            let (number, connection) = server.shared.connection().await?;
            *used = Some((Arc::clone(&server), number));
            let error = match commands.run(connection).await {
                Err(error) => error,
                result => return result,
            };
            if is_wrong_server(&error) {
                self.route.leave(&server).await;
            } else if error.is_unrecoverable_error() {
                server.shared.give_up(number).await;
            } else {
                may_repeat = false;
            }
            if !std::mem::take(&mut may_repeat) {
                return Err(error);
            }
        }
    }
}
