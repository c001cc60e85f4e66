use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backplane::{Backplane, Put};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Tasks;
use uuid::Uuid;

const INTERVAL: TimeDelta = TimeDelta::minutes(1);
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// Reports the last uses of service tokens to auth-service through the backplane. Every service verifies
/// these tokens, but only auth-service can write the time of use to their rows.
#[derive(Clone, Default)]
pub struct TokenUses {
    noted: Arc<Mutex<HashMap<Uuid, DateTime<Utc>>>>,
}

impl TokenUses {
    /// Records a use, at most once a minute for each token. Does not wait.
    pub fn note(&self, id: Uuid, now: DateTime<Utc>, backplane: &Backplane, tasks: &Tasks) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&id).is_some_and(|at| now - *at < INTERVAL) {
            return;
        }
        noted.retain(|_, at| now - *at < INTERVAL);
        noted.insert(id, now);
        let backplane = backplane.clone();
        tasks.run("note the use of a service token", async move {
            let put = Put { key: key(id), value: Some(now.to_rfc3339()), ttl: KEEP };
            if let Err(error) = backplane.keys.put(&[put]).await {
                tracing::debug!(%error, "did not record the use of a service token");
            }
        });
    }

    /// Returns and deletes the last use that was recorded. If several replicas take it, one of them gets it.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn take(backplane: &Backplane, id: Uuid) -> backplane::Result<Option<DateTime<Utc>>> {
        let noted = backplane.keys.take(&key(id)).await?;
        Ok(noted.and_then(|at| DateTime::parse_from_rfc3339(&at).ok()).map(|at| at.with_timezone(&Utc)))
    }
}

fn key(id: Uuid) -> String {
    format!("auth:token-used:{id}")
}
