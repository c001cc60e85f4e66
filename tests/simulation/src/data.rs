//! The data of one Redis server, with the rules of the scripts of the real driver.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use backplane::{Entry, Hold, LogRead, Message, Position, Put};
use contracts::events::is_logged;
use sha1::{Digest, Sha1};
use tokio::time::Instant;
use uuid::Uuid;

const UNLOGGED_IDS: usize = backplane::UNLOGGED_IDS;

/// Cheap to clone: a replica has an earlier clone.
#[derive(Clone, Default)]
pub(crate) struct Data {
    epoch: Option<Arc<str>>,
    secret: Option<Arc<str>>,
    seq: u64,
    log: VecDeque<Arc<Message>>,
    ids: BTreeSet<Uuid>,
    unlogged: VecDeque<Uuid>,
    doubt: Option<Arc<str>>,
    marks: BTreeMap<String, Instant>,
    counts: BTreeMap<String, (u64, Instant)>,
    values: BTreeMap<String, (String, Instant)>,
    holders: BTreeMap<String, BTreeMap<String, Instant>>,
}

/// A message to the subscribers of a channel.
#[derive(Clone)]
pub(crate) struct Published {
    pub channel: String,
    pub body: Arc<str>,
}

/// The log as a process knows it, with the place and the id of the last event that it has appended there.
#[derive(Clone)]
pub(crate) struct KnownLog {
    pub position: Position,
    pub event: Option<Uuid>,
}

/// Protections that are properties of the scripts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Removed {
    pub idempotent_append: bool,
    pub known_log: bool,
}

