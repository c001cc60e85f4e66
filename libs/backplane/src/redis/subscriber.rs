//! The one subscription of a process.

use std::time::{Duration, Instant};

use deadpool_redis::Pool;
use futures_util::StreamExt;
use redis::AsyncTypedCommands;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use super::MARKS_CHANGED;
use crate::backplane::announce;
use crate::feed::Signal;
use crate::{Link, Message};

/// A message to oneself, along the very way that events take.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);
/// Silence after which the connection is given up: a peer that vanished sends no end.
const SILENCE_LIMIT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the log says why it cannot be heard.
const WARN_INTERVAL: Duration = Duration::from_secs(60);
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(1);

pub(super) struct Subscriber {
    client: redis::Client,
    pool: Pool,
    patterns: Vec<String>,
    heartbeat: String,
    signals: broadcast::Sender<Signal>,
    link: watch::Sender<Link>,
}

impl Subscriber {
    pub(super) fn new(
        client: redis::Client,
        pool: Pool,
        patterns: Vec<String>,
        signals: broadcast::Sender<Signal>,
        link: watch::Sender<Link>,
    ) -> Self {
        let heartbeat = format!("driftsentry:heartbeat:{}", Uuid::new_v4().simple());
        Self { client, pool, patterns, heartbeat, signals, link }
    }

    /// Listens, and listens again whenever the connection ends, until the task is aborted.
    pub(super) async fn run(self) {
        let (mut wait, mut warned) = (RETRY_FIRST, None::<Instant>);
        loop {
            match self.listen().await {
                Ok(()) => (wait, warned) = (RETRY_FIRST, None),
                Err(error) => {
                    // Now and then: a wrong password looks like an absent server from everywhere else.
                    if warned.is_none_or(|at| at.elapsed() > WARN_INTERVAL) {
                        tracing::warn!(%error, "the backplane cannot be heard");
                        warned = Some(Instant::now());
                    }
                    wait = (wait * 2).min(RETRY_LAST);
                }
            }
            if self.lost() {
                tracing::warn!("lost the backplane; trying again until it is back");
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Hears one connection to its end. An error means that it never came to be.
    async fn listen(&self) -> redis::RedisResult<()> {
        let connect = async {
            let (mut sink, stream) = self.client.get_async_pubsub().await?.split();
            for pattern in &self.patterns {
                sink.psubscribe(pattern).await?;
            }
            sink.subscribe(&[self.heartbeat.as_str(), MARKS_CHANGED]).await?;
            Ok::<_, redis::RedisError>((sink, stream))
        };
        let (_sink, mut stream) = tokio::time::timeout(CONNECT_TIMEOUT, connect)
            .await
            .map_err(|_| redis::RedisError::from((redis::ErrorKind::Io, "connecting took too long")))??;

        self.link.send_replace(Link::Heard);
        let _ = self.signals.send(Signal::Connected);
        tracing::info!("the backplane is heard");

        let beat = async {
            let mut ticks = tokio::time::interval(HEARTBEAT_INTERVAL);
            loop {
                ticks.tick().await;
                if let Ok(mut connection) = self.pool.get().await {
                    let _ = connection.publish(&self.heartbeat, "").await;
                }
            }
        };
        let hear = async {
            while let Ok(Some(message)) = tokio::time::timeout(SILENCE_LIMIT, stream.next()).await {
                self.pass_on(&message);
            }
        };
        tokio::select! {
            () = beat => {}
            () = hear => {}
        }
        Ok(())
    }

    /// Notes the loss of the link; whether it is news.
    fn lost(&self) -> bool {
        self.link.send_if_modified(|link| {
            let news = link.is_heard();
            if news {
                *link = Link::Lost { since: Instant::now() };
            }
            news
        })
    }

    fn pass_on(&self, message: &redis::Msg) {
        let channel = message.get_channel_name();
        if channel == self.heartbeat {
            return;
        }
        if channel == MARKS_CHANGED {
            let _ = self.signals.send(Signal::MarksChanged);
            return;
        }
        let heard = message.get_payload().ok().and_then(|body| Message::parse(channel.into(), body));
        match heard {
            Some(message) => announce(&self.signals, message),
            None => tracing::warn!(channel, "a message that is no envelope was ignored"),
        }
    }
}
