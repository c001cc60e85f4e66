//! The subscription of a process to the simulated Redis, as the real driver keeps it.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{interval, sleep, timeout};

use crate::driver::Driver;
use crate::redis::{Delivery, Refusal};
use crate::world::{Without, name};

const PROBE_INTERVAL: Duration = Duration::from_secs(1);
pub(crate) const SILENCE_LIMIT: Duration = Duration::from_secs(4);
/// Time for which a server that was left is heard.
const FAREWELL: Duration = Duration::from_millis(100);
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(1);

impl Driver {
    /// Subscribes, and subscribes again whenever the connection ends.
    pub(crate) async fn listen(&self) {
        let mut wait = RETRY_FIRST;
        loop {
            if self.subscribe_and_hear().await {
                wait = RETRY_FIRST;
            } else {
                wait = (wait * 2).min(RETRY_LAST);
            }
            if self.condition.note_heard(false) {
                self.world.note(|| format!("{}: lost Redis", name(self.process)));
            }
            sleep(wait).await;
        }
    }

    /// Returns whether a connection was made.
    async fn subscribe_and_hear(&self) -> bool {
        sleep(self.world.draw_duration(0..3)).await;
        let (process, (deliveries, received)) = (self.process, unbounded_channel());
        let server = {
            let mut redis = self.world.redis();
            let is_sticky =
                self.world.without == Without::ReconnectOnReadonly && !redis.is_down(self.server());
            let server = if is_sticky { self.server() } else { redis.primary };
            if !self.world.is_reachable(process) || redis.is_down(server) {
                drop(redis);
                self.condition.note_write(Err(Refusal::Unreachable.reason()));
                return false;
            }
            redis.subscribe(process, server, deliveries);
            server
        };
        self.set_server(server);
        self.world.note(|| format!("{}: subscribed to server {server}", name(process)));
        self.hear(received).await;
        self.leave();
        true
    }

    /// Hears and probes until the connection ends.
    async fn hear(&self, mut received: UnboundedReceiver<Delivery>) {
        self.note_sign_of_life();
        let probing = async {
            let mut probes = interval(PROBE_INTERVAL);
            let mut is_first = true;
            loop {
                probes.tick().await;
                if self.is_silent() {
                    return;
                }
                match self.probe().await {
                    Ok(()) => {
                        self.note_sign_of_life();
                        if is_first && self.look_at_log().await.is_err() {
                            continue;
                        }
                        if std::mem::take(&mut is_first) {
                            self.announcer.reconnected();
                        }
                        self.condition.note_heard(true);
                    }
                    Err(Refusal::ReadOnly) if self.world.without != Without::ReconnectOnReadonly => return,
                    Err(_) => {}
                }
            }
        };
        let mut hearing = pin!(async { while self.hear_one(&mut received).await {} });
        tokio::select! {
            biased;
            () = &mut hearing => return,
            () = probing => {}
        }
        self.leave();
        // What the server sent before this process left it still arrives.
        timeout(FAREWELL, hearing).await.ok();
    }

    /// Returns false after the last message.
    async fn hear_one(&self, received: &mut UnboundedReceiver<Delivery>) -> bool {
        let Some(delivery) = received.recv().await else { return false };
        sleep(self.world.draw_duration(0..3)).await;
        // What is sent during a partition arrives after it, unless the connection ends.
        while !self.world.is_reachable(self.process) {
            if self.is_silent() {
                return false;
            }
            sleep(Duration::from_millis(50)).await;
        }
        if self.world.redis().is_cut(self.process) {
            return false;
        }
        match delivery {
            Delivery::MarksChanged => self.announcer.marks_changed(),
            Delivery::Message(message) => {
                self.world.notes().hear(self.life, &message.channel, &message.body);
                self.announcer.received(message.channel, message.body.to_string(), self.secret());
            }
        }
        true
    }

    /// Writes as an append would, and reads the secret of the log.
    async fn probe(&self) -> Result<(), Refusal> {
        let probed = self.exchange(|redis, server| {
            let written = redis.grow(server).map(|_| ());
            if written == Err(Refusal::ReadOnly) {
                return Err(Refusal::ReadOnly);
            }
            Ok((written, redis.read(server)?.secret()))
        });
        match probed.await {
            Ok((written, secret)) => {
                self.set_secret(secret);
                self.condition.note_write(written.map_err(Refusal::reason));
                Ok(())
            }
            Err(crate::driver::Failure::Refused(refusal)) => {
                self.condition.note_write(Err(refusal.reason()));
                Err(refusal)
            }
            Err(crate::driver::Failure::Timeout) => {
                self.condition.note_write(Err("Redis does not respond"));
                Err(Refusal::Unreachable)
            }
        }
    }
}
