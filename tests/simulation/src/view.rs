//! The events that one client has been shown, and whether they are right.

use std::collections::{HashMap, HashSet};

use contracts::AccountId;
use uuid::Uuid;

use crate::database::{Committed, Database, Fact, Version};
use crate::process::User;
use crate::world::ACTED_IN;

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
    User { generation: i64 },
}

/// An event as a client reads it.
#[derive(Debug)]
pub(crate) enum Shown {
    Drift(Version),
    Session { user: Uuid, session: Uuid, ends: bool },
    User { user: Uuid, generation: i64 },
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
                let may_see = self.wants_drifts || self.is_of_account(version, account.as_ref(), database);
                if !may_see {
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
            Shown::User { user, generation } => {
                if *user != self.user.id {
                    return Err(format!("a change of user {user} was shown to {:?}", self.user));
                }
                Seen::User { generation: *generation }
            }
        };
        if !self.seen.insert(seen) {
            return Err(format!("{seen:?} was shown twice"));
        }
        Ok(())
    }

    /// Whether the user may be shown the first version of a drift as one of the user's own account: the account is
    /// the present one, or was it so recently that a gateway may not know yet.
    fn is_of_account(&self, version: &Version, of: Option<&AccountId>, database: &Database) -> bool {
        version.number == 1
            && database.with_facts(|facts| {
                let changes =
                    facts.iter().filter_map(|committed| Some((committed.at, self.account_in(committed)?)));
                let (mut account, mut is_allowed) = (&self.user.account, false);
                for (until, next) in changes {
                    is_allowed |= receives(account.as_ref(), of) && !database.is_late(until);
                    account = next;
                }
                is_allowed || receives(account.as_ref(), of)
            })
    }

    /// Whether the user must be shown the first version of a drift as one of the user's own account. Not if the account
    /// changed later or shortly before: then it depends on the time at which a gateway learned that.
    fn is_due(
        &self,
        facts: &[Committed],
        drift: &Committed,
        version: Version,
        of: Option<&AccountId>,
    ) -> bool {
        let change =
            facts.iter().rev().find_map(|committed| Some((committed.at, self.account_in(committed)?)));
        let is_settled = change.is_none_or(|(at, _)| drift.is_calm && drift.at > at + ACTED_IN);
        let account = change.map_or(&self.user.account, |(_, account)| account);
        version.number == 1 && is_settled && receives(account.as_ref(), of)
    }

    /// The account to which a fact changes the user's.
    fn account_in<'a>(&self, committed: &'a Committed) -> Option<&'a Option<AccountId>> {
        match &committed.fact {
            Fact::User { user, change } if *user == self.user.id => Some(&change.account_id),
            _ => None,
        }
    }

    /// The first fact that the page should have been shown.
    pub(crate) fn missing(&self, facts: &[Committed]) -> Option<String> {
        let loaded_at = self.loaded_at?;
        let missing = facts.iter().enumerate().skip(loaded_at).find(|(index, committed)| {
            let seen = match &committed.fact {
                Fact::Drift { version, account } => {
                    let is_subscribed = self.drifts_loaded_at.is_some_and(|at| *index >= at);
                    if !is_subscribed && !self.is_due(facts, committed, *version, account.as_ref()) {
                        return false;
                    }
                    Seen::Drift(*version)
                }
                Fact::Session { user, session, ends } if *user == self.user.id => {
                    Seen::Session { session: *session, ends: *ends }
                }
                Fact::User { user, change } if *user == self.user.id => {
                    Seen::User { generation: change.generation }
                }
                Fact::Session { .. } | Fact::User { .. } => return false,
            };
            !self.seen.contains(&seen)
        });
        missing.map(|(_, committed)| format!("{:?}, committed at {:?}", committed.fact, committed.at))
    }
}

/// Whether users of an account receive the new drifts of another. Users without an account receive those of all.
fn receives(own: Option<&AccountId>, of: Option<&AccountId>) -> bool {
    own.is_none() || own == of
}

fn find(facts: &[Committed], wanted: Version) -> Option<Fact> {
    let is_wanted =
        |committed: &&Committed| matches!(&committed.fact, Fact::Drift { version, .. } if *version == wanted);
    facts.iter().rev().find(is_wanted).map(|committed| committed.fact.clone())
}
