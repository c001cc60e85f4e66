//! The lower bound of a gateway's cost, with which the bench compares the gateway.
//!
//! It speaks only as much Socket.IO as the bench's sockets do, and accepts every token. It sends each
//! event to each socket of its rooms with one write of a shared frame. With FLOOR_GATHER, it combines
//! everything from one read from Redis into one write.

#![expect(clippy::disallowed_methods, reason = "it measures tasks as they are")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::env::var;
use std::io::ErrorKind;
use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::Claims;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

/// The response to the fixed key that the bench's sockets send.
const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const OPEN: &str =
    r#"0{"sid":"floor","upgrades":[],"pingInterval":300000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// Maximum number of bytes in one read from Redis.
const READ: usize = 64 * 1_024;

struct Socket {
    stream: TcpStream,
    unwritten: RefCell<Vec<u8>>,
}

type Rooms = Rc<RefCell<HashMap<String, Vec<Rc<Socket>>>>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    user_id: Option<String>,
    account_id: Option<String>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    LocalSet::new().run_until(serve()).await
}

async fn serve() -> Result<()> {
    let rooms = Rooms::default();
    let redis = TcpStream::connect(var("REDIS_URL")?.trim_start_matches("redis://")).await?;
    let subscribe = format!("PSUBSCRIBE {}\r\n", contracts::events::LOGGED_CHANNELS.join(" "));
    ensure!(redis.try_write(subscribe.as_bytes())? == subscribe.len(), "Redis did not accept the command");
    spawn_local(relay(redis, Rc::clone(&rooms), var("FLOOR_GATHER").is_ok()));
    let listener = TcpListener::bind(("127.0.0.1", var("PORT")?.parse::<u16>()?)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let socket = Rc::new(Socket { stream, unwritten: RefCell::default() });
        let rooms = Rc::clone(&rooms);
        spawn_local(async move { converse(&socket, &rooms).await });
    }
}

/// Sends each message from Redis to the sockets of its rooms.
async fn relay(redis: TcpStream, rooms: Rooms, gathers: bool) -> Result<()> {
    let mut heard = Vec::new();
    loop {
        redis.readable().await?;
        heard.reserve(READ);
        match redis.try_read_buf(&mut heard) {
            Ok(0) => bail!("Redis closed the connection"),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        let (mut touched, mut at) = (Vec::new(), 0);
        while let Some((reply, end)) = reply(&heard[at..]) {
            at += end;
            let [b"pmessage", _, channel, event] = reply[..] else { continue };
            let (channel, envelope) = (std::str::from_utf8(channel)?, serde_json::from_slice(event)?);
            let frame = frame(channel, &envelope);
            for room in rooms_of(channel, &envelope) {
                for socket in rooms.borrow().get(&room).into_iter().flatten() {
                    if gathers {
                        socket.unwritten.borrow_mut().extend_from_slice(&frame);
                        touched.push(Rc::clone(socket));
                    } else {
                        write(socket, &frame);
                    }
                }
            }
        }
        heard.drain(..at);
        for socket in touched {
            let queued = std::mem::take(&mut *socket.unwritten.borrow_mut());
            if !queued.is_empty() {
                write(&socket, &queued);
            }
        }
    }
}

/// Parses a message of Redis to a subscriber: its parts and its length. `None` if it is incomplete.
fn reply(bytes: &[u8]) -> Option<(Vec<&[u8]>, usize)> {
    let mut at = 0;
    let line = |at: &mut usize| {
        let length = bytes.get(*at..)?.windows(2).position(|end| end == b"\r\n")?;
        let line = &bytes[*at..*at + length];
        *at += length + 2;
        Some(line)
    };
    let number = |text: &[u8]| std::str::from_utf8(text.get(1..)?).ok()?.parse::<usize>().ok();
    let mut parts = Vec::new();
    for _ in 0..number(line(&mut at)?)? {
        let head = line(&mut at)?;
        if head.starts_with(b"$") {
            let end = at + number(head)?;
            parts.push(bytes.get(..end + 2)?.get(at..end)?);
            at = end + 2;
        } else {
            parts.push(head);
        }
    }
    Some((parts, at))
}

fn frame(channel: &str, envelope: &Envelope) -> Vec<u8> {
    text_frame(&format!(r#"42["{channel}",{}]"#, envelope.payload))
}

fn rooms_of(channel: &str, envelope: &Envelope) -> Vec<String> {
    let account = envelope.account_id.as_deref().unwrap_or("global");
    match channel.split(':').next() {
        Some("drift") => vec!["drifts".into(), format!("account:{account}")],
        Some("alert") => vec!["alerts".into()],
        _ => envelope.user_id.iter().map(|user| format!("user:{user}")).collect(),
    }
}

async fn converse(socket: &Rc<Socket>, rooms: &Rooms) -> Result<()> {
    loop {
        socket.stream.readable().await?;
        let Some(message) = read(&socket.stream)? else { return Ok(()) };
        if message.starts_with("GET /ready") {
            write(socket, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        } else if message.starts_with("GET ") {
            write(socket, &[UPGRADED.as_bytes(), &text_frame(OPEN)].concat());
        } else if let Some((_, token)) = message.split_once(r#"40{"token":""#) {
            let claims = claims(token).context("a token that cannot be read")?;
            let account = claims.account_id.as_deref().unwrap_or("global");
            join(rooms, socket, format!("user:{}", claims.user_id));
            join(rooms, socket, format!("account:{account}"));
            write(socket, &text_frame(r#"40{"sid":"floor"}"#));
        } else if let Some((_, room)) = message.split_once(r#"420["subscribe:"#) {
            join(rooms, socket, room.trim_end_matches(r#""]"#).into());
            write(socket, &text_frame("430[]"));
        }
    }
}

/// Returns the bytes read as text. This suffices because a client sends its next message only after the
/// response to the last one, and the bench masks with zeros. Not async, so that a waiting socket holds no
/// buffer.
fn read(stream: &TcpStream) -> Result<Option<String>> {
    let mut buffer = [0; 4_096];
    match stream.try_read(&mut buffer) {
        Ok(0) => Ok(None),
        Ok(read) => Ok(Some(String::from_utf8_lossy(&buffer[..read]).into_owned())),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Some(String::new())),
        Err(error) => Err(error.into()),
    }
}

fn claims(token: &str) -> Option<Claims> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn join(rooms: &Rooms, socket: &Rc<Socket>, room: String) {
    rooms.borrow_mut().entry(room).or_default().push(Rc::clone(socket));
}

/// Writes once. Bytes that the kernel does not accept wait until it does.
fn write(socket: &Rc<Socket>, bytes: &[u8]) {
    let mut unwritten = socket.unwritten.borrow_mut();
    if unwritten.is_empty() {
        let written = socket.stream.try_write(bytes).unwrap_or(0);
        if written == bytes.len() {
            return;
        }
        unwritten.extend_from_slice(&bytes[written..]);
        let socket = Rc::clone(socket);
        spawn_local(async move { flush(&socket).await });
    } else {
        unwritten.extend_from_slice(bytes);
    }
}

async fn flush(socket: &Socket) -> std::io::Result<()> {
    loop {
        socket.stream.writable().await?;
        let mut unwritten = socket.unwritten.borrow_mut();
        match socket.stream.try_write(&unwritten) {
            Ok(written) => drop(unwritten.drain(..written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if unwritten.is_empty() {
            *unwritten = Vec::new();
            return Ok(());
        }
    }
}

fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(text.len()) {
        Ok(length @ 0..126) => frame.push(length.to_be_bytes()[1]),
        Ok(length) => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(127);
            frame.extend((text.len() as u64).to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}
