//! The stream of the models. Its buffer is small, its kernel takes as many bytes as it likes, and its reader is slow.

use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use testing::interleavings::{JoinHandle, block_on, random, spawn};

use super::Outbound;
use super::stream::Stream;
use crate::locks::{Mutex, MutexGuard};
use crate::protocol::Frame;

#[derive(Debug)]
pub(crate) struct SlowStream {
    /// Bytes that may wait for the reader.
    room: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The written bytes that are not read yet.
    waiting: usize,
    written: Vec<u8>,
    is_over: bool,
    writer: Option<Waker>,
    reader: Option<Waker>,
    watcher: Option<Waker>,
}

impl SlowStream {
    /// Starts the task of a WebSocket, and its slow client. The handle returns once the WebSocket has ended.
    pub(crate) fn open<T: Send + Sync + 'static>(
        connection: &Arc<T>,
        outbound: fn(&T) -> &Outbound,
        ticket: u32,
        room: usize,
    ) -> (Arc<Self>, JoinHandle<()>) {
        let wire = Arc::new(Self { room, state: Mutex::default() });
        let (connection, stream) = (Arc::clone(connection), Arc::clone(&wire));
        let serving = spawn(move || {
            let outbound = outbound(&connection);
            let client = spawn({
                let wire = Arc::clone(&stream);
                move || wire.read()
            });
            outbound.set_stream(ticket, Some(Arc::<Self>::clone(&stream)));
            block_on(poll_fn(|cx| outbound.poll_write(ticket, cx, &*stream))).unwrap();
            stream.end();
            outbound.set_stream(ticket, None);
            client.join().unwrap();
        });
        (wire, serving)
    }

    /// Waits until so many bytes are written. Wakes no task that writes.
    pub(crate) fn wait_for(&self, bytes: usize) {
        self.wait_until(|written| written.len() >= bytes);
    }

    /// Waits until what is written fulfills a condition, or the WebSocket has ended.
    pub(crate) fn wait_until(&self, condition: impl Fn(&[u8]) -> bool) {
        block_on(poll_fn(|cx| {
            let mut state = self.lock();
            if state.is_over || condition(&state.written) {
                return Poll::Ready(());
            }
            state.watcher = Some(cx.waker().clone());
            Poll::Pending
        }));
    }

    /// The texts that are written, each of a whole frame.
    pub(crate) fn texts(&self) -> Vec<String> {
        let written = self.lock().written.clone();
        let (texts, rest) = texts(&written);
        assert!(rest.is_empty(), "torn frames: {written:?}");
        texts
    }

    /// Whether nothing but a part of this text is written, or all of it.
    pub(crate) fn has_only(&self, text: &str) -> bool {
        Frame::text(text.to_owned()).wire().starts_with(&self.lock().written)
    }

    /// Reads some bytes at a time until the end.
    fn read(&self) {
        block_on(poll_fn(|cx| {
            loop {
                let mut state = self.lock();
                if state.waiting == 0 {
                    if state.is_over {
                        return Poll::Ready(());
                    }
                    state.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                let some = 1 + random(state.waiting);
                state.waiting -= some;
                wake(&mut state.writer);
            }
        }));
    }

    fn end(&self) {
        let mut state = self.lock();
        state.is_over = true;
        wake(&mut state.reader);
        wake(&mut state.watcher);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream for SlowStream {
    fn write_pieces(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.lock();
        assert!(!state.is_over, "written after the end");
        let room = self.room - state.waiting;
        if room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        let taken = bytes.len().min(1 + random(room));
        state.written.extend_from_slice(&bytes[..taken]);
        state.waiting += taken;
        wake(&mut state.reader);
        wake(&mut state.watcher);
        Ok(taken)
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        if state.waiting < self.room {
            return Poll::Ready(Ok(()));
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// The texts of the whole frames, and the bytes after them. A close frame reads as `close`.
pub(crate) fn texts(written: &[u8]) -> (Vec<String>, &[u8]) {
    let (mut texts, mut rest) = (Vec::new(), written);
    while let [kind, length, after @ ..] = rest {
        let (length, after) = match (length, after) {
            (126, [high, low, after @ ..]) => (u16::from_be_bytes([*high, *low]), after),
            _ => (u16::from(*length), after),
        };
        let Some((payload, following)) = after.split_at_checked(usize::from(length)) else { break };
        texts.push(match kind {
            0x81 => String::from_utf8(payload.to_vec()).unwrap(),
            0x88 => "close".into(),
            _ => panic!("torn frames: {written:?}"),
        });
        rest = following;
    }
    (texts, rest)
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
