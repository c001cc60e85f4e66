//! The end of a gateway: its clients go elsewhere, not all at once.

use std::time::Duration;

use tokio::time::sleep;

use crate::ending::Ending;
use crate::gateway::Gateway;

/// What the gateways that take over can let in without delay.
const PER_SECOND: usize = 500;
const AT_ONCE: usize = 25;

impl Gateway {
    /// Closes every connection, spread over half of the time that a stopping process has.
    pub(crate) async fn drain(&self) {
        let sockets = self.sockets(|hub| hub.all()).into_iter().map(|socket| socket.connection);
        let mut connections = self.connections();
        connections.extend(sockets.filter(|connection| connection.is_plain()));
        let limit = Duration::from_secs(self.platform.http.shutdown_seconds) / 2;
        let wanted = Duration::from_secs_f64(connections.len() as f64 / PER_SECOND as f64);
        let groups = connections.len().div_ceil(AT_ONCE).max(1);
        let pause = wanted.min(limit) / u32::try_from(groups).unwrap_or(u32::MAX);
        for (index, group) in connections.chunks(AT_ONCE).enumerate() {
            if index > 0 {
                sleep(pause).await;
            }
            for connection in group {
                connection.close(self, Ending::Draining);
            }
        }
    }
}
