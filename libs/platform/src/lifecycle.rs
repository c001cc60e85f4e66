use std::time::Duration;

use anyhow::Result;
use contracts::Tasks;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of a process and the steps of its end, in order: `stop`, the farewells, the last responses,
/// `served`, the background tasks.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// Cancelled when the process begins to stop: it is no longer ready, and open sockets are notified.
    pub stop: CancellationToken,
    /// Last messages to open sockets. The server waits for them before it stops.
    pub farewells: TaskTracker,
    /// Cancelled after the last response was sent. The tasks that requests depend on (relays, feeds) run
    /// until then.
    pub served: CancellationToken,
    /// Spawns all tasks.
    pub tasks: Tasks,
    background: TaskTracker,
}

impl Lifecycle {
    /// Creates the steps of a process whose `tasks` cancel `stop` if one of them fails.
    pub fn new(stop: CancellationToken, tasks: Tasks) -> Self {
        Self {
            stop,
            farewells: TaskTracker::new(),
            served: CancellationToken::new(),
            tasks,
            background: TaskTracker::new(),
        }
    }

    /// Runs a background task that ends with `served`; the process waits for it. If it fails or panics, the
    /// process stops.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = Result<()>> + Send + 'static) {
        self.tasks.spawn(name, self.background.track_future(task));
    }

    /// Waits for `stop`. Then waits at most `limit` for all steps of the end; `respond` sends the last
    /// responses.
    pub async fn end(&self, limit: Duration, respond: impl AsyncFnOnce()) {
        self.stop.cancelled().await;
        let deadline = Instant::now() + limit;
        self.farewells.close();
        let said = tokio::time::timeout_at(deadline, self.farewells.wait()).await.is_ok();
        let responded = tokio::time::timeout_at(deadline, respond()).await.is_ok();
        self.served.cancel();
        self.background.close();
        let ended = tokio::time::timeout_at(deadline, self.background.wait()).await.is_ok();
        if !(said && responded && ended) {
            tracing::warn!(said, responded, ended, "SHUTDOWN_SECONDS was too short for a graceful stop");
        }
    }
}
