//! How many sockets a user and an address may have open, counted over all replicas.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backplane::Hold;
use contracts::Claims;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::authorise::{Peer, Refusal, RefusalCode};
use crate::cluster::Question;
use crate::gateway::Gateway;
use crate::hub::user_room;

/// A gateway that dies gives its sockets' places back after this long.
const PLACE_TTL: Duration = Duration::from_secs(90);
const RENEW_INTERVAL: Duration = Duration::from_secs(30);
const RENEW_AT_ONCE: usize = 500;
/// Least time between two recounts for one user.
const RECOUNT_INTERVAL: Duration = Duration::from_secs(10);

/// Sockets that hold a place and are not in a hub yet, and the recounts of places.
#[derive(Default)]
pub struct Places {
    entering: Mutex<HashMap<String, Vec<Arc<str>>>>,
    /// For each user the last recount, locked while one runs.
    recounts: Mutex<HashMap<String, Arc<Recount>>>,
}

type Recount = tokio::sync::Mutex<Option<Instant>>;

/// A socket that is being let in. It counts as one that is there until this is dropped.
pub struct Entering<'a> {
    places: &'a Places,
    user: String,
    socket: Arc<str>,
}

impl Places {
    pub fn enter(&self, user: &str, socket: &Arc<str>) -> Entering<'_> {
        self.lock().entry(user.into()).or_default().push(Arc::clone(socket));
        Entering { places: self, user: user.into(), socket: Arc::clone(socket) }
    }

    /// The sockets of a user that are being let in.
    pub fn entering(&self, user: &str) -> Vec<Arc<str>> {
        self.lock().get(user).cloned().unwrap_or_default()
    }

    fn recount(&self, user: &str) -> Arc<Recount> {
        let mut recounts = self.recounts.lock().unwrap_or_else(PoisonError::into_inner);
        // One that nobody uses and that is old says nothing any more.
        recounts.retain(|_, recount| {
            let is_recent =
                recount.try_lock().is_ok_and(|last| last.is_some_and(|at| at.elapsed() < RECOUNT_INTERVAL));
            is_recent || Arc::strong_count(recount) > 1
        });
        Arc::clone(recounts.entry(user.into()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<str>>>> {
        self.entering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entering<'_> {
    fn drop(&mut self) {
        let mut entering = self.places.lock();
        if let Some(sockets) = entering.get_mut(&self.user) {
            sockets.retain(|socket| *socket != self.socket);
            if sockets.is_empty() {
                entering.remove(&self.user);
            }
        }
    }
}

impl Gateway {
    /// Takes the places that a socket needs, or refuses it.
    pub(crate) async fn take_places(
        &self,
        peer: &Peer,
        claims: &Claims,
        socket: &str,
    ) -> Result<(), Refusal> {
        let holds = self.holds(peer, claims, socket);
        if self.hold_within_limits(peer, claims, &holds).await {
            return Ok(());
        }
        // A gateway that died may have left places behind, and its clients come back before they expire.
        let recount = self.places.recount(&claims.user_id);
        let mut last = recount.lock().await;
        let mut admitted = self.hold_within_limits(peer, claims, &holds).await;
        if !admitted && last.is_none_or(|at| at.elapsed() > RECOUNT_INTERVAL) {
            self.release_abandoned(&claims.user_id).await;
            *last = Some(Instant::now());
            admitted = self.hold_within_limits(peer, claims, &holds).await;
        }
        drop(last);
        if admitted {
            return Ok(());
        }
        self.keeper.release(holds);
        Err(Refusal::new(RefusalCode::RateLimited, "too many sockets are open already"))
    }

    async fn hold_within_limits(&self, peer: &Peer, claims: &Claims, holds: &[Hold]) -> bool {
        let counts = match self.platform.backplane.hold(holds, PLACE_TTL).await {
            Ok(counts) => counts,
            // The backplane is unavailable: this gateway's own sockets are counted. Never open.
            Err(_) => self.count_own(peer, claims),
        };
        let settings = &self.settings;
        let limits = [settings.gateway_sockets_per_user, settings.gateway_sockets_per_ip];
        counts.iter().zip(limits).all(|(count, limit)| *count <= limit)
    }

    /// Gives places of a user back that are of no socket of any gateway that answers.
    async fn release_abandoned(&self, user: &str) {
        let key = user_key(user);
        let Ok(holders) = self.platform.backplane.holders(&key).await else { return };
        let answers = self.ask_all::<Vec<String>>(Question::Places { user: user.into() }).await.answers;
        let live = answers.into_iter().flatten().collect::<HashSet<_>>();
        let abandoned = holders.into_iter().filter(|holder| !live.contains(holder));
        let abandoned = abandoned.map(|holder| Hold { key: key.clone(), holder }).collect::<Vec<_>>();
        if let Err(error) = self.platform.backplane.release(&abandoned).await {
            tracing::debug!(%error, "places of sockets that are gone cannot be released now");
        }
    }

    /// The sockets of a user here that hold a place.
    pub(crate) fn places_of(&self, user: &str) -> Vec<Arc<str>> {
        let room = user_room(user);
        let mut sockets = self.places.entering(user);
        sockets.extend(self.sockets(|hub| hub.in_room(&room)).into_iter().map(|ended| ended.socket));
        sockets
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
        let mut holds = vec![Hold { key: user_key(&claims.user_id), holder: socket.into() }];
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

fn user_key(user: &str) -> String {
    format!("ws:user:{user}")
}
