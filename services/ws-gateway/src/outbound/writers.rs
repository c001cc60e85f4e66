use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::time::Instant;

use super::queue::{Queue, Taker, Written};
use super::stream::Stream;
use crate::locks::{Mutex, MutexGuard};
use crate::protocol::Frame;
use crate::protocol::engineio::encode_payload;

/// The frames queued for one connection, and the tasks that write them.
///
/// A push never waits. One write takes the whole queue. The task of the WebSocket or a polling GET writes; on an idle
/// WebSocket, the pushing task writes, which wakes no other task. A frame stays in the queue until the kernel has
/// accepted it, so that the limit counts every waiting frame. Pushes and writes may run on different threads.
#[derive(Debug)]
pub(crate) struct Outbound {
    limit: usize,
    queue: Mutex<Queue>,
}

/// The result of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The frame is behind others, and will be written with them.
    Queued,
    /// The queue was empty: the caller must have the frame written.
    First,
    /// The queue is full, or its reader is stuck: the frame was not queued. The caller must deliver the frame in
    /// another way, or close the connection.
    Full,
    /// The connection is ending; no client will read the frame.
    Closed,
}

fn admit(queue: &mut Queue, frame: Frame, limit: usize, now: Instant) -> Pushed {
    if queue.closing {
        return Pushed::Closed;
    }
    if queue.bytes + frame.wire().len() > limit || queue.is_stalled(now) {
        return Pushed::Full;
    }
    let pushed = if queue.frames.is_empty() { Pushed::First } else { Pushed::Queued };
    queue.add(frame);
    pushed
}

impl Outbound {
    /// Creates the queue of a connection that begins with polling. `limit` is in bytes.
    pub(crate) fn polling(limit: usize) -> Self {
        Self::new(limit, Taker::Polling)
    }

    /// Creates the queue of a connection that begins on a WebSocket.
    pub(crate) fn web_socket(limit: usize) -> Self {
        Self::new(limit, Taker::WebSocket)
    }

    fn new(limit: usize, taker: Taker) -> Self {
        Self { limit, queue: Mutex::new(Queue::new(taker)) }
    }

    /// Queues a frame, and wakes the task that writes it.
    pub(crate) fn push(&self, frame: Frame) -> Pushed {
        self.push_within(frame, self.limit)
    }

    /// Queues a response, a notice or a ping. For these, the queue has room for another eighth of the limit, because a burst of
    /// events must not leave a client without its response.
    pub(crate) fn push_response(&self, frame: Frame) -> Pushed {
        self.push_within(frame, self.limit + self.limit / 8)
    }

    fn push_within(&self, frame: Frame, limit: usize) -> Pushed {
        let mut queue = self.lock();
        let pushed = admit(&mut queue, frame, limit, Instant::now());
        if pushed == Pushed::First {
            queue.wake();
        }
        pushed
    }

    /// Queues a frame; for the [first](Pushed::First) one, [`wake`](Self::wake) or
    /// [`write_now`](Self::write_now) must follow. The caller passes the time, because reading the clock for each of a
    /// thousand sockets would cost a tenth of the delivery.
    pub(crate) fn queue(&self, frame: Frame, now: Instant) -> Pushed {
        admit(&mut self.lock(), frame, self.limit, now)
    }

    pub(crate) fn wake(&self) {
        self.lock().wake();
    }

    /// Writes the queue at once. Wakes the usual reader only when polling, or when the socket buffer is full.
    pub(crate) fn write_now(&self) {
        let mut queue = self.lock();
        let stream = queue.stream.clone().filter(|_| queue.taker == Taker::WebSocket);
        let written = stream.map(|stream| queue.write(|pieces| stream.write_pieces(pieces)));
        if !matches!(written, Some(Ok(Written::All))) {
            queue.wake();
        }
    }

