use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::queue::{Queue, Taker, Written};
use crate::protocol::Frame;
use crate::protocol::engineio::encode_payload;

/// The frames queued for one connection, and who takes them.
///
/// Whoever pushes never waits; whoever takes gets all that is queued in one go: the task of the WebSocket,
/// a polling GET, or for an idle WebSocket whoever has just queued something, which wakes nobody. A frame
/// stays here until the kernel has it, so that what is counted is what waits. All of them may run on
/// different threads.
#[derive(Debug)]
pub struct Outbound {
    limit: usize,
    queue: Mutex<Queue>,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Behind others, with which it will be written.
    Queued,
    /// Nothing else is queued: somebody must see to it that it is written.
    First,
    /// The queue is full: its reader is too slow and the connection must end.
    Full,
    /// The connection is ending; nobody will read it.
    Closed,
}

impl Outbound {
    /// For a connection that begins with polling. `limit` is in bytes.
    pub fn polling(limit: usize) -> Self {
        Self::new(limit, Taker::Polling)
    }

    /// For a connection that begins on a WebSocket.
    pub fn web_socket(limit: usize) -> Self {
        Self::new(limit, Taker::WebSocket)
    }

    fn new(limit: usize, taker: Taker) -> Self {
        Self { limit, queue: Mutex::new(Queue::new(taker)) }
    }

    /// Queues a frame for whoever takes it, who is woken.
    pub fn push(&self, frame: Frame) -> Pushed {
        let mut queue = self.lock();
        let pushed = self.admit(&mut queue, frame);
        if pushed == Pushed::First {
            queue.wake();
        }
        pushed
    }

    /// Queues a frame; for the [first](Pushed::First) one, [`wake`](Self::wake) or
    /// [`write_now`](Self::write_now) must follow.
    pub fn queue(&self, frame: Frame) -> Pushed {
        self.admit(&mut self.lock(), frame)
    }

    fn admit(&self, queue: &mut Queue, frame: Frame) -> Pushed {
        if queue.closing {
            return Pushed::Closed;
        }
        if queue.bytes + frame.wire().len() > self.limit || queue.is_stalled(Instant::now()) {
            return Pushed::Full;
        }
        let pushed = if queue.frames.is_empty() { Pushed::First } else { Pushed::Queued };
        queue.add(frame);
        pushed
    }

    pub fn wake(&self) {
        self.lock().wake();
    }

    /// Writes what is queued, here and now. Whoever takes it otherwise is woken only where it is not a
    /// WebSocket's, or the kernel does not take all of it.
    pub fn write_now(&self) {
        let mut queue = self.lock();
        let stream = queue.stream.clone().filter(|_| queue.taker == Taker::WebSocket);
        let written = stream.map(|stream| queue.write(|pieces| write_to(&stream, pieces)));
        if !matches!(written, Some(Ok(Written::All))) {
            queue.wake();
        }
    }

    /// Queues a frame once half of the queue is free, so that there is room for others meanwhile.
    pub async fn push_in_turn(&self, frame: Frame) -> Pushed {
        poll_fn(|cx| {
            let mut queue = self.lock();
            if queue.closing || queue.bytes <= self.limit / 2 {
                return Poll::Ready(());
            }
            queue.pusher = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
        self.push(frame)
    }

    /// Queues the last frames, past any limit; once they are taken, the taker learns of the end.
    pub fn finish(&self, last: impl IntoIterator<Item = Frame>) {
        let mut queue = self.lock();
        if !queue.closing {
            last.into_iter().for_each(|frame| queue.add(frame));
            queue.close();
        }
    }

    /// Queues what is said before the end, past any limit, and leaves the end to come.
    pub fn say(&self, last: impl IntoIterator<Item = Frame>) {
        let mut queue = self.lock();
        if !queue.closing {
            last.into_iter().for_each(|frame| queue.add(frame));
            queue.wake();
        }
    }

    /// Forgets what is queued, for a reader that is not worth waiting for. Returns their number.
    pub fn finish_at_once(&self, last: impl IntoIterator<Item = Frame>) -> u64 {
        let forgotten = self.lock().forget();
        self.finish(last);
        forgotten
    }

    pub fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Whether the WebSocket has taken nothing for so long that its reader must be gone or stuck.
    pub fn is_stalled(&self, now: Instant) -> bool {
        self.lock().is_stalled(now)
    }

    /// A WebSocket has come; what it gets at first is only the answers to its probe.
    pub fn open_web_socket(&self) -> u32 {
        let mut queue = self.lock();
        queue.ticket += 1;
        queue.ticket
    }

    /// The connection of this WebSocket is there: it begins with the head of the answer to its request.
    pub fn begin(&self, ticket: u32, head: Bytes) {
        let mut queue = self.lock();
        if ticket == queue.ticket {
            queue.opening.push(Frame::raw(head));
        }
    }

    /// Where others may write for this WebSocket while it is idle; `None` once it is gone.
    pub fn set_stream(&self, ticket: u32, stream: Option<&Arc<TcpStream>>) {
        let mut queue = self.lock();
        if ticket == queue.ticket {
            queue.stream = stream.cloned();
        }
    }

    /// Answers the probe, and releases the waiting GET.
    pub fn answer_probe(&self, frame: Frame) {
        let mut queue = self.lock();
        queue.opening.push(frame);
        queue.taker = Taker::Probing;
        queue.wake();
    }

    /// From here on the WebSocket takes everything.
    pub fn upgrade(&self) {
        let mut queue = self.lock();
        queue.taker = Taker::WebSocket;
        queue.waiting_since = (!queue.frames.is_empty()).then(Instant::now);
        queue.wake();
    }

    /// Gives the WebSocket up that probed; polling goes on.
    pub fn abandon_probe(&self) {
        let mut queue = self.lock();
        if queue.taker != Taker::WebSocket {
            queue.ticket += 1;
            queue.stream = None;
            queue.opening.clear();
            queue.written = 0;
            queue.taker = Taker::Polling;
            queue.wake();
        }
    }

    /// Has `write` take what is queued, in one go if it takes so much.
    ///
    /// # Errors
    /// Those of `write`, but for «would block».
    pub fn write_queued(
        &self,
        ticket: u32,
        cx: &Context<'_>,
        write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<Written> {
        let mut queue = self.lock();
        if ticket != queue.ticket {
            return Ok(Written::Ended);
        }
        let written = queue.write(write)?;
        if written != Written::Ended {
            queue.web_socket = Some(cx.waker().clone());
        }
        Ok(written)
    }

    /// Whether this WebSocket has only to write what is left, or nothing. It is woken when that changes.
    pub fn is_over(&self, ticket: u32) -> bool {
        let queue = self.lock();
        queue.closing || ticket != queue.ticket
    }

    /// All that is queued, as the body of a polling answer; `None` after the end.
    pub fn poll_payload(&self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut queue = self.lock();
        let taken = match queue.taker {
            Taker::WebSocket => Vec::new(),
            Taker::Polling | Taker::Probing => queue.take(),
        };
        let payload = encode_payload(&taken);
        if !payload.is_empty() {
            return Poll::Ready(Some(payload));
        }
        if queue.taker != Taker::Polling {
            return Poll::Ready(Some(Bytes::from_static(b"6")));
        }
        if queue.closing {
            return Poll::Ready(None);
        }
        queue.poll = Some(cx.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands the pieces to the kernel; a single one by the shorter way.
pub fn write_to(stream: &TcpStream, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    match pieces {
        [piece] => stream.try_write(piece),
        _ => stream.try_write_vectored(pieces),
    }
}

#[cfg(test)]
#[path = "writers_tests.rs"]
mod tests;
