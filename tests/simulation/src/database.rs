//! The simulated database: transactions with row locks, the outbox, and the truth about what was committed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use async_trait::async_trait;
use backplane::Entry;
use chrono::{DateTime, Utc};
use contracts::AccountId;
use database::Outbox;
use identity::UserChange;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::world::{Without, World};

/// An event that was committed.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub at: Instant,
    /// Whether every process had overcome the faults before.
    pub is_calm: bool,
    pub fact: Fact,
}

/// The subject of an event, and which of its versions this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Version {
    pub subject: Uuid,
    pub number: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Fact {
    /// The first version of a drift, or a later one.
    Drift { version: Version, account: Option<AccountId> },
    /// The role and the account of a user change.
    User { user: Uuid, change: UserChange },
    /// A session of the user begins, or ends.
    Session { user: Uuid, session: Uuid, ends: bool },
}

pub(crate) struct Session {
    pub ended: Option<Instant>,
}

struct Row {
    entry: Entry,
    created_at: DateTime<Utc>,
    sent_at: Option<Instant>,
}

/// Cheap to share: each process has the handle, and its own connection.
pub(crate) struct Database {
    world: Arc<World>,
    state: Mutex<State>,
    locks: Mutex<HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Default)]
struct State {
    next_id: i64,
    rows: BTreeMap<i64, Row>,
    committed: Vec<Committed>,
    versions: HashMap<Uuid, u32>,
    sessions: BTreeMap<Uuid, Session>,
    users: BTreeMap<Uuid, UserChange>,
    down_until: Option<Instant>,
    failing_until: Option<Instant>,
}

impl Database {
    pub(crate) fn new(world: &Arc<World>) -> Arc<Self> {
        Arc::new(Self { world: Arc::clone(world), state: Mutex::default(), locks: Mutex::default() })
    }

    /// Commits what `make` returns about the subject: the facts with their events. `make` gets the last version of
    /// the subject, and runs while the transaction holds the lock of the subject. The rows of the events get their ids
    /// before the commit, and become visible with it.
    pub(crate) async fn transact(
        &self,
        process: usize,
        subject: Uuid,
        make: impl FnOnce(u32) -> Vec<(Fact, Entry)>,
        created_at: DateTime<Utc>,
    ) -> Result<()> {
        let lock = self.lock_of(subject);
        let _held = if self.world.without == Without::RowLock { None } else { Some(lock.lock().await) };
        self.travel(process).await?;
        let last = self.state().versions.get(&subject).copied().unwrap_or(0);
        if self.world.without == Without::RowLock {
            self.state().versions.insert(subject, last + 1);
        }
        let facts = make(last);
        sleep(self.world.draw_duration(0..4)).await;
        let first = {
            let mut state = self.state();
            let first = state.next_id;
            state.next_id += i64::try_from(facts.len())?;
            first
        };
        // Other transactions may commit meanwhile; this one may fail, or its process may die.
        self.travel(process).await?;
        self.commit(first, facts, created_at)?;
        // The response may be lost although the transaction is committed.
        self.travel(process).await
    }

    fn commit(&self, first: i64, facts: Vec<(Fact, Entry)>, created_at: DateTime<Utc>) -> Result<()> {
        let mut state = self.state();
        if state.failing_until.is_some_and(|until| until > Instant::now())
            && self.world.draw(|rng| rng.bool())
        {
            bail!("the transaction was rolled back");
        }
        for (id, (fact, entry)) in (first..).zip(facts) {
            match &fact {
                Fact::Drift { version, .. } => {
                    state.versions.insert(version.subject, version.number);
                }
                Fact::User { user, change } => {
                    state.users.insert(*user, change.clone());
                }
                Fact::Session { session, ends: false, .. } => {
                    state.sessions.insert(*session, Session { ended: None });
                }
                Fact::Session { session, ends: true, .. } => {
                    if let Some(session) = state.sessions.get_mut(session) {
                        session.ended.get_or_insert_with(Instant::now);
                    }
                }
            }
            state.rows.insert(id, Row { entry, created_at, sent_at: None });
            let (at, is_calm) = (Instant::now(), self.world.is_late(self.world.start));
            state.committed.push(Committed { at, is_calm, fact });
        }
        Ok(())
    }

