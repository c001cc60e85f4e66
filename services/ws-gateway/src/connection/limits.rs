//! The rate limit on the messages of a client.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Connection;
use crate::ending::Ending;
use crate::gateway::Gateway;
use crate::hub::Form;
use crate::metrics::Dropped;

const WINDOW: Duration = Duration::from_secs(1);
/// Number of windows that a message waits for its turn.
const PATIENCE: u32 = 10;
/// Number of messages in a row that may have to wait before the connection is closed.
const MAX_IN_A_ROW: u32 = 5;

/// Messages of one client that had to wait.
#[derive(Debug)]
pub struct Haste {
    last: Instant,
    in_a_row: u32,
}

impl Connection {
    /// Counts a message of a user, over all sockets and replicas. A message over the limit waits for the next
    /// window, and so does everything that the client sends after it. The client is warned, and closed if it
    /// continues. Returns the error of the response if the message is dropped.
    pub(super) async fn admit_message(
        self: &Arc<Self>,
        gateway: &Gateway,
        form: Form,
        socket: &str,
        name: &str,
    ) -> Result<(), Value> {
        let refused = || json!({ "code": "RATE_LIMITED", "message": "too many messages" });
        let Some(user) = self.hub.with_member(socket, |member| member.claims.user_id.clone()) else {
            return Err(refused());
        };
        let limit = gateway.settings.gateway_messages_per_second;
        let key = format!("ws:messages:{user}");
        for window in 0..PATIENCE {
            if gateway.platform.limiter.count(&key, WINDOW).await <= limit {
                return Ok(());
            }
            if window == 0 && self.note_haste() > MAX_IN_A_ROW {
                gateway.metrics.dropped(Dropped::RateLimit, 1);
                self.close(gateway, Ending::RateLimited);
                return Err(refused());
            }
            if window == 0 {
                self.warn(gateway, form, limit, name, false);
            }
            sleep(WINDOW).await;
            if self.outbound.is_closing() {
                return Err(refused());
            }
        }
        gateway.metrics.dropped(Dropped::RateLimit, 1);
        self.warn(gateway, form, limit, name, true);
        Err(refused())
    }

    /// Whether a message asks for a room that the socket is not in. Such messages are not counted: the
    /// number of rooms bounds them, and every page sends some when it connects.
    pub(super) fn is_first_subscription(&self, gateway: &Gateway, socket: &str, room: &str) -> bool {
        gateway.catalogue.is_subscribable(room)
            && self.hub.with_member(socket, |member| member.rooms.iter().all(|own| &*own.room != room))
                == Some(true)
    }

    /// Notes that a message has to wait; returns how many had to in a row.
    fn note_haste(&self) -> u32 {
        let (mut state, now) = (self.lock(), Instant::now());
        let before = state.haste.take().filter(|haste| now - haste.last < 3 * WINDOW);
        let in_a_row = before.map_or(0, |haste| haste.in_a_row) + 1;
        state.haste = Some(Haste { last: now, in_a_row }.into());
        in_a_row
    }

    /// Names the message that waits or was dropped: the client may have asked for no answer.
    fn warn(&self, gateway: &Gateway, form: Form, limit: u64, name: &str, dropped: bool) {
        let window = u64::try_from(WINDOW.as_millis()).unwrap_or(u64::MAX);
        let warning = json!({ "limit": limit, "windowMs": window, "message": name, "dropped": dropped });
        self.outbound.push(form.notice("rate_limit.warning", warning, None, gateway.clock()));
    }
}
