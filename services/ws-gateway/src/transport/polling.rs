//! Long-polling: a GET waits for queued frames, a POST brings packets.

use std::future::poll_fn;
use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::web::{BytesMut, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::Instant;

use super::connection::Connection;
use super::execute::execute_now;
use super::incoming::input;
use super::worker::Worker;
use crate::hub::Subscriber;
use crate::metrics::Dropped;
use crate::protocol::Ending;
use crate::protocol::engineio::{Lane, RequestError, decode_payload};

pub(super) async fn request(
    request: &HttpRequest,
    payload: Payload,
    worker: &Worker,
    session: &Arc<Connection>,
) -> Result<HttpResponse, RequestError> {
    if !session.is_polling() {
        return Err(RequestError::BadRequest);
    }
    match *request.method() {
        Method::GET => {
            // Run here as well, because the timer is coarse: an expired session must not get another GET.
            Arc::clone(session).run_timers(Instant::now());
            let session = worker.services.sessions.get(&session.id).ok_or(RequestError::SessionUnknown)?;
            poll(worker, &session).await
        }
        Method::POST => post(request, payload, worker, session).await,
        _ => Err(RequestError::BadRequest),
    }
}

/// Waits until something is queued.
pub(super) async fn poll(worker: &Worker, session: &Arc<Connection>) -> Result<HttpResponse, RequestError> {
    let Some(_turn) = Turn::begin(session) else {
        break_off(session);
        return Err(RequestError::BadRequest);
    };
    let queued = poll_fn(|cx| session.outbound.poll_payload(cx)).await;
    if session.outbound.is_closing() && session.is_polling() {
        worker.services.sessions.remove(&session.id);
    }
    let body = queued.ok_or(RequestError::SessionUnknown)?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=UTF-8").body(body))
}

/// The one GET of a session that may wait. Dropping this ends the turn, even if the client disconnects.
struct Turn<'a>(&'a Connection);

impl<'a> Turn<'a> {
    fn begin(session: &'a Connection) -> Option<Self> {
        session.begin_poll().then_some(Self(session))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.end_poll();
    }
}

async fn post(
    request: &HttpRequest,
    payload: Payload,
    worker: &Worker,
    session: &Arc<Connection>,
) -> Result<HttpResponse, RequestError> {
    let limit = worker.services.settings.gateway_max_frame_bytes;
    let body = match read_body(request, payload, limit).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => {
            worker.services.metrics.dropped(Dropped::TooLarge, 1);
            return Ok(HttpResponse::PayloadTooLarge().content_type("application/json").body("{}"));
        }
        Err(Unread::Broken) => return Err(RequestError::BadRequest),
    };
    let packets = match decode_payload(body) {
        Ok(packets) => packets,
        Err(error) => {
            tracing::debug!(%error, "received an unreadable payload");
            break_off(session);
            return Err(RequestError::BadRequest);
        }
    };
    for packet in packets {
        // Packets after the one that ended the session are ignored.
        if session.outbound.is_closing() {
            break;
        }
        if let Some(executing) = input(session, |client, now| client.on_packet(now, Lane::Polling, packet)) {
            executing.await;
        }
    }
    Ok(HttpResponse::Ok().content_type("text/html").body("ok"))
}

/// Closes a session that broke the protocol.
fn break_off(session: &Arc<Connection>) {
    let effects = session.update(|client| client.close(Instant::now(), Ending::BadMessage));
    execute_now(session, effects);
}

enum Unread {
    TooLarge,
    Broken,
}

async fn read_body(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes, Unread> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced = length.and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Unread::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_error| Unread::Broken)?;
        if body.len() + chunk.len() > limit {
            return Err(Unread::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
