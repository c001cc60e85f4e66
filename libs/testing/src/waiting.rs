use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
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

/// Below the ports that the kernel gives to outgoing connections, so that none of them can take a port before its server.
const FIRST_PORT: u32 = 10_000;
const PORTS: u32 = 20_000;
static TRIED: AtomicU32 = AtomicU32::new(0);

/// Returns a TCP port on 127.0.0.1 on which no process listens right now, and never the same one twice.
pub fn free_port() -> u16 {
    // Test programs that run at the same time begin at different ports.
    let start = std::process::id().wrapping_mul(7_919);
    let ports = (0..PORTS).map(|_| {
        let at = start.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % PORTS;
        u16::try_from(FIRST_PORT + at).unwrap_or_default()
    });
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.into_iter().find(is_free).expect("a free port on 127.0.0.1")
}
