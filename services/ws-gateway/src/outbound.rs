//! What waits to be written to one connection.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::engineio::encode_payload;
use crate::frame::Frame;

/// How many frames are handed to the kernel at once; it takes no more pieces than that.
const MAX_PIECES: usize = 1_024;
/// As many as lie on the stack meanwhile.
const USUAL_PIECES: usize = 16;

/// How long a WebSocket may take nothing. The kernel ends the connection after a little longer.
const STALL_LIMIT: Duration = Duration::from_secs(8);

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

#[derive(Debug)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    taker: Taker,
    /// What only the WebSocket gets, before anything else: the head of the answer that opened it, and
    /// answers to its probe.
    opening: VecDeque<Frame>,
    /// How much of the next frame for the WebSocket has been written.
    written: usize,
    /// The WebSocket that may write: an earlier one that still asks has been given up.
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
        let queue = Queue {
            frames: VecDeque::new(),
            bytes: 0,
            taker,
            opening: VecDeque::new(),
            written: 0,
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

    fn take(&mut self) -> Vec<Frame> {
        self.bytes = 0;
        self.went_on(true);
        std::mem::take(&mut self.frames).into()
    }

    /// What the WebSocket is to write next, without what it has written.
    fn pieces(&self) -> SmallVec<[IoSlice<'_>; USUAL_PIECES]> {
        let carried = if self.taker == Taker::WebSocket { self.frames.len() } else { 0 };
        let frames = self.opening.iter().chain(self.frames.iter().take(carried)).take(MAX_PIECES);
        let mut pieces: SmallVec<[IoSlice<'_>; USUAL_PIECES]> =
            frames.map(|frame| IoSlice::new(frame.wire())).collect();
        if let Some(first) = pieces.first_mut() {
            first.advance(self.written);
        }
        pieces
    }

    fn advance(&mut self, bytes: usize) {
        self.written += bytes;
        loop {
            let (frames, counted) = match self.opening.is_empty() {
                true => (&mut self.frames, true),
                false => (&mut self.opening, false),
            };
            let Some(length) = frames.front().map(|frame| frame.wire().len()) else { break };
            if length > self.written {
                break;
            }
            self.written -= length;
            frames.pop_front();
            if counted {
                self.bytes -= length;
            }
            if frames.is_empty() {
                // An idle connection keeps no buffer.
                *frames = VecDeque::new();
            }
        }
        self.went_on(self.frames.is_empty());
    }

    fn went_on(&mut self, is_empty: bool) {
        self.waiting_since = (!is_empty).then(Instant::now);
        if let Some(pusher) = self.pusher.take() {
            pusher.wake();
        }
    }

    /// Forgets what nobody has begun to read.
    fn forget(&mut self) {
        let begun = usize::from(self.written > 0 && self.opening.is_empty());
        self.frames.truncate(begun);
        self.bytes = self.frames.iter().map(|frame| frame.wire().len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// What a WebSocket writes that takes up to `room` bytes.
    fn write(outbound: &Outbound, ticket: u32, mut room: usize) -> (Vec<Vec<u8>>, Written) {
        let mut writes = Vec::new();
        let cx = Context::from_waker(Waker::noop());
        let written = outbound.write_queued(ticket, &cx, |pieces| {
            if room == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).take(room).collect();
            room -= bytes.len();
            writes.push(bytes);
            Ok(writes.last().map_or(0, Vec::len))
        });
        (writes, written.unwrap())
    }

    fn wire(outbound: &Outbound, ticket: u32) -> (Vec<u8>, Written) {
        let (writes, written) = write(outbound, ticket, usize::MAX);
        (writes.concat(), written)
    }

    fn payload(outbound: &Outbound) -> Poll<Option<Bytes>> {
        outbound.poll_payload(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn frames_are_written_without_a_copy() {
        let outbound = Outbound::web_socket(1_000);
        let frame = Frame::text("4hello");
        outbound.push(frame.clone());
        let cx = Context::from_waker(Waker::noop());
        let written = outbound.write_queued(0, &cx, |pieces| {
            assert_eq!(pieces[0].as_ptr(), frame.wire().as_ptr());
            Ok(pieces[0].len())
        });
        assert_eq!(written.unwrap(), Written::All);
    }

    #[test]
    fn all_that_is_queued_is_one_write() {
        let outbound = Outbound::web_socket(10_000);
        for _ in 0..500 {
            outbound.push(Frame::text("a"));
        }
        let (writes, written) = write(&outbound, 0, usize::MAX);
        assert_eq!((writes, written), (vec![b"\x81\x01a".repeat(500)], Written::All));
        assert_eq!(wire(&outbound, 0), (vec![], Written::All));
    }

    #[test]
    fn what_the_kernel_does_not_take_is_written_later() {
        let outbound = Outbound::web_socket(1_000);
        for text in ["ab", "cd", "ef"] {
            outbound.push(Frame::text(text));
        }
        assert_eq!(write(&outbound, 0, 6), (vec![b"\x81\x02ab\x81\x02".to_vec()], Written::Blocked));
        assert_eq!(wire(&outbound, 0), (b"cd\x81\x02ef".to_vec(), Written::All));
    }

    #[test]
    fn a_frame_that_was_begun_is_written_to_its_end() {
        let outbound = Outbound::web_socket(1_000);
        for text in ["ab", "cd"] {
            outbound.push(Frame::text(text));
        }
        assert_eq!(write(&outbound, 0, 3).1, Written::Blocked);
        outbound.finish_at_once([Frame::text("z")]);
        assert_eq!(wire(&outbound, 0), (b"b\x81\x01z".to_vec(), Written::Ended));
    }

    #[test]
    fn a_full_queue_takes_nothing_more() {
        let outbound = Outbound::web_socket(10);
        assert_eq!(outbound.push(Frame::text("12345")), Pushed::Queued);
        assert_eq!(outbound.push(Frame::text("12345")), Pushed::Full);
        outbound.finish_at_once([Frame::text("z")]);
        assert_eq!(wire(&outbound, 0), (b"\x81\x01z".to_vec(), Written::Ended));
        assert_eq!(outbound.push(Frame::text("more")), Pushed::Closed);
    }

    #[test]
    fn a_web_socket_begins_with_the_head_of_its_answer() {
        let outbound = Outbound::web_socket(1_000);
        outbound.push(Frame::text("0{}"));
        outbound.begin(0, Bytes::from_static(b"HTTP"));
        assert_eq!(wire(&outbound, 0), (b"HTTP\x81\x030{}".to_vec(), Written::All));
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
        assert_eq!(wire(&outbound, ticket), (vec![], Written::All));
        outbound.answer_probe(Frame::text("3probe"));
        assert_eq!(wire(&outbound, ticket), (b"\x81\x063probe".to_vec(), Written::All));
        assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"4a"))));
        assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"6"))));
        outbound.push(Frame::text("4b"));
        outbound.upgrade();
        assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"6"))));
        assert_eq!(wire(&outbound, ticket), (b"\x81\x024b".to_vec(), Written::All));
    }

    #[test]
    fn a_web_socket_that_was_given_up_gets_nothing() {
        let outbound = Outbound::polling(1_000);
        let ticket = outbound.open_web_socket();
        outbound.abandon_probe();
        assert_eq!(wire(&outbound, ticket), (vec![], Written::Ended));
        outbound.push(Frame::text("4a"));
        assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"4a"))));
    }
}
