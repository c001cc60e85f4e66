use std::net::IpAddr;
use std::sync::Arc;

use backplane::Position;
use contracts::events::auth::EndReason;
use tokio::time::Instant;

use crate::outbound::Outbound;
use crate::protocol::Ending;

/// The connection of a member, as the hub sees it.
pub(crate) trait Subscriber: Send + Sync {
    fn outbound(&self) -> &Outbound;

    fn ip(&self) -> Option<IpAddr>;

    /// Whether the connection is one of `/ws`.
    fn is_plain(&self) -> bool;

    /// Whether the client has responded to a ping from after a time.
    fn has_answered_since(&self, time: Instant) -> bool;

    /// Closes the connection with all its sockets.
    fn close(self: Arc<Self>, ending: Ending);

    /// Closes one socket, whose session ended, and the connection with its last socket.
    fn revoke(self: Arc<Self>, socket: &str, reason: EndReason);

    /// The queue is full: the socket reads the events after `from` in the log when there is room again.
    fn fall_behind(self: Arc<Self>, socket: &Arc<str>, from: Position);

    /// Runs the due timers of the connection.
    fn run_timers(self: Arc<Self>, now: Instant);
}

/// A socket, by its [entrance](super::Member::entrance), with its connection.
pub(crate) struct SocketRef {
    pub subscriber: Arc<dyn Subscriber>,
    pub socket: Arc<str>,
}
