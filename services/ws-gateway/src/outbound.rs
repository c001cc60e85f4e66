//! What waits to be written to one connection: the ways to put into the queue and to take from it. The
//! [`queue`] itself knows no locks and no errors.

mod queue;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::time::Instant;

use crate::engineio::encode_payload;
use crate::frame::Frame;
use queue::{Queue, Taker};

/// The frames queued for one connection, and who takes them.
///
/// Whoever pushes never waits; whoever takes gets all that is queued in one go. A frame stays here until
/// the kernel has it, so that what is counted is what waits. A polling GET, or a WebSocket that takes the
/// connection over, may run on another thread than the one that pushes.
#[derive(Debug)]
pub struct Outbound {
    limit: usize,
    queue: Mutex<Queue>,
}

/// How far a WebSocket has come with what is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing is left; the task is woken when there is.
    All,
    /// The kernel takes no more now.
    Blocked,
    /// There will be nothing more to write on this WebSocket.
    Ended,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    Queued,
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

    pub fn push(&self, frame: Frame) -> Pushed {
        let mut queue = self.lock();
        if queue.closing {
            return Pushed::Closed;
        }
        if queue.bytes + frame.wire().len() > self.limit || queue.is_stalled(Instant::now()) {
            return Pushed::Full;
        }
        let waits = !queue.frames.is_empty();
        queue.add(frame);
        if !waits {
            queue.wake();
        }
        Pushed::Queued
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

    /// Forgets what is queued, for a reader that is not worth waiting for.
    pub fn finish_at_once(&self, last: impl IntoIterator<Item = Frame>) {
        self.lock().forget();
        self.finish(last);
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
            queue.opening.push_back(Frame::raw(head));
        }
    }

    /// Answers the probe, and releases the waiting GET.
    pub fn answer_probe(&self, frame: Frame) {
        let mut queue = self.lock();
        queue.opening.push_back(frame);
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
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<Written> {
        let mut queue = self.lock();
        loop {
            if ticket != queue.ticket {
                return Ok(Written::Ended);
            }
            let pieces = queue.pieces();
            if pieces.is_empty() {
                drop(pieces);
                if queue.closing {
                    return Ok(Written::Ended);
                }
                queue.web_socket = Some(cx.waker().clone());
                return Ok(Written::All);
            }
            match write(&pieces) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    drop(pieces);
                    queue.advance(bytes);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    drop(pieces);
                    queue.web_socket = Some(cx.waker().clone());
                    return Ok(Written::Blocked);
                }
                Err(error) => return Err(error),
            }
        }
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
