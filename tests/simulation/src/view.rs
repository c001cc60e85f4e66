//! The events that one client has been shown, and whether they are right.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::database::{Committed, Database, Fact, Version};
use crate::process::User;

/// The state of a page: what it loaded from the database, and the events since then.
pub(crate) struct View {
    user: User,
    /// Whether the page asks for the drifts.
    wants_drifts: bool,
    /// The number of facts that were committed when the page last loaded everything.
    loaded_at: Option<usize>,
    /// The number when it last loaded the drifts, if it subscribed to them.
    drifts_loaded_at: Option<usize>,
    seen: HashSet<Seen>,
    newest: HashMap<Uuid, u32>,
    /// The place of the last event in the log. `None` after everything was loaded.
    position: Option<(String, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Seen {
    Drift(Version),
    Session { session: Uuid, ends: bool },
}

/// An event as a client reads it.
#[derive(Debug)]
pub(crate) enum Shown {
    Drift(Version),
    Session { user: Uuid, session: Uuid, ends: bool },
}

impl View {
    pub(crate) fn new(user: User, wants_drifts: bool) -> Self {
        Self {
            user,
            wants_drifts,
            loaded_at: None,
            drifts_loaded_at: None,
            seen: HashSet::new(),
            newest: HashMap::new(),
            position: None,
        }
    }

    /// Whether the page has loaded everything since it was told to.
    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded_at.is_some()
    }

    /// Whether the page has, or does not want, the drifts.
    pub(crate) fn has_drifts(&self) -> bool {
        !self.wants_drifts || self.drifts_loaded_at.is_some()
    }

    /// The page has to load everything again, once it is connected.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.user.clone(), self.wants_drifts);
    }

    /// Loads everything. `is_subscribed`: to the drifts.
    pub(crate) fn load(&mut self, database: &Database, is_subscribed: bool) {
        self.forget();
        self.loaded_at = Some(database.now());
        self.drifts_loaded_at = is_subscribed.then(|| database.now());
    }

    /// The gateway confirmed the subscription; the page loads the drifts.
    pub(crate) fn subscribe(&mut self, database: &Database) {
        self.drifts_loaded_at.get_or_insert_with(|| database.now());
    }

    /// Takes the place of an event in the log.
    pub(crate) fn move_to(&mut self, epoch: &str, seq: u64) -> Result<(), String> {
        if let Some((old, last)) = &self.position {
            if old != epoch {
                return Err(format!("the log changed from {old}:{last} to {epoch}:{seq} without a resync"));
            }
            if seq <= *last {
                return Err(format!("an event at {seq} came after the one at {last}"));
            }
        }
        self.position = Some((epoch.to_owned(), seq));
        Ok(())
    }

    /// Takes an event.
    pub(crate) fn show(&mut self, shown: &Shown, database: &Database) -> Result<(), String> {
        let seen = match shown {
            Shown::Drift(version) => {
                let fact = database.with_facts(|facts| find(facts, *version));
                let Some(Fact::Drift { account, .. }) = fact else {
                    return Err(format!("{version:?} was shown, and never committed"));
                };
                let is_own =
                    version.number == 1 && (self.user.account.is_none() || self.user.account == account);
                if !is_own && !self.wants_drifts {
                    return Err(format!("{version:?} of account {account:?} was shown to {:?}", self.user));
                }
                let newest = self.newest.entry(version.subject).or_default();
                if version.number < *newest {
                    return Err(format!("{version:?} came after version {newest}"));
                }
                *newest = version.number;
                Seen::Drift(*version)
            }
            Shown::Session { user, session, ends } => {
                if *user != self.user.id {
                    return Err(format!("an event of user {user} was shown to {:?}", self.user));
                }
                Seen::Session { session: *session, ends: *ends }
            }
        };
        if !self.seen.insert(seen) {
            return Err(format!("{seen:?} was shown twice"));
        }
        Ok(())
    }

    /// The first fact that the page should have been shown.
    pub(crate) fn missing(&self, facts: &[Committed]) -> Option<String> {
        let loaded_at = self.loaded_at?;
        let missing = facts.iter().enumerate().skip(loaded_at).find(|(index, committed)| {
            let seen = match &committed.fact {
                Fact::Drift { version, account } => {
                    let is_own =
                        version.number == 1 && (self.user.account.is_none() || self.user.account == *account);
                    if !is_own && self.drifts_loaded_at.is_none_or(|at| *index < at) {
                        return false;
                    }
                    Seen::Drift(*version)
                }
                Fact::Session { user, session, ends } if *user == self.user.id => {
                    Seen::Session { session: *session, ends: *ends }
                }
                Fact::Session { .. } => return false,
            };
            !self.seen.contains(&seen)
        });
        missing.map(|(_, committed)| format!("{:?}, committed at {:?}", committed.fact, committed.at))
    }
}

fn find(facts: &[Committed], wanted: Version) -> Option<Fact> {
    let is_wanted =
        |committed: &&Committed| matches!(&committed.fact, Fact::Drift { version, .. } if *version == wanted);
    facts.iter().rev().find(is_wanted).map(|committed| committed.fact.clone())
}
