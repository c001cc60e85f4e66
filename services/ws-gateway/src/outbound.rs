//! What waits to be written to one connection.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use crate::engineio::encode_payload;
use crate::frame::Frame;

/// How much is handed to a transport at once: it copies what it cannot write at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// How long a WebSocket may take nothing. The kernel ends the connection after a little longer.
const STALL_LIMIT: Duration = Duration::from_secs(8);

/// The frames queued for one connection, and who takes them.
///
/// Whoever pushes never waits; whoever takes gets all that is queued in one go. A polling GET, or a
/// WebSocket that takes the connection over, may run on another thread than the one that pushes.
#[derive(Debug)]
pub struct Outbound {
    limit: usize,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    taker: Taker,
    /// Answers to a WebSocket that does not carry the connection yet.
    probe: Vec<Frame>,
    /// The WebSocket that may take: an earlier one that still asks has been given up.
    ticket: u32,
    web_socket: Option<Waker>,
    poll: Option<Waker>,
    /// Somebody who has much to push, and waits for room.
    pusher: Option<Waker>,
    waiting_since: Option<Instant>,
    closing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taker {
    Polling,
    /// Polling still, but no GET is kept waiting: the client moves to a WebSocket.
    Probing,
    WebSocket,
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
        let queue = Queue {
            frames: VecDeque::new(),
            bytes: 0,
            taker,
            probe: Vec::new(),
            ticket: 0,
            web_socket: None,
            poll: None,
            pusher: None,
            waiting_since: None,
            closing: false,
        };
        Self { limit, queue: Mutex::new(queue) }
    }

    pub fn push(&self, frame: Frame) -> Pushed {
        let mut queue = self.lock();
        if queue.closing {
            return Pushed::Closed;
        }
        if queue.bytes + frame.wire().len() > self.limit || queue.is_stalled(Instant::now()) {
            return Pushed::Full;
        }
        queue.add(frame);
        queue.wake();
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
        if queue.closing {
            return;
        }
        for frame in last {
            queue.add(frame);
        }
        queue.close();
    }

    /// Forgets what is queued, for a reader that is not worth waiting for.
    pub fn finish_at_once(&self, last: impl IntoIterator<Item = Frame>) {
        let mut queue = self.lock();
        queue.frames = VecDeque::new();
        queue.bytes = 0;
        drop(queue);
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

    /// Answers the probe, and releases the waiting GET.
    pub fn answer_probe(&self, frame: Frame) {
        let mut queue = self.lock();
        queue.probe.push(frame);
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
            queue.taker = Taker::Polling;
            queue.wake();
        }
    }

