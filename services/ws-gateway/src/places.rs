//! How many sockets a user and an address may have open, counted over all replicas.

use std::sync::Arc;
use std::time::Duration;

use backplane::Hold;
use contracts::Claims;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::authorise::{Peer, Refusal, RefusalCode};
use crate::gateway::Gateway;
use crate::hub::user_room;

/// A gateway that dies gives its sockets' places back after this long.
const PLACE_TTL: Duration = Duration::from_secs(90);
const RENEW_INTERVAL: Duration = Duration::from_secs(30);
const RENEW_AT_ONCE: usize = 500;

impl Gateway {
    /// Takes the places that a socket needs, or refuses it.
    pub(crate) async fn take_places(
        &self,
        peer: &Peer,
        claims: &Claims,
        socket: &str,
    ) -> Result<(), Refusal> {
        let holds = self.holds(peer, claims, socket);
        let counts = match self.platform.backplane.hold(&holds, PLACE_TTL).await {
            Ok(counts) => counts,
            // The backplane is away: this gateway's own sockets are counted. Never open.
            Err(_) => self.count_own(peer, claims),
        };
        let settings = &self.settings;
        let limits = [settings.gateway_sockets_per_user, settings.gateway_sockets_per_ip];
        if counts.iter().zip(limits).all(|(count, limit)| *count <= limit) {
            return Ok(());
        }
        self.keeper.release(holds);
        Err(Refusal::new(RefusalCode::RateLimited, "too many sockets are open already"))
    }

    pub(crate) fn leave_places(&self, peer: &Peer, claims: &Claims, socket: &str) {
        self.keeper.release(self.holds(peer, claims, socket));
    }

    /// Keeps the places of open sockets, until `stop`.
    pub(crate) async fn renew_places(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = interval(RENEW_INTERVAL);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            let mut holds = Vec::new();
            for hub in self.hubs() {
                hub.each(|member| {
                    holds.extend(self.holds(&member.connection.peer, &member.claims, &member.id));
                });
            }
            for some in holds.chunks(RENEW_AT_ONCE) {
                if let Err(error) = self.platform.backplane.hold(some, PLACE_TTL).await {
                    tracing::debug!(%error, "the places of sockets cannot be renewed now");
                }
            }
        }
    }

    fn holds(&self, peer: &Peer, claims: &Claims, socket: &str) -> Vec<Hold> {
        let mut holds = vec![Hold { key: format!("ws:user:{}", claims.user_id), holder: socket.into() }];
        if self.settings.gateway_sockets_per_ip > 0 {
            holds.push(Hold { key: format!("ws:ip:{}", peer.network()), holder: socket.into() });
        }
        holds
    }

    /// Counts the sockets that this one joins, itself included.
    fn count_own(&self, peer: &Peer, claims: &Claims) -> Vec<u64> {
        let room = user_room(&claims.user_id);
        let of_user = self.sockets(|hub| hub.in_room(&room)).len() as u64 + 1;
        let (network, mut of_network) = (peer.network(), 1);
        if self.settings.gateway_sockets_per_ip == 0 {
            return vec![of_user];
        }
        for hub in self.hubs() {
            hub.each(|member| of_network += u64::from(member.connection.peer.network() == network));
        }
        vec![of_user, of_network]
    }
}
