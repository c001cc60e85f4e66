use std::net::TcpListener;
use std::time::{Duration, Instant};

/// Time that a test waits for something that must happen. Generous: only a failure takes this long.
pub const LIMIT: Duration = Duration::from_secs(15);

const PAUSE: Duration = Duration::from_millis(10);

/// Repeats `attempt` until it returns a value. Panics after [`LIMIT`], naming `what`.
pub async fn wait_for<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {LIMIT:?} in vain for {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Repeats `condition` until it is true. Panics after [`LIMIT`], naming `what`.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    wait_for(what, async || condition().await.then_some(())).await;
}

/// Like [`wait_for`], for code that runs before there is an async runtime.
pub(crate) fn wait_for_blocking<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {LIMIT:?} in vain for {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Returns a TCP port on 127.0.0.1 on which no process listens right now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on 127.0.0.1");
    listener.local_addr().expect("a bound socket has an address").port()
}