    /// All that is queued, as WebSocket frames in one piece; `None` at the end.
    pub fn poll_wire(&self, ticket: u32, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut queue = self.lock();
        if ticket != queue.ticket {
            return Poll::Ready(None);
        }
        let taken = match queue.taker {
            Taker::WebSocket => queue.take(CHUNK_BYTES),
            Taker::Polling | Taker::Probing => std::mem::take(&mut queue.probe),
        };
        match join(taken) {
            Some(bytes) => Poll::Ready(Some(bytes)),
            None if queue.closing => Poll::Ready(None),
            None => {
                queue.web_socket = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// All that is queued, as the body of a polling answer; `None` after the end.
    pub fn poll_payload(&self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut queue = self.lock();
        let taken = match queue.taker {
            Taker::WebSocket => Vec::new(),
            Taker::Polling | Taker::Probing => queue.take(usize::MAX),
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

impl Queue {
    fn add(&mut self, frame: Frame) {
        self.bytes += frame.wire().len();
        self.frames.push_back(frame);
        self.waiting_since.get_or_insert_with(Instant::now);
    }

    fn is_stalled(&self, now: Instant) -> bool {
        self.taker == Taker::WebSocket
            && self.waiting_since.is_some_and(|since| now.saturating_duration_since(since) > STALL_LIMIT)
    }

    fn close(&mut self) {
        self.closing = true;
        self.wake();
    }

    fn wake(&mut self) {
        for waker in [self.web_socket.take(), self.poll.take(), self.pusher.take()].into_iter().flatten() {
            waker.wake();
        }
    }

    /// At least one frame, and as many more as fit.
    fn take(&mut self, bytes: usize) -> Vec<Frame> {
        let mut taken = Vec::with_capacity(self.frames.len());
        let mut size = 0;
        while let Some(frame) = self.frames.pop_front() {
            size += frame.wire().len();
            taken.push(frame);
            if self.frames.front().is_some_and(|next| size + next.wire().len() > bytes) {
                break;
            }
        }
        self.bytes -= size;
        self.waiting_since = (!self.frames.is_empty()).then(Instant::now);
        if self.frames.is_empty() {
            // An idle connection keeps no buffer.
            self.frames = VecDeque::new();
        }
        if let Some(pusher) = self.pusher.take() {
            pusher.wake();
        }
        taken
    }
}

/// One frame stays shared; several are copied into one piece, so that they are one write.
fn join(frames: Vec<Frame>) -> Option<Bytes> {
    match frames.as_slice() {
        [] => None,
        [frame] => Some(frame.wire().clone()),
        frames => {
            let mut bytes = BytesMut::with_capacity(frames.iter().map(|frame| frame.wire().len()).sum());
            frames.iter().for_each(|frame| bytes.extend_from_slice(frame.wire()));
            Some(bytes.freeze())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn wire(outbound: &Outbound, ticket: u32) -> Poll<Option<Bytes>> {
        outbound.poll_wire(ticket, &mut Context::from_waker(Waker::noop()))
    }

    fn payload(outbound: &Outbound) -> Poll<Option<Bytes>> {
        outbound.poll_payload(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_single_frame_is_written_without_a_copy() {
        let outbound = Outbound::web_socket(1_000);
        let frame = Frame::text("4hello");
        outbound.push(frame.clone());
        let Poll::Ready(Some(bytes)) = wire(&outbound, 0) else { panic!("nothing was queued") };
        assert_eq!(bytes.as_ptr(), frame.wire().as_ptr());
    }

    #[test]
    fn all_that_is_queued_is_one_write() {
        let outbound = Outbound::web_socket(1_000);
        outbound.push(Frame::text("a"));
        outbound.push(Frame::text("b"));
        assert_eq!(wire(&outbound, 0), Poll::Ready(Some(Bytes::from_static(b"\x81\x01a\x81\x01b"))));
        assert_eq!(wire(&outbound, 0), Poll::Pending);
    }

    #[test]
    fn a_full_queue_takes_nothing_more() {
        let outbound = Outbound::web_socket(10);
        assert_eq!(outbound.push(Frame::text("12345")), Pushed::Queued);
        assert_eq!(outbound.push(Frame::text("12345")), Pushed::Full);
        outbound.finish_at_once([Frame::text("z")]);
        assert_eq!(wire(&outbound, 0), Poll::Ready(Some(Bytes::from_static(b"\x81\x01z"))));
        assert_eq!(wire(&outbound, 0), Poll::Ready(None));
        assert_eq!(outbound.push(Frame::text("more")), Pushed::Closed);
    }

    #[test]
    fn polling_joins_packets_and_encodes_binary() {
        let outbound = Outbound::polling(1_000);
        assert_eq!(payload(&outbound), Poll::Pending);
        outbound.push(Frame::text("4a"));
        outbound.push(Frame::ping());
        outbound.push(Frame::binary(Bytes::from_static(&[1, 2, 3])));
        assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"4a\x1ebAQID"))));
    }

    #[test]
    fn an_upgrade_moves_the_queue_to_the_web_socket() {
        let outbound = Outbound::polling(1_000);
        let ticket = outbound.open_web_socket();
        outbound.push(Frame::text("4a"));
        assert_eq!(wire(&outbound, ticket), Poll::Pending);
        outbound.answer_probe(Frame::text("3probe"));
        assert_eq!(wire(&outbound, ticket), Poll::Ready(Some(Bytes::from_static(b"\x81\x063probe"))));
        assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"4a"))));
        assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"6"))));
        outbound.push(Frame::text("4b"));
        outbound.upgrade();
        assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"6"))));
        assert_eq!(wire(&outbound, ticket), Poll::Ready(Some(Bytes::from_static(b"\x81\x024b"))));
    }

    #[test]
    fn a_web_socket_that_was_given_up_gets_nothing() {
        let outbound = Outbound::polling(1_000);
        let ticket = outbound.open_web_socket();
        outbound.abandon_probe();
        assert_eq!(wire(&outbound, ticket), Poll::Ready(None));
        outbound.push(Frame::text("4a"));
        assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"4a"))));
    }
}
