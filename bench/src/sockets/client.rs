//! One socket of the load: after the handshake it does little more than count.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::frames::{CLOSE, FrameReader, PING, PONG, TEXT, client_frame};

/// Encloses an event's number on both sides. No other data contains this character.
pub(super) const MARK: char = '~';
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(2);
/// Time without new events after which missing events count as lost.
const GIVEN_UP: Duration = Duration::from_secs(5);

thread_local! {
    /// Shared read buffer, so that 10,000 sockets need no buffers of their own.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 * 1_024]);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    SocketIo,
    Plain,
}

/// The events that all sockets of a crowd have received.
#[derive(Default)]
pub(super) struct Tally {
    received: AtomicU64,
    out_of_order: AtomicU64,
}

impl Tally {
    pub(super) fn reset(&self) {
        self.received.store(0, Ordering::Relaxed);
        self.out_of_order.store(0, Ordering::Relaxed);
    }

    pub(super) fn out_of_order(&self) -> u64 {
        self.out_of_order.load(Ordering::Relaxed)
    }

    /// Waits for this many events. Returns how many arrived if the rest does not.
    pub(super) async fn wait_for(&self, expected: u64) -> u64 {
        let (mut received, mut since) = (0, Instant::now());
        loop {
            let now = self.received.load(Ordering::Relaxed);
            if now > received {
                (received, since) = (now, Instant::now());
            }
            if received >= expected || since.elapsed() > GIVEN_UP {
                return received;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn add(&self, number: u64, last: &mut u64) {
        if number <= *last {
            self.out_of_order.fetch_add(1, Ordering::Relaxed);
        }
        *last = number;
        self.received.fetch_add(1, Ordering::Relaxed);
    }
}

/// The end of a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub at: Instant,
    pub code: Option<u16>,
}

/// An open, authorised socket. Dropping it resets the connection.
pub(super) struct Socket {
    stream: Arc<TcpStream>,
    reading: Option<JoinHandle<Ended>>,
    /// The message that a socket of `/ws` received when it was admitted.
    pub authorized: Value,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}

impl Socket {
    /// Connects, authenticates and, if a room is given, subscribes. Waits for the responses.
    pub(super) async fn open(
        address: SocketAddr,
        protocol: Protocol,
        token: &str,
        room: Option<&str>,
        tally: Arc<Tally>,
    ) -> Result<Self> {
        let open = async {
            let mut line = Line::connect(address).await?;
            let authorized = match protocol {
                Protocol::SocketIo => line.enter_socket_io(token, room).await.map(|()| Value::Null)?,
                Protocol::Plain => line.enter_plain(token, room).await?,
            };
            let stream = Arc::clone(&line.stream);
            let reading = Some(tokio::spawn(line.count(tally)));
            Ok(Self { stream, reading, authorized })
        };
        timeout(HANDSHAKE_LIMIT, open).await.context("a handshake took too long")?
    }

    pub(super) async fn send(&self, text: &str) -> Result<()> {
        write(&self.stream, &client_frame(TEXT, text.as_bytes())).await
    }

    /// Waits until the connection ends.
    pub(super) async fn ended(mut self) -> Result<Ended> {
        let reading = self.reading.take().context("the end was waited for already")?;
        Ok(timeout(GIVEN_UP, reading).await.context("the socket was not closed")??)
    }
}

/// A connection, and the bytes of an incomplete frame.
struct Line {
    stream: Arc<TcpStream>,
    reader: FrameReader,
    /// Messages that arrived together with an expected one.
    early: Vec<String>,
    last: u64,
}

impl Line {
    async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // Otherwise tens of thousands of connections in TIME_WAIT would use up the ports.
        stream.set_zero_linger()?;
        Ok(Self { stream: Arc::new(stream), reader: FrameReader::default(), early: Vec::new(), last: 0 })
    }

    async fn enter_socket_io(&mut self, token: &str, room: Option<&str>) -> Result<()> {
        self.upgrade("/socket.io/?EIO=4&transport=websocket", "").await?;
        self.expect("0{").await?;
        self.say(&format!(r#"40{{"token":"{token}"}}"#)).await?;
        self.expect(r#"40{"sid""#).await?;
        if let Some(room) = room {
            self.say(&format!(r#"420["subscribe:{room}"]"#)).await?;
            self.expect("430[").await?;
        }
        Ok(())
    }

    async fn enter_plain(&mut self, token: &str, room: Option<&str>) -> Result<Value> {
        self.upgrade("/ws", &format!("Authorization: Bearer {token}\r\n")).await?;
        let authorized: Value = serde_json::from_str(&self.expect("connection.authorized").await?)?;
        if let Some(room) = room {
            self.say(&format!(r#"{{"type":"subscribe","room":"{room}","id":1}}"#)).await?;
            self.expect(r#""success":true"#).await?;
        }
        Ok(authorized["payload"].clone())
    }

    /// Upgrades the connection. The key is the example of RFC 6455, because the response is not checked.
    async fn upgrade(&mut self, path: &str, headers: &str) -> Result<()> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        write(&self.stream, request.as_bytes()).await?;
        let mut answer = Vec::new();
        let end = loop {
            if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            let open = read(&self.stream, |bytes| answer.extend_from_slice(bytes)).await?;
            ensure!(open, "the connection was closed in the handshake");
        };
        let (head, frames) = answer.split_at(end);
        ensure!(head.starts_with(b"HTTP/1.1 101"), "refused: {}", String::from_utf8_lossy(head));
        let early = &mut self.early;
        self.reader.feed(frames, |_, payload| early.push(String::from_utf8_lossy(payload).into_owned()));
        Ok(())
    }

    /// Returns the next message that contains `what`, and skips others before it.
    async fn expect(&mut self, what: &str) -> Result<String> {
        loop {
            if let Some(at) = self.early.iter().position(|message| message.contains(what)) {
                return Ok(self.early.drain(..=at).next_back().unwrap_or_default());
            }
            if let Some(refused) = self.early.iter().find(|message| message.starts_with("44")) {
                bail!("refused: {refused}");
            }
            let Self { stream, reader, early, .. } = self;
            let open = read(stream, |bytes| {
                reader.feed(bytes, |_, payload| early.push(String::from_utf8_lossy(payload).into_owned()));
            });
            ensure!(open.await?, "closed before {what:?} came; got {:?}", self.early);
        }
    }

    async fn say(&self, text: &str) -> Result<()> {
        write(&self.stream, &client_frame(TEXT, text.as_bytes())).await
    }

    /// Counts events and answers pings until the connection ends.
    async fn count(self, tally: Arc<Tally>) -> Ended {
        let Self { stream, mut reader, early, mut last } = self;
        early.iter().filter_map(|message| number(message.as_bytes())).for_each(|it| tally.add(it, &mut last));
        let mut code = None;
        loop {
            let mut answers = Vec::new();
            let open = read(&stream, |bytes| {
                reader.feed(bytes, |opcode, payload| match opcode {
                    PING => answers.extend(client_frame(PONG, payload)),
                    CLOSE => code = payload.first_chunk().map(|code| u16::from_be_bytes(*code)),
                    TEXT if payload == b"2" => answers.extend(client_frame(TEXT, b"3")),
                    _ => number(payload).into_iter().for_each(|it| tally.add(it, &mut last)),
                });
            });
            let open = open.await.unwrap_or(false) && code.is_none();
            if !open || (!answers.is_empty() && write(&stream, &answers).await.is_err()) {
                return Ended { at: Instant::now(), code };
            }
        }
    }
}

/// Returns the number of an event; `None` for any other message.
fn number(payload: &[u8]) -> Option<u64> {
    let mut parts = payload.split(|byte| *byte == MARK as u8);
    std::str::from_utf8(parts.nth(1)?).ok()?.parse().ok()
}

/// Waits for bytes and passes them to `see`. Returns false at the end of the stream.
async fn read(stream: &TcpStream, see: impl FnOnce(&[u8])) -> Result<bool> {
    loop {
        stream.readable().await?;
        let read = BUFFER.with_borrow_mut(|buffer| stream.try_read(buffer));
        match read {
            Ok(0) => return Ok(false),
            Ok(read) => {
                BUFFER.with_borrow(|buffer| see(&buffer[..read]));
                return Ok(true);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn write(stream: &TcpStream, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
