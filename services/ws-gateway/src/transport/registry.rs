use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Values by their id, shared by all worker threads.
pub(crate) struct Registry<T> {
    by_id: RwLock<HashMap<Arc<str>, Arc<T>>>,
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self { by_id: RwLock::default() }
    }
}

impl<T> Registry<T> {
    pub(crate) fn insert(&self, id: &Arc<str>, value: &Arc<T>) {
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        by_id.insert(Arc::clone(id), Arc::clone(value));
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<T>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(crate) fn remove(&self, id: &str) {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
