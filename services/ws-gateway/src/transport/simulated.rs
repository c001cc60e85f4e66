//! The gateway without a network, for the simulation: clients exchange messages and bytes with it in memory.

use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::Result;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::poll_fn as stream_of;
use platform::Platform;
use smallvec::smallvec;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Sleep, sleep};
use uuid::Uuid;

use super::connection::Connection;
use super::execute::{execute, execute_now};
use super::incoming::{Incoming, read};
use super::worker::Worker;
use crate::admission::Peer;
use crate::client::{Candidate, Credentials, Effect, Reply};
use crate::config::Settings;
use crate::outbound::Written;
use crate::protocol::NamespaceKind;
use crate::protocol::engineio::Transport;
use crate::state::State;

/// See `LINGER` of the WebSockets.
const LINGER: Duration = Duration::from_secs(1);

/// A gateway whose clients are simulated.
pub struct Gateway {
    state: State,
    worker: Worker,
}

/// The protocol of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    SocketIo,
    Plain,
}

/// The client's end of a WebSocket.
pub struct Wire {
    messages: UnboundedSender<Incoming>,
    pipe: Arc<Pipe>,
}

/// The bytes on their way to a client: as many as the buffers of both kernels hold.
struct Pipe {
    state: Mutex<PipeState>,
}

struct PipeState {
    bytes: Vec<u8>,
    capacity: usize,
    /// No more bytes follow. Those in the pipe still arrive.
    is_over: bool,
    writer: Option<Waker>,
    reader: Option<Waker>,
}

/// Ends the pipe with the task that writes, however that ends.
struct WriteEnd(Arc<Pipe>);

impl Gateway {
    /// Starts the tasks of a gateway in which at most `queue_bytes` wait for one connection. Must be called inside a `LocalSet`.
    ///
    /// # Errors
    /// See [`State::connect`].
    pub fn start(platform: Platform, settings: Settings, queue_bytes: usize) -> Result<Self> {
        let (served, tasks) = (platform.lifecycle().served.clone(), platform.lifecycle().tasks.clone());
        let state = State::connect(platform, settings)?;
        tasks.spawn("background", crate::run_background(state.clone(), served));
        let worker = state.worker_with_queues(queue_bytes);
        Ok(Self { state, worker })
    }

    /// Opens the WebSocket of a client. `token` is the one in the handshake; `capacity` is that of the pipe, in bytes.
    pub fn open(&self, protocol: Protocol, ip: IpAddr, token: Option<String>, capacity: usize) -> Wire {
        let services = &self.worker.services;
        let peer = Peer { ip: Some(ip), ..Peer::default() };
        let (connection, effects) = match protocol {
            Protocol::SocketIo => {
                let peer = Peer { query_token: token.clone(), ..peer };
                Connection::socket_io(services, peer, Transport::WebSocket)
            }
            Protocol::Plain => Connection::plain(services, peer),
        };
        execute_now(&connection, effects);
        let (messages, received) = unbounded_channel();
        let state = PipeState { bytes: Vec::new(), capacity, is_over: false, writer: None, reader: None };
        let pipe = Arc::new(Pipe { state: Mutex::new(state) });
        let token = token.filter(|_| protocol == Protocol::Plain);
        let serving = serve(connection, token, received, WriteEnd(Arc::clone(&pipe)));
        let serving = self.worker.farewells.track_future(serving);
        services.tasks.run("socket", serving);
        Wire { messages, pipe }
    }

    /// The sessions of the authorized sockets.
    pub fn sessions(&self) -> Vec<Uuid> {
        let mut sessions = Vec::new();
        self.state.hubs.for_each_member(|member| sessions.extend(member.owner.sid));
        sessions
    }

    /// Bytes that wait in the fullest queue of a socket.
    pub fn fullest_queue(&self) -> usize {
        let sockets = self.state.hubs.sockets();
        sockets.iter().map(|socket| socket.subscriber.outbound().waiting_bytes()).max().unwrap_or(0)
    }
}

