//! A deadline for the body of every request, whichever code reads the body.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest};
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

/// Each this many bytes extend the deadline of a large body by one second.
const LARGE_BODY_BYTES_PER_SECOND: u64 = 64 * 1024;

/// The time at which the handler began to wait for a large body; checked while the body arrives.
#[derive(Clone, Default)]
struct IsLarge(Rc<Cell<Option<Instant>>>);

/// Extends the deadline of the body with each byte that arrives: a body that arrives at 64 KiB per second or
/// faster is read to its end. The time before the call does not count, since the client had to wait.
pub fn expect_large_body(request: &HttpRequest) {
    if let Some(IsLarge(is_large)) = request.extensions().get() {
        is_large.set(Some(Instant::now()));
    }
}

/// Ends the body of a request that takes longer than `limit` to arrive.
pub(crate) fn limit_body_time(request: &mut ServiceRequest, limit: Duration) {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return;
    }
    let is_large = IsLarge::default();
    request.extensions_mut().insert(is_large.clone());
    let started = Instant::now();
    let timer = Box::pin(sleep_until(started + limit));
    let timed = TimedBody { payload, started, limit, received: 0, is_large, timer };
    request.set_payload(Payload::Stream { payload: Box::pin(timed) });
}

struct TimedBody {
    payload: Payload,
    started: Instant,
    limit: Duration,
    received: u64,
    is_large: IsLarge,
    timer: Pin<Box<Sleep>>,
}

impl TimedBody {
    fn deadline(&self) -> Instant {
        match self.is_large.0.get() {
            Some(started) => {
                started + self.limit + Duration::from_secs(self.received / LARGE_BODY_BYTES_PER_SECOND)
            }
            None => self.started + self.limit,
        }
    }
}

impl Stream for TimedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Poll::Ready(chunk) = Pin::new(&mut this.payload).poll_next(cx) {
            if let Some(Ok(bytes)) = &chunk {
                this.received += bytes.len() as u64;
            }
            return Poll::Ready(chunk);
        }
        loop {
            ready!(this.timer.as_mut().poll(cx));
            let deadline = this.deadline();
            if deadline <= Instant::now() {
                return Poll::Ready(Some(Err(PayloadError::Io(io::ErrorKind::TimedOut.into()))));
            }
            this.timer.as_mut().reset(deadline);
        }
    }
}

/// Returns whether the body ended because its deadline passed.
pub(crate) fn is_late(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}
