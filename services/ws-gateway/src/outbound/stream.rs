use std::fmt;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use tokio::net::TcpStream;

/// A stream that takes frames without waiting.
pub(crate) trait Stream: fmt::Debug + Send + Sync {
    /// Writes as many bytes as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room, and the errors of the stream.
    fn write_pieces(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Waits until there is room.
    ///
    /// # Errors
    /// Those of the stream.
    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl Stream for TcpStream {
    fn write_pieces(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match pieces {
            // A single piece needs no vectored write.
            [piece] => self.try_write(piece),
            _ => self.try_write_vectored(pieces),
        }
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_ready(cx)
    }
}