impl Drop for Gateway {
    /// The sockets and the connections refer to each other.
    fn drop(&mut self) {
        for socket in self.state.hubs.sockets() {
            for hub in self.state.hubs.all() {
                hub.leave(&socket.socket);
            }
        }
        for connection in self.state.sessions.all() {
            self.state.sessions.remove(&connection.id);
        }
    }
}

impl Wire {
    /// Sends a text message.
    pub fn send(&self, text: String) {
        self.message(Incoming::Text(text.into()));
    }

    pub fn pong(&self) {
        self.message(Incoming::Pong);
    }

    pub fn close(&self) {
        self.message(Incoming::Close);
    }

    fn message(&self, message: Incoming) {
        // An error means that the gateway reads no more.
        let _ = self.messages.send(message);
    }

    /// Waits for bytes, and takes at most `limit` of them. Returns `None` at the end. Cancel-safe.
    pub async fn receive(&self, limit: usize) -> Option<Vec<u8>> {
        poll_fn(|cx| {
            let mut pipe = self.pipe.lock();
            if pipe.bytes.is_empty() {
                if pipe.is_over {
                    return Poll::Ready(None);
                }
                pipe.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let taken = limit.min(pipe.bytes.len());
            let rest = pipe.bytes.split_off(taken);
            if let Some(writer) = pipe.writer.take() {
                writer.wake();
            }
            Poll::Ready(Some(std::mem::replace(&mut pipe.bytes, rest)))
        })
        .await
    }
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let mut pipe = self.lock();
        pipe.is_over = true;
        if let Some(reader) = pipe.reader.take() {
            reader.wake();
        }
    }

    fn write(&self, cx: &Context<'_>, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut pipe = self.lock();
        let mut written = 0;
        for piece in pieces {
            let room = pipe.capacity - pipe.bytes.len();
            let part = &piece[..piece.len().min(room)];
            pipe.bytes.extend_from_slice(part);
            written += part.len();
            if part.len() < piece.len() {
                break;
            }
        }
        if written == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Err(ErrorKind::WouldBlock.into());
        }
        if let Some(reader) = pipe.reader.take() {
            reader.wake();
        }
        Ok(written)
    }
}

impl Drop for WriteEnd {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// As a WebSocket is served on a TCP stream.
async fn serve(
    connection: Arc<Connection>,
    token: Option<String>,
    mut received: UnboundedReceiver<Incoming>,
    end: WriteEnd,
) {
    let outbound = &connection.outbound;
    let mut reading: BoxFuture<'_, ()> = Box::pin(async {
        if let Some(token) = token {
            let (kind, credentials) = (NamespaceKind::Plain, Credentials::Token(token));
            let candidate = Candidate::Socket { kind, credentials, is_repeated: false, reply: Reply::None };
            execute(&connection, smallvec![Effect::Admit(candidate.into())]).await;
        }
        read(&connection, 0, stream_of(|cx| received.poll_recv(cx)).boxed()).await;
    });
    let (mut is_read, mut is_written) = (false, false);
    let mut lingering: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        is_read = is_read || reading.as_mut().poll(cx).is_ready();
        is_written = is_written || poll_write(&connection, &end, cx).is_ready();
        if is_read && is_written {
            return Poll::Ready(());
        }
        if !outbound.is_over(0) {
            return Poll::Pending;
        }
        lingering.get_or_insert_with(|| Box::pin(sleep(LINGER))).as_mut().poll(cx)
    })
    .await;
}

fn poll_write(connection: &Connection, end: &WriteEnd, cx: &Context<'_>) -> Poll<()> {
    match connection.outbound.write_queued(0, cx, |pieces| end.0.write(cx, pieces)) {
        Ok(Written::All | Written::Blocked) => Poll::Pending,
        Ok(Written::Ended) => {
            end.0.end();
            Poll::Ready(())
        }
        Err(_) => Poll::Ready(()),
    }
}