    fn lock_of(&self, subject: Uuid) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(subject).or_default())
    }

    /// A way to the database, or back.
    async fn travel(&self, process: usize) -> Result<()> {
        sleep(self.world.draw_duration(0..2)).await;
        if !self.world.is_reachable(process)
            || self.state().down_until.is_some_and(|until| until > Instant::now())
        {
            sleep(Duration::from_millis(500)).await;
            bail!("the database cannot be reached");
        }
        Ok(())
    }

    /// Whether a process can reach the database.
    pub(crate) async fn reach(&self, process: usize) -> bool {
        self.travel(process).await.is_ok()
    }

    /// The number of committed facts.
    pub(crate) fn now(&self) -> usize {
        self.state().committed.len()
    }

    pub(crate) fn with_facts<T>(&self, read: impl FnOnce(&[Committed]) -> T) -> T {
        read(&self.state().committed)
    }

    /// See [`World::is_late`].
    pub(crate) fn is_late(&self, changed: Instant) -> bool {
        self.world.is_late(changed)
    }

    /// The time at which a session ended.
    pub(crate) fn ended(&self, session: Uuid) -> Option<Instant> {
        self.state().sessions.get(&session)?.ended
    }

    /// All sessions that have ended.
    pub(crate) fn ended_sessions(&self) -> Vec<Uuid> {
        let state = self.state();
        state.sessions.iter().filter(|(_, session)| session.ended.is_some()).map(|(id, _)| *id).collect()
    }

    /// The state of a user since the last change, if there was one.
    pub(crate) fn changed_user(&self, user: Uuid) -> Option<UserChange> {
        self.state().users.get(&user).cloned()
    }

    /// The users that have changed.
    pub(crate) fn changed_users(&self) -> Vec<(Uuid, UserChange)> {
        self.state().users.iter().map(|(user, change)| (*user, change.clone())).collect()
    }

    pub(crate) fn unsent(&self) -> usize {
        self.state().rows.values().filter(|row| row.sent_at.is_none()).count()
    }

    /// The events that no process will publish again: those marked as sent before a time.
    pub(crate) fn sent_before(&self, time: Instant) -> HashSet<Uuid> {
        let state = self.state();
        let sent = state.rows.values().filter(|row| row.sent_at.is_some_and(|at| at < time));
        sent.map(|row| row.entry.event_id).collect()
    }

    pub(crate) fn stop(&self, duration: Duration) {
        self.state().down_until = Some(Instant::now() + duration);
    }

    pub(crate) fn fail(&self, duration: Duration) {
        self.state().failing_until = Some(Instant::now() + duration);
    }

    pub(crate) fn heal(&self) {
        let mut state = self.state();
        (state.down_until, state.failing_until) = (None, None);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outbox as one process reaches it.
pub(crate) struct ProcessOutbox {
    pub database: Arc<Database>,
    pub process: usize,
}

#[async_trait]
impl Outbox for ProcessOutbox {
    async fn unsent(&self, limit: u64) -> Result<Vec<(i64, Entry)>> {
        self.database.travel(self.process).await?;
        let unsent = {
            let state = self.database.state();
            let unsent = state.rows.iter().filter(|(_, row)| row.sent_at.is_none());
            unsent.take(usize::try_from(limit)?).map(|(id, row)| (*id, row.entry.clone())).collect()
        };
        self.database.travel(self.process).await?;
        Ok(unsent)
    }

    async fn mark_sent(&self, ids: Vec<i64>, _: DateTime<Utc>) -> Result<()> {
        self.database.travel(self.process).await?;
        for id in ids {
            if let Some(row) = self.database.state().rows.get_mut(&id) {
                row.sent_at.get_or_insert_with(Instant::now);
            }
        }
        self.database.travel(self.process).await
    }

    async fn backlog(&self) -> Result<(u64, Option<DateTime<Utc>>)> {
        let state = self.database.state();
        let mut unsent = state.rows.values().filter(|row| row.sent_at.is_none());
        let oldest = unsent.next().map(|row| row.created_at);
        Ok((u64::from(oldest.is_some()) + unsent.count() as u64, oldest))
    }

    async fn delete_sent_before(&self, _: DateTime<Utc>) -> Result<()> {
        Ok(())
    }
}
