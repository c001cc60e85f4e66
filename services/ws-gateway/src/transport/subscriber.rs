use std::net::IpAddr;
use std::sync::Arc;

use backplane::Position;
use contracts::events::auth::EndReason;
use tokio::time::Instant;

use super::connection::Connection;
use super::execute::execute_now;
use crate::hub::Subscriber;
use crate::outbound::Outbound;
use crate::protocol::Ending;

impl Subscriber for Connection {
    fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    fn ip(&self) -> Option<IpAddr> {
        self.peer.ip
    }

    fn is_plain(&self) -> bool {
        self.with_client(|client| client.is_plain())
    }

    fn has_answered_since(&self, time: Instant) -> bool {
        self.with_client(|client| client.has_answered_since(time))
    }

    fn close(self: Arc<Self>, ending: Ending) {
        let effects = self.update(|client| client.close(Instant::now(), ending));
        execute_now(&self, effects);
    }

    fn revoke(self: Arc<Self>, socket: &str, reason: EndReason) {
        let effects = self.update(|client| client.on_revoked(Instant::now(), socket, reason));
        execute_now(&self, effects);
    }

    fn fall_behind(self: Arc<Self>, socket: &Arc<str>, from: Position) {
        let effects = self.update(|client| client.on_fall_behind(socket, from));
        execute_now(&self, effects);
    }

    fn run_timers(self: Arc<Self>, now: Instant) {
        let is_stalled = self.outbound.is_stalled(now);
        let effects = self.update(|client| client.on_timer(now, is_stalled));
        execute_now(&self, effects);
    }
}
