use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process receives SIGTERM or Ctrl-C.
///
/// # Errors
/// If signal handlers cannot be installed.
pub(super) async fn asked_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
