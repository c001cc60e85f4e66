use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use crate::connection::Connection;

/// The writing side of a WebSocket: all that is queued for a connection, in one write.
pub struct QueueBody {
    connection: Arc<Connection>,
    ticket: u32,
    /// The body that actix-ws made. It writes nothing, but ends the reading side when it is dropped.
    _signal: BoxBody,
}

impl QueueBody {
    pub fn new(connection: Arc<Connection>, ticket: u32, signal: BoxBody) -> Self {
        Self { connection, ticket, _signal: signal }
    }
}

impl MessageBody for QueueBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let queued = self.connection.outbound.poll_wire(self.ticket, cx);
        queued.map(|bytes| bytes.map(Ok))
    }
}