impl Data {
    pub(crate) fn append(
        &mut self,
        entries: &[(Entry, Vec<Instant>)],
        known: &KnownLog,
        removed: Removed,
    ) -> (Vec<Published>, KnownLog) {
        let newest = self.log.back().and_then(|message| message.position.as_ref()).map_or(0, |at| at.seq);
        let (Some(epoch), Some(secret)) = (self.epoch.clone(), self.secret.clone()) else {
            self.begin();
            return self.append(entries, known, removed);
        };
        let is_rolled_back = !removed.known_log && self.lacks(known);
        if newest != self.seq || self.doubt.as_ref() == Some(&epoch) || is_rolled_back {
            self.begin();
            return self.append(entries, known, removed);
        }
        let mut now_known = known.clone();
        if known.position.epoch != epoch {
            now_known = KnownLog { position: Position { epoch: Arc::clone(&epoch), seq: 0 }, event: None };
            if !removed.known_log {
                return (Vec::new(), now_known);
            }
        }
        let mut published = Vec::new();
        for (entry, expiries) in entries {
            let Entry { event_id, channel, envelope, marks } = entry;
            if !is_logged(channel) {
                if !self.unlogged.contains(event_id) {
                    published.push(Published { channel: channel.clone(), body: envelope.as_str().into() });
                    self.unlogged.push_back(*event_id);
                }
            } else if removed.idempotent_append || !self.ids.contains(event_id) {
                self.seq += 1;
                let position = Position { epoch: Arc::clone(&epoch), seq: self.seq };
                let open = envelope.strip_suffix('}').unwrap_or(envelope);
                let body = format!(r#"{open},"seq":{},"epoch":"{epoch}"}}"#, self.seq);
                let proof = proof(&secret, channel, &body);
                let announced = format!(r#"{},"proof":"{proof}"}}"#, &body[..body.len() - 1]);
                self.log.extend(entry.at(&position).map(Arc::new));
                self.ids.insert(*event_id);
                now_known = KnownLog { position, event: Some(*event_id) };
                published.push(Published { channel: channel.clone(), body: announced.into() });
            }
            self.add_marks(marks.iter().map(|mark| mark.value.clone()).zip(expiries.iter().copied()));
        }
        while self.unlogged.len() > UNLOGGED_IDS {
            self.unlogged.pop_front();
        }
        (published, now_known)
    }

    /// Whether the log was rolled back to before that event.
    fn lacks(&self, KnownLog { position, event }: &KnownLog) -> bool {
        let Some(event) = event else { return false };
        if self.epoch.as_ref() != Some(&position.epoch) {
            return false;
        }
        let seq_of = |message: &Message| message.position.as_ref().map_or(0, |at| at.seq);
        let first = self.log.front().map_or(u64::MAX, |first| seq_of(first));
        let is_there =
            |message: &Arc<Message>| seq_of(message) == position.seq && message.envelope.event_id == *event;
        position.seq > self.seq || first <= position.seq && !self.log.iter().any(is_there)
    }

    fn begin(&mut self) {
        self.epoch = Some(new_id());
        self.secret.get_or_insert_with(new_id);
        (self.seq, self.doubt) = (0, None);
        self.log.clear();
        self.ids.clear();
    }

    pub(crate) fn add_marks(&mut self, marks: impl IntoIterator<Item = (String, Instant)>) {
        for (value, expires) in marks {
            let known = self.marks.entry(value).or_insert(expires);
            *known = expires.max(*known);
        }
    }

    pub(crate) fn live_marks(&self, now: Instant) -> Vec<String> {
        self.marks.iter().filter(|(_, expires)| **expires > now).map(|(value, _)| value.clone()).collect()
    }

    pub(crate) fn secret(&self) -> Option<Arc<str>> {
        self.secret.clone()
    }

    pub(crate) fn epoch(&self) -> Option<Arc<str>> {
        self.epoch.clone()
    }

    pub(crate) fn head(&mut self) -> Position {
        self.secret.get_or_insert_with(new_id);
        let epoch = self.epoch.get_or_insert_with(new_id);
        Position { epoch: Arc::clone(epoch), seq: self.seq }
    }

    /// Also returns whether the log was found rolled back.
    pub(crate) fn read_after(
        &self,
        position: &Position,
        last_event: Option<Uuid>,
        limit: usize,
    ) -> (LogRead, bool) {
        if self.epoch.as_ref() != Some(&position.epoch) {
            return (LogRead::Lost, false);
        }
        if self.seq < position.seq {
            return (LogRead::Lost, true);
        }
        let seq_of = |message: &Message| message.position.as_ref().map_or(0, |at| at.seq);
        let events = self.log.iter().filter(|message| seq_of(message) >= position.seq);
        let mut events: VecDeque<_> = events.take(limit + 1).cloned().collect();
        if events.front().is_some_and(|first| seq_of(first) == position.seq)
            && let Some(first) = events.pop_front()
            && last_event.is_some_and(|event| event != first.envelope.event_id)
        {
            return (LogRead::Lost, true);
        }
        let is_contiguous = match events.front() {
            Some(first) => seq_of(first) == position.seq + 1,
            None => self.seq == position.seq,
        };
        events.truncate(limit);
        (if is_contiguous { LogRead::Events(events.into()) } else { LogRead::Lost }, false)
    }

    pub(crate) fn doubt(&mut self, epoch: &Arc<str>) {
        self.doubt = Some(Arc::clone(epoch));
    }

    /// Deletes the oldest events, if they are among these. The newest one stays.
    pub(crate) fn trim(&mut self, old: &HashSet<Uuid>) {
        while self.log.len() > 1
            && let Some(oldest) = self.log.pop_front_if(|oldest| old.contains(&oldest.envelope.event_id))
        {
            self.ids.remove(&oldest.envelope.event_id);
        }
    }

    /// Redis deletes keys for want of memory. Policies that delete keys of ours are documented as unsafe; this one
    /// loses the log.
    pub(crate) fn evict_log(&mut self) {
        self.log.clear();
    }

    pub(crate) fn hit(&mut self, key: &str, window: Duration, now: Instant) -> u64 {
        let count = self.counts.entry(key.into()).or_insert((0, now + window));
        if count.1 <= now {
            *count = (0, now + window);
        }
        count.0 += 1;
        count.0
    }

    pub(crate) fn hits(&self, key: &str, now: Instant) -> u64 {
        self.counts.get(key).filter(|(_, expires)| *expires > now).map_or(0, |(count, _)| *count)
    }

    pub(crate) fn put(&mut self, puts: &[Put], now: Instant) {
        for Put { key, value, ttl } in puts {
            match value {
                Some(value) => self.values.insert(key.clone(), (value.clone(), now + *ttl)),
                None => self.values.remove(key),
            };
        }
    }

    pub(crate) fn get(&self, key: &str, now: Instant) -> Option<String> {
        self.values.get(key).filter(|(_, expires)| *expires > now).map(|(value, _)| value.clone())
    }

    pub(crate) fn take(&mut self, key: &str, now: Instant) -> Option<String> {
        self.values.remove(key).filter(|(_, expires)| *expires > now).map(|(value, _)| value)
    }

    pub(crate) fn hold(&mut self, holds: &[Hold], ttl: Duration, now: Instant) -> Vec<u64> {
        let counts = holds.iter().map(|Hold { key, holder }| {
            let holders = self.holders.entry(key.clone()).or_default();
            holders.retain(|_, expires| *expires > now);
            holders.insert(holder.clone(), now + ttl);
            holders.len() as u64
        });
        counts.collect()
    }

    pub(crate) fn holders(&self, key: &str) -> Vec<String> {
        self.holders.get(key).map(|holders| holders.keys().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn release(&mut self, holds: &[Hold]) {
        for Hold { key, holder } in holds {
            if let Some(holders) = self.holders.get_mut(key) {
                holders.remove(holder);
            }
        }
    }
}

fn new_id() -> Arc<str> {
    Uuid::new_v4().simple().to_string().into()
}

/// As `append.lua` makes it.
fn proof(secret: &str, channel: &str, body: &str) -> String {
    let inner = Sha1::new().chain_update(secret).chain_update(channel).chain_update("\n").chain_update(body);
    let outer = Sha1::new().chain_update(secret).chain_update(hex::encode(inner.finalize()));
    hex::encode(outer.finalize())
}
