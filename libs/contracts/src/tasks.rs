use std::any::Any;
use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::sync::CancellationToken;

/// Spawns every task of a process; clippy forbids the other ways. Cheap to clone.
///
/// The process relies on its vital tasks ([`spawn`](Self::spawn)). If one fails or panics, the process
/// stops instead of running on without the task's work. Work for one client
/// ([`run`](Self::run)) fails alone, so that no client can stop the process.
#[derive(Clone, Debug)]
pub struct Tasks {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The runtime of the process, because worker threads end before the process does.
    runtime: Handle,
    stop: CancellationToken,
    failed: AtomicBool,
    /// The tasks of a process that can die; `None` for a real process.
    mortal: Option<Mutex<Vec<AbortHandle>>>,
}

impl Tasks {
    /// Creates a spawner on the runtime of the caller. If a vital task fails, `stop` is cancelled.
    ///
    /// # Panics
    /// If called outside a tokio runtime.
    pub fn new(stop: CancellationToken) -> Self {
        Self::with(stop, None)
    }

    /// Creates a spawner whose tasks [`kill`](Self::kill) ends, for a simulated process.
    ///
    /// # Panics
    /// If called outside a tokio runtime.
    pub fn mortal(stop: CancellationToken) -> Self {
        Self::with(stop, Some(Mutex::default()))
    }

    fn with(stop: CancellationToken, mortal: Option<Mutex<Vec<AbortHandle>>>) -> Self {
        let inner = Inner { runtime: Handle::current(), stop, failed: AtomicBool::new(false), mortal };
        Self { inner: Arc::new(inner) }
    }

    /// Ends every [mortal](Self::mortal) task where it waits, as the death of a process does. On the thread of the
    /// runtime, no task goes on after this call.
    pub fn kill(&self) {
        let Some(tasks) = &self.inner.mortal else { return };
        tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..).for_each(|task| task.abort());
    }

    /// Runs a vital task until it ends by itself or its handle is aborted.
    #[expect(clippy::disallowed_methods, reason = "the one place where tasks are spawned")]
    pub fn spawn<E: Display + 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> JoinHandle<()> {
        let tasks = self.clone();
        let guarded = AssertUnwindSafe(task).catch_unwind().map(move |ended| tasks.note_end(name, ended));
        self.note(self.inner.runtime.spawn(guarded))
    }

    /// Runs a vital task on the calling worker thread.
    #[expect(clippy::disallowed_methods, reason = "the one place where tasks are spawned")]
    pub fn spawn_local<E: Display + 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + 'static,
    ) -> JoinHandle<()> {
        let tasks = self.clone();
        let guarded = AssertUnwindSafe(task).catch_unwind().map(move |ended| tasks.note_end(name, ended));
        self.note(tokio::task::spawn_local(guarded))
    }

    /// Runs work whose failure concerns one client or one request. The handle returns `None` if the work
    /// panicked.
    #[expect(clippy::disallowed_methods, reason = "the one place where tasks are spawned")]
    pub fn run<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let contained = AssertUnwindSafe(work).catch_unwind().map(move |ended| contain(name, ended));
        self.note(self.inner.runtime.spawn(contained))
    }

    /// Like [`run`](Self::run), but on the calling worker thread. Passes the result to `end`: `None` if the
    /// work panicked.
    #[expect(clippy::disallowed_methods, reason = "the one place where tasks are spawned")]
    pub fn run_local<T: 'static>(
        &self,
        name: &'static str,
        work: impl Future<Output = T> + 'static,
        end: impl FnOnce(Option<T>) + 'static,
    ) {
        let contained = AssertUnwindSafe(work).catch_unwind().map(move |ended| end(contain(name, ended)));
        self.note(tokio::task::spawn_local(contained));
    }

    /// Whether a vital task has failed, which stopped the process.
    pub fn have_failed(&self) -> bool {
        self.inner.failed.load(Ordering::Relaxed)
    }

    fn note<T>(&self, task: JoinHandle<T>) -> JoinHandle<T> {
        if let Some(tasks) = &self.inner.mortal {
            let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
            if tasks.len() == tasks.capacity() {
                tasks.retain(|task| !task.is_finished());
            }
            tasks.push(task.abort_handle());
        }
        task
    }

    fn note_end<E: Display>(&self, name: &'static str, ended: std::thread::Result<Result<(), E>>) {
        let error = match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("{error:#}"),
            Err(panic) => format!("panic: {}", message(&*panic)),
        };
        tracing::error!(task = name, error, "a background task failed, stopping");
        self.inner.failed.store(true, Ordering::Relaxed);
        self.inner.stop.cancel();
    }
}

fn contain<T>(name: &'static str, ended: std::thread::Result<T>) -> Option<T> {
    ended.inspect_err(|panic| tracing::error!(task = name, error = message(&**panic), "a task panicked")).ok()
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    async fn in_time<T>(event: impl Future<Output = T>) -> T {
        tokio::time::timeout(std::time::Duration::from_secs(5), event).await.expect("it happens in time")
    }

    #[tokio::test]
    async fn a_vital_task_that_panics_stops_the_process() {
        let (stop, other) = (CancellationToken::new(), CancellationToken::new());
        let tasks = Tasks::new(stop.clone());
        tasks.spawn("ends", async { Ok::<(), Infallible>(()) }).await.unwrap();
        assert!(!stop.is_cancelled());
        tasks.spawn("panics", async { if true { panic!("boom") } else { Ok::<(), Infallible>(()) } });
        in_time(stop.cancelled()).await;
        assert!(tasks.have_failed());

        let tasks = Tasks::new(other.clone());
        tasks.spawn("fails", async { Err("no good") });
        in_time(other.cancelled()).await;
    }

    #[tokio::test]
    async fn work_for_one_client_fails_alone() {
        let stop = CancellationToken::new();
        let tasks = Tasks::new(stop.clone());
        assert_eq!(tasks.run("works", async { 7 }).await.unwrap(), Some(7));
        assert_eq!(
            tasks
                .run("panics", async {
                    if true {
                        panic!("boom")
                    }
                })
                .await
                .unwrap(),
            None
        );
        let (ended, told) = tokio::sync::oneshot::channel();
        tokio::task::LocalSet::new()
            .run_until(async {
                let end = |result: Option<()>| ended.send(result).unwrap();
                tasks.run_local(
                    "panics",
                    async {
                        if true {
                            panic!("boom")
                        }
                    },
                    end,
                );
                assert_eq!(told.await, Ok(None));
            })
            .await;
        assert!(!stop.is_cancelled() && !tasks.have_failed());
    }

    #[tokio::test]
    async fn a_vital_task_of_a_worker_thread_that_panics_stops_the_process() {
        let stop = CancellationToken::new();
        let tasks = Tasks::new(stop.clone());
        tokio::task::LocalSet::new()
            .run_until(async {
                tasks.spawn_local("panics", async { if true { panic!("boom") } else { Err("x") } });
                in_time(stop.cancelled()).await;
            })
            .await;
        assert!(tasks.have_failed());
    }
}