    /// Queues a frame once half of the queue is free, so that there is room for others meanwhile.
    pub(crate) async fn push_in_turn(&self, frame: Frame) -> Pushed {
        poll_fn(|cx| {
            let mut queue = self.lock();
            if queue.closing || queue.bytes <= self.limit / 2 {
                return Poll::Ready(());
            }
            if !queue.pushers.iter().any(|waiting| waiting.will_wake(cx.waker())) {
                queue.pushers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
        self.push(frame)
    }

    /// Queues the last frames, past any limit. The end follows once they are written.
    pub(crate) fn finish(&self, last: impl IntoIterator<Item = Frame>) {
        self.lock().finish(last);
    }

    /// Queues frames past any limit, shortly before the end.
    pub(crate) fn say(&self, last: impl IntoIterator<Item = Frame>) {
        let mut queue = self.lock();
        if !queue.closing {
            last.into_iter().for_each(|frame| queue.add(frame));
            queue.wake();
        }
    }

    /// Discards the queue of a reader that is not worth waiting for, and queues the last frames. Returns the number
    /// of discarded frames.
    pub(crate) fn finish_at_once(&self, last: impl IntoIterator<Item = Frame>) -> u64 {
        let mut queue = self.lock();
        let forgotten = queue.forget();
        // Under the same lock: the client must not get a frame that follows a discarded one.
        queue.finish(last);
        forgotten
    }

    /// Bytes that wait for the client.
    #[cfg(feature = "simulation")]
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.lock().bytes
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Whether the WebSocket has accepted no byte for so long that its client must have disconnected or hung.
    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        self.lock().is_stalled(now)
    }

    /// Registers a WebSocket and returns its ticket. Until [`upgrade`](Self::upgrade), the WebSocket gets only the
    /// pong to its probe.
    pub(crate) fn open_web_socket(&self) -> u32 {
        let mut queue = self.lock();
        queue.ticket += 1;
        queue.ticket
    }

    /// Queues the head of the response that opens this WebSocket, before all frames.
    pub(crate) fn begin(&self, ticket: u32, head: Bytes) {
        let mut queue = self.lock();
        if ticket == queue.ticket {
            queue.opening.push(Frame::raw(head));
        }
    }

    /// Sets the stream on which pushes may write while this WebSocket is idle; `None` once it is gone.
    pub(crate) fn set_stream(&self, ticket: u32, stream: Option<Arc<dyn Stream>>) {
        let mut queue = self.lock();
        if ticket == queue.ticket {
            queue.stream = stream;
        }
    }

    /// Responds to the probe, and releases the waiting GET.
    pub(crate) fn answer_probe(&self, frame: Frame) {
        let mut queue = self.lock();
        queue.opening.push(frame);
        queue.taker = Taker::Probing;
        queue.wake();
    }

    /// Sends all further frames to the WebSocket.
    pub(crate) fn upgrade(&self) {
        let mut queue = self.lock();
        queue.taker = Taker::WebSocket;
        queue.waiting_since = (!queue.frames.is_empty()).then(Instant::now);
        queue.wake();
    }

    /// Gives up the WebSocket that probed; polling continues.
    pub(crate) fn abandon_probe(&self) {
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

    /// Writes the queue of a WebSocket until nothing more will ever be written on it.
    ///
    /// # Errors
    /// Those of the stream.
    pub(crate) fn poll_write(
        &self,
        ticket: u32,
        cx: &mut Context<'_>,
        stream: &impl Stream,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.write_queued(ticket, cx, |pieces| stream.write_pieces(pieces))? {
                Written::All => return Poll::Pending,
                Written::Blocked => ready!(stream.poll_room(cx))?,
                Written::Ended => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Writes the queue with `write`, in one call if it takes all bytes.
    ///
    /// # Errors
    /// Those of `write`, except `WouldBlock`.
    pub(crate) fn write_queued(
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

    /// Whether this WebSocket gets no further frames: the queue is closing, or another WebSocket has replaced this
    /// one. The task of the WebSocket is woken when this becomes true.
    pub(crate) fn is_over(&self, ticket: u32) -> bool {
        let queue = self.lock();
        queue.closing || ticket != queue.ticket
    }

    /// The whole queue as the body of a polling response; `None` after the end.
    pub(crate) fn poll_payload(&self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
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

#[cfg(test)]
#[path = "writers_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "writers_models.rs"]
mod models;
