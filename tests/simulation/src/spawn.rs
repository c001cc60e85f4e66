//! Work that belongs to no process, and outlives each of them.

/// Runs work of a client, or of the run itself.
#[expect(clippy::disallowed_methods, reason = "it belongs to no process")]
pub(crate) fn spawn_local(work: impl Future<Output = ()> + 'static) {
    tokio::task::spawn_local(work);
}

/// Runs the way of a command: it travels on when the process that sent it dies.
#[expect(clippy::disallowed_methods, reason = "it belongs to no process")]
pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}
