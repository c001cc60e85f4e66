use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of a dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "status", content = "message")]
pub enum Status {
    Up,
    /// The service can work without the dependency for a while.
    Degraded(String),
    /// The service cannot work without the dependency.
    Down(String),
}

/// Checks one dependency.
pub(crate) type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Status> + Send>> + Send + Sync>;

/// The dependencies of a process, for `/health` and `/ready`.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<Mutex<BTreeMap<&'static str, Check>>>,
}

impl Health {
    /// Adds a dependency, or replaces the one with that name.
    pub fn register<F, R>(&self, name: &'static str, check: F)
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Status> + Send + 'static,
    {
        let check: Check = Arc::new(move || Box::pin(check()));
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(name, check);
    }

    /// Adds a dependency without which the service cannot work. `check` returns the reason why it is down.
    pub fn require<F, R>(&self, name: &'static str, check: F)
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), &'static str>> + Send + 'static,
    {
        self.register(name, move || {
            let checking = check();
            async move {
                match checking.await {
                    Ok(()) => Status::Up,
                    Err(reason) => Status::Down(reason.into()),
                }
            }
        });
    }

    /// Checks all dependencies at once.
    pub async fn look(&self) -> BTreeMap<&'static str, Status> {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let looks = checks.into_iter().map(|(name, check)| async move {
            let late = Status::Down("did not respond in time".into());
            (name, tokio::time::timeout(CHECK_TIMEOUT, check()).await.unwrap_or(late))
        });
        futures_util::future::join_all(looks).await.into_iter().collect()
    }
}
