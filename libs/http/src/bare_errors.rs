//! Error responses that the HTTP layer sends by itself, before a request reaches the application: the head
//! is too large, malformed or late. They have no body; this module adds the envelope.
//!
//! The HTTP layer offers no hook for these responses, so they are recognised where they are written. Every
//! response of the application has a request id, so nothing else can be mistaken for one of them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::http::StatusCode;
use bytes::{Buf, Bytes};
use contracts::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::observe::{REQUEST_ID, error_from_status};

/// A connection on which bare errors get the envelope.
pub(crate) struct Connection {
    stream: TcpStream,
    clock: Clock,
    /// The response that is written instead of a bare one.
    replacement: Bytes,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, clock: Clock) -> Self {
        Self { stream, clock, replacement: Bytes::new() }
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    fn replace(&self, response: &[u8]) -> Option<Bytes> {
        let status = bare_error_status(response)?;
        let error = error_from_status(status);
        let request_id = Uuid::now_v7().to_string();
        let body = error.to_body(&request_id, &self.clock).to_string();
        let status = error.code.status();
        let head = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\
             cache-control: no-store\r\nx-content-type-options: nosniff\r\n{REQUEST_ID}: {request_id}\r\n\r\n",
            status.as_str(),
            status.canonical_reason().unwrap_or_default(),
            body.len(),
        );
        Some((head + &body).into())
    }
}

/// Returns the status of a response that has no body and did not come from the application.
fn bare_error_status(response: &[u8]) -> Option<StatusCode> {
    let status =
        response.strip_prefix(b"HTTP/1.1 ").or_else(|| response.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    if !matches!(status[0], b'4' | b'5') || !response.ends_with(b"\r\n\r\n") {
        return None;
    }
    let head = std::str::from_utf8(response).ok()?.to_ascii_lowercase();
    let is_bare = head.contains("\r\ncontent-length: 0\r\n") && !head.contains(REQUEST_ID.as_str());
    is_bare.then(|| StatusCode::from_bytes(status).ok()).flatten()
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.replacement.is_empty() {
            match this.replace(buf) {
                Some(replacement) => this.replacement = replacement,
                None => return Pin::new(&mut this.stream).poll_write(cx, buf),
            }
        }
        while !this.replacement.is_empty() {
            let written = ready!(Pin::new(&mut this.stream).poll_write(cx, &this.replacement))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.replacement.advance(written);
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
