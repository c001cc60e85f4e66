use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backplane::Hold;

/// The quota slots that the sockets of this replica hold. A socket takes its slots before it is let in, and holds
/// them until it closes. A socket that resumes under the same id gets a new holder.
#[derive(Default)]
pub(crate) struct HeldSlots {
    /// Key and holder. The order of the set keeps the holders of one key together.
    slots: Mutex<BTreeSet<(Box<str>, Arc<str>)>>,
}

impl HeldSlots {
    pub(super) fn insert(&self, key: &str, holder: &Arc<str>) {
        self.lock().insert((key.into(), Arc::clone(holder)));
    }

    pub(super) fn remove(&self, key: &str, holder: &Arc<str>) {
        self.lock().remove(&(key.into(), Arc::clone(holder)));
    }

    pub(super) fn all(&self) -> Vec<Hold> {
        let slots = self.lock();
        slots.iter().map(|(key, holder)| Hold { key: (**key).into(), holder: (**holder).into() }).collect()
    }

    /// The holders of the slots of a user, and of a network.
    pub(crate) fn of(&self, user: &str, network: Option<&str>) -> Vec<Arc<str>> {
        let mut holders = self.of_key(&user_key(user));
        holders.extend(network.into_iter().flat_map(|network| self.of_key(&network_key(network))));
        holders
    }

    pub(super) fn of_key(&self, key: &str) -> Vec<Arc<str>> {
        let from = Bound::Included((key.into(), "".into()));
        let slots = self.lock();
        let of_key = slots.range((from, Bound::Unbounded)).take_while(|(own, _)| **own == *key);
        of_key.map(|(_, holder)| Arc::clone(holder)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(Box<str>, Arc<str>)>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn user_key(user: &str) -> String {
    format!("ws:user:{user}")
}

pub(super) fn network_key(network: &str) -> String {
    format!("ws:ip:{network}")
}
