use anyhow::Result;

use crate::platform::Platform;

/// Stops the platform at SIGTERM or Ctrl-C; a second signal ends the process at once.
///
/// # Errors
/// If signal handlers cannot be installed.
pub fn stop_on_signals(platform: &Platform) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = platform.lifecycle().stop.clone();
    platform.lifecycle().tasks.run("signals", async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                std::process::exit(130);
            }
            tracing::info!("stopping; another signal exits at once");
            stop.cancel();
        }
    });
    Ok(())
}
