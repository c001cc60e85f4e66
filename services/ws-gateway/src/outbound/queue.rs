use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::task::Waker;

use smallvec::SmallVec;
use tokio::time::Instant;

use super::slow_reader::STALL_LIMIT;
use super::stream::Stream;
use crate::protocol::Frame;

/// Number of frames per write: the kernel takes no more pieces at once.
const MAX_PIECES: usize = 1_024;
/// Number of pieces that lie on the stack.
const USUAL_PIECES: usize = 16;

/// Holds one frame inline, so that a connection allocates no buffer for a single event.
pub(super) type FrameList = SmallVec<[Frame; 1]>;

/// The frames queued for a connection, and the tasks to wake for them.
#[derive(Debug)]
pub(super) struct Queue {
    pub frames: FrameList,
    pub bytes: usize,
    pub taker: Taker,
    /// Frames that only the WebSocket gets, before all others: the head of the response that opened it, and
    /// pongs to its probe.
    pub opening: FrameList,
    /// Number of bytes of the next frame that are written.
    pub written: usize,
    /// The number of the WebSocket that may write. Earlier ones may not, because they were abandoned.
    pub ticket: u32,
    /// The stream of that WebSocket.
    pub stream: Option<Arc<dyn Stream>>,
    pub web_socket: Option<Waker>,
    pub poll: Option<Waker>,
    /// The tasks that have much to push, and wait for room: one for each socket that catches up.
    pub pushers: Vec<Waker>,
    pub waiting_since: Option<Instant>,
    pub closing: bool,
}

/// The progress of a WebSocket with its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Nothing is left; the task is woken when there is.
    All,
    /// The kernel takes no more now.
    Blocked,
    /// Nothing more will ever be written on this WebSocket.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taker {
    Polling,
    /// Polling still carries the frames, but no GET waits, because the client is moving to a WebSocket.
    Probing,
    WebSocket,
}

impl Queue {
    pub(super) fn new(taker: Taker) -> Self {
        Self {
            frames: FrameList::new(),
            bytes: 0,
            taker,
            opening: FrameList::new(),
            written: 0,
            ticket: 0,
            stream: None,
            web_socket: None,
            poll: None,
            pushers: Vec::new(),
            waiting_since: None,
            closing: false,
        }
    }

    pub(super) fn add(&mut self, frame: Frame) {
        self.bytes += frame.wire().len();
        self.frames.push(frame);
        self.waiting_since.get_or_insert_with(Instant::now);
    }

    pub(super) fn is_stalled(&self, now: Instant) -> bool {
        self.taker == Taker::WebSocket
            && self.waiting_since.is_some_and(|since| now.saturating_duration_since(since) > STALL_LIMIT)
    }

    /// Adds the last frames.
    pub(super) fn finish(&mut self, last: impl IntoIterator<Item = Frame>) {
        if !self.closing {
            last.into_iter().for_each(|frame| self.add(frame));
            self.closing = true;
            self.wake();
        }
    }

    pub(super) fn wake(&mut self) {
        for waker in [self.web_socket.take(), self.poll.take()].into_iter().flatten() {
            waker.wake();
        }
        self.wake_pushers();
    }

    pub(super) fn take(&mut self) -> Vec<Frame> {
        self.bytes = 0;
        self.went_on(true);
        std::mem::take(&mut self.frames).into_vec()
    }

    /// Writes the frames for the WebSocket with `write`, in one call if it takes all bytes.
    pub(super) fn write(
        &mut self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<Written> {
        loop {
            let pieces = self.pieces();
            if pieces.is_empty() {
                return Ok(if self.closing { Written::Ended } else { Written::All });
            }
            let written = write(&pieces);
            drop(pieces);
            match written {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => self.advance(bytes),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Written::Blocked),
                Err(error) => return Err(error),
            }
        }
    }

    /// The bytes that the WebSocket has to write next.
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
        drop_written(&mut self.opening, &mut self.written);
        if self.opening.is_empty() {
            self.bytes -= drop_written(&mut self.frames, &mut self.written);
        }
        self.went_on(self.frames.is_empty());
    }

    fn went_on(&mut self, is_empty: bool) {
        self.waiting_since = (!is_empty).then(Instant::now);
        self.wake_pushers();
    }

    fn wake_pushers(&mut self) {
        std::mem::take(&mut self.pushers).into_iter().for_each(Waker::wake);
    }

    /// Drops the frames of which no byte has been written. Returns their number.
    pub(super) fn forget(&mut self) -> u64 {
        let begun = usize::from(self.written > 0 && self.opening.is_empty());
        let forgotten = self.frames.len().saturating_sub(begun);
        self.frames.truncate(begun);
        self.bytes = self.frames.iter().map(|frame| frame.wire().len()).sum();
        forgotten as u64
    }
}

/// Removes the frames that have been written in full. Returns their size in bytes.
fn drop_written(frames: &mut FrameList, written: &mut usize) -> usize {
    let (mut count, mut bytes) = (0, 0);
    for length in frames.iter().map(|frame| frame.wire().len()) {
        if bytes + length > *written {
            break;
        }
        (count, bytes) = (count + 1, bytes + length);
    }
    *written -= bytes;
    if count == frames.len() {
        *frames = FrameList::new();
    } else {
        frames.drain(..count);
    }
    bytes
}
