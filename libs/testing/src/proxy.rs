use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A TCP proxy on 127.0.0.1 that breaks connections on demand.
pub struct Proxy {
    address: SocketAddr,
    upstream: Arc<Mutex<SocketAddr>>,
    line: watch::Sender<Line>,
    accepting: JoinHandle<()>,
}

/// The state of the line. `cuts` counts the cuts, so that connections end even if the line is open again at
/// once.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Line {
    flow: Flow,
    cuts: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    Stalled,
    Cut,
}

impl Proxy {
    /// Starts to forward everything to `upstream`.
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (line, state) = watch::channel(Line { flow: Flow::Open, cuts: 0 });
        let upstream = Arc::new(Mutex::new(upstream));
        let current = Arc::clone(&upstream);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let upstream = *current.lock().unwrap_or_else(PoisonError::into_inner);
                tokio::spawn(connect(client, upstream, state.clone()));
            }
        });
        Self { address, upstream, line, accepting }
    }

    /// Returns the address for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forwards new connections to another address; open ones keep theirs.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *self.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream;
    }

    /// Closes all connections, and new ones at once, until [`resume`](Self::resume).
    pub fn cut(&self) {
        self.line.send_modify(|line| *line = Line { flow: Flow::Cut, cuts: line.cuts + 1 });
    }

    /// Keeps connections open but forwards no bytes, until [`resume`](Self::resume).
    pub fn stall(&self) {
        self.line.send_modify(|line| line.flow = Flow::Stalled);
    }

    /// Forwards everything again.
    pub fn resume(&self) {
        self.line.send_modify(|line| line.flow = Flow::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Runs one connection. It ends when either side closes it, when the line is cut, or with the proxy.
async fn connect(client: TcpStream, upstream: SocketAddr, line: watch::Receiver<Line>) {
    let Line { flow, cuts } = *line.borrow();
    if flow == Flow::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut watched = line.clone();
    tokio::select! {
        () = pump(from_client, to_server, line.clone()) => {}
        () = pump(from_server, to_client, line) => {}
        _ = watched.wait_for(|line| line.cuts != cuts) => {}
    }
}

/// Copies one direction while the line is open.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if line.wait_for(|line| line.flow == Flow::Open).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
