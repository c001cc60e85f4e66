use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::connection::Sessions;
use crate::hub::{Hubs, Subscriber};
use crate::protocol::Ending;

/// Number of clients per second that the other replicas can let in without delay.
const PER_SECOND: usize = 500;
const AT_ONCE: usize = 25;

/// Closes every connection, spread over at most `limit`, so that not all clients reconnect at once.
pub(crate) async fn drain(sessions: &Sessions, hubs: &Hubs, limit: Duration) {
    let mut connections: Vec<Arc<dyn Subscriber>> = Vec::new();
    connections.extend(sessions.all().into_iter().map(|session| session as Arc<dyn Subscriber>));
    let sockets = hubs.sockets().into_iter().map(|socket| socket.subscriber);
    connections.extend(sockets.filter(|subscriber| subscriber.is_plain()));
    let wanted = Duration::from_secs_f64(connections.len() as f64 / PER_SECOND as f64);
    let groups = connections.len().div_ceil(AT_ONCE).max(1);
    let pause = wanted.min(limit) / u32::try_from(groups).unwrap_or(u32::MAX);
    for (index, group) in connections.chunks(AT_ONCE).enumerate() {
        if index > 0 {
            sleep(pause).await;
        }
        for connection in group {
            Arc::clone(connection).close(Ending::Draining);
        }
    }
}
