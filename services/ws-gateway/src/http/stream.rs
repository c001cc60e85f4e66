use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::error::PayloadError;
use actix_web::web::Payload;
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, ProtocolError};
use futures_util::{Stream, StreamExt};

use super::guard::guarded;
use crate::connection::Incoming;

/// The reading side of a WebSocket, fragments put together.
pub struct Frames(AggregatedMessageStream);

/// Accepts a WebSocket. `limit` is the largest message taken in.
pub async fn accept(
    request: &HttpRequest,
    payload: Payload,
    protocols: &[&str],
    limit: usize,
) -> Result<(HttpResponse, Frames), Error> {
    let payload = Payload::from_request(request, &mut guarded(payload.into_inner(), limit)).await?;
    let (answer, _, stream) = actix_ws::handle_with_protocols(request, payload, protocols)?;
    let stream = stream.max_frame_size(limit).aggregate_continuations().max_continuation_size(limit);
    Ok((answer, Frames(stream)))
}

impl Stream for Frames {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.0.poll_next_unpin(cx).map(|message| message.map(incoming))
    }
}

fn incoming(message: Result<AggregatedMessage, ProtocolError>) -> Incoming {
    match message {
        Ok(AggregatedMessage::Text(text)) => Incoming::Text(text),
        Ok(AggregatedMessage::Binary(data)) => Incoming::Binary(data),
        Ok(AggregatedMessage::Ping(data)) => Incoming::Ping(data),
        Ok(AggregatedMessage::Pong(_)) => Incoming::Pong,
        Ok(AggregatedMessage::Close(_)) => Incoming::Close,
        Err(ProtocolError::Overflow) => Incoming::TooLarge,
        Err(ProtocolError::Io(error)) if is_overflow(&error) => Incoming::TooLarge,
        Err(ProtocolError::Io(error)) if error.kind() != ErrorKind::InvalidData => Incoming::Broken,
        Err(_) => Incoming::Malformed,
    }
}

fn is_overflow(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<PayloadError>());
    matches!(cause, Some(PayloadError::Overflow))
}
