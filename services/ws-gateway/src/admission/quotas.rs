//! Limits the sockets of a user and of an address, counted over all replicas.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backplane::{Backplane, Hold};
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use super::held_slots::{HeldSlots, network_key, user_key};
use super::peer::Peer;
use crate::batch_writer::BatchWriter;
use crate::cluster::{Answers, Cluster, Question};
use crate::protocol::{Refusal, RefusalCode};

/// The slots of a replica that dies become free after this time.
const SLOT_TTL: Duration = Duration::from_secs(90);
const RENEW_INTERVAL: Duration = Duration::from_secs(30);
const RENEW_CHUNK: usize = 500;
/// Minimum interval between two recounts for one user.
const RECOUNT_INTERVAL: Duration = Duration::from_secs(10);

/// Sockets that may be open; 0 for an address means no limit.
#[derive(Clone, Copy)]
pub(crate) struct QuotaLimits {
    pub per_user: u64,
    pub per_ip: u64,
}

/// Takes and releases slots, one for each socket.
pub(crate) struct Quotas {
    backplane: Backplane,
    cluster: Arc<Cluster>,
    held: Arc<HeldSlots>,
    writer: Arc<BatchWriter>,
    limits: QuotaLimits,
    /// The time of the last recount of each user, locked while a recount runs.
    recounts: Mutex<HashMap<String, Arc<Recount>>>,
}

type Recount = tokio::sync::Mutex<Option<Instant>>;

/// The slots of one socket. Dropping this releases them, unless [`keep`](Self::keep) was called.
pub(crate) struct Taking<'a> {
    quotas: &'a Quotas,
    user: &'a str,
    peer: &'a Peer,
    slot: &'a Arc<str>,
    is_kept: bool,
}

impl Taking<'_> {
    /// Leaves the slots to the socket, which has to [release](Quotas::release) them.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.quotas.release(self.user, self.peer, self.slot);
        }
    }
}

impl Quotas {
    pub(crate) fn new(
        backplane: Backplane,
        cluster: Arc<Cluster>,
        held: Arc<HeldSlots>,
        writer: Arc<BatchWriter>,
        limits: QuotaLimits,
    ) -> Self {
        Self { backplane, cluster, held, writer, limits, recounts: Mutex::default() }
    }

    /// Takes the slots that a socket needs, or refuses the socket. `slot` must be a new id, so that no other socket
    /// can release the slots.
    pub(crate) async fn take<'a>(
        &'a self,
        user: &'a str,
        peer: &'a Peer,
        slot: &'a Arc<str>,
    ) -> Result<Taking<'a>, Refusal> {
        let holds = self.holds(user, peer, slot);
        for hold in &holds {
            self.held.insert(&hold.key, slot);
        }
        let taking = Taking { quotas: self, user, peer, slot, is_kept: false };
        if self.take_within_limits(user, peer, &holds).await {
            return Ok(taking);
        }
        Err(Refusal::new(RefusalCode::RateLimited, "too many sockets are open already"))
    }

    /// Releases the slots of a socket.
    pub(crate) fn release(&self, user: &str, peer: &Peer, slot: &Arc<str>) {
        let holds = self.holds(user, peer, slot);
        for hold in &holds {
            self.held.remove(&hold.key, slot);
        }
        self.writer.release(holds);
    }

    /// Releases the slots of a socket that is replaced, before the socket that replaces it takes its own.
    pub(crate) async fn release_at_once(&self, user: &str, peer: &Peer, slot: &str) {
        if let Err(error) = self.backplane.keys.release(&self.holds(user, peer, slot)).await {
            tracing::debug!(%error, "could not release slots, they will expire");
        }
    }

    /// Renews the slots of this replica until `stop`. Also when the backplane is available again: meanwhile, the other
    /// replicas may have taken this one for dead.
    pub(crate) async fn renew(&self, stop: CancellationToken) {
        let (mut ticks, mut link) = (interval(RENEW_INTERVAL), self.backplane.link());
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
                Ok(()) = link.changed() => {}
            }
            for chunk in self.held.all().chunks(RENEW_CHUNK) {
                if let Err(error) = self.backplane.keys.hold(chunk, SLOT_TTL).await {
                    tracing::debug!(%error, "could not renew slots");
                }
            }
        }
    }

    async fn take_within_limits(&self, user: &str, peer: &Peer, holds: &[Hold]) -> bool {
        if self.hold(holds).await {
            return true;
        }
        // A replica that died may have left slots behind, and its clients reconnect before the slots expire.
        let recount = self.recount(user);
        let mut last = recount.lock().await;
        let mut is_admitted = self.hold(holds).await;
        if !is_admitted && last.is_none_or(|at| at.elapsed() > RECOUNT_INTERVAL) {
            // Before the question: a client that gives up meanwhile must not cause another one at once.
            *last = Some(Instant::now());
            self.release_abandoned(user, peer, holds).await;
            is_admitted = self.hold(holds).await;
        }
        is_admitted
    }

    async fn hold(&self, holds: &[Hold]) -> bool {
        let counts = match self.backplane.keys.hold(holds, SLOT_TTL).await {
            Ok(counts) => counts,
            // Without the backplane, only the sockets of this replica are counted: a limit always applies.
            Err(_) => holds.iter().map(|hold| self.held.of_key(&hold.key).len() as u64).collect(),
        };
        let limits = [self.limits.per_user, self.limits.per_ip];
        counts.iter().zip(limits).all(|(count, limit)| *count <= limit)
    }

    /// Asks all replicas which slots of a user and an address their sockets hold, and releases all others. Does
    /// nothing if a response is unreadable, or this replica does not hear the question itself.
    async fn release_abandoned(&self, user: &str, peer: &Peer, holds: &[Hold]) {
        let mut stored = Vec::new();
        for Hold { key, .. } in holds {
            let Ok(holders) = self.backplane.keys.holders(key).await else { return };
            stored.extend(holders.into_iter().map(|holder| Hold { key: key.clone(), holder }));
        }
        let network = (self.limits.per_ip > 0).then(|| peer.network());
        let question = Question::Slots { user: user.into(), network };
        let Answers { answers, has_failed, .. } = self.cluster.ask_all::<Vec<String>>(question).await;
        if has_failed {
            // No slot may be released while it is unknown which slots the other replicas hold.
            return;
        }
        let live = answers.into_iter().flatten().collect::<HashSet<_>>();
        let abandoned: Vec<Hold> = stored.into_iter().filter(|hold| !live.contains(&hold.holder)).collect();
        if let Err(error) = self.backplane.keys.release(&abandoned).await {
            tracing::debug!(%error, "could not release abandoned slots");
        }
    }

    fn recount(&self, user: &str) -> Arc<Recount> {
        let mut recounts = self.recounts.lock().unwrap_or_else(PoisonError::into_inner);
        // Keeps the map small: an old recount that no task uses has no effect.
        recounts.retain(|_, recount| {
            let is_recent =
                recount.try_lock().is_ok_and(|last| last.is_some_and(|at| at.elapsed() < RECOUNT_INTERVAL));
            is_recent || Arc::strong_count(recount) > 1
        });
        Arc::clone(recounts.entry(user.into()).or_default())
    }

    fn holds(&self, user: &str, peer: &Peer, slot: &str) -> Vec<Hold> {
        let mut holds = vec![Hold { key: user_key(user), holder: slot.into() }];
        if self.limits.per_ip > 0 {
            holds.push(Hold { key: network_key(&peer.network()), holder: slot.into() });
        }
        holds
    }
}
