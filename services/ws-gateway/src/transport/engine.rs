//! `/socket.io/`: the requests of Engine.IO, sorted by transport, session and method.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use tokio::time::Instant;

use super::connection::Connection;
use super::execute::execute_now;
use super::worker::Worker;
use super::{polling, web_socket};
use crate::admission::Peer;
use crate::client::Effects;
#[cfg(feature = "conformance")]
use crate::conformance::Suite;
use crate::protocol::engineio::{PROTOCOL, RequestError, Transport};

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "EIO")]
    protocol: Option<String>,
    transport: Option<String>,
    sid: Option<String>,
    token: Option<String>,
}

pub(crate) async fn request(request: HttpRequest, payload: Payload, worker: Data<Worker>) -> HttpResponse {
    let response = dispatch(&request, payload, &worker).await;
    response.unwrap_or_else(|refusal| {
        worker.services.metrics.connected("engine", refusal.label());
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
        HttpResponse::build(status).json(refusal.body())
    })
}

async fn dispatch(
    request: &HttpRequest,
    payload: Payload,
    worker: &Data<Worker>,
) -> Result<HttpResponse, RequestError> {
    if !http::is_from_own_origin(request) {
        return Err(RequestError::Forbidden);
    }
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().finish());
    }
    let Query(parameters) =
        Query::<Parameters>::from_query(request.query_string()).map_err(|_error| RequestError::BadRequest)?;
    let web_socket = match parameters.transport.as_deref() {
        Some("polling") => false,
        Some("websocket") => true,
        _ => return Err(RequestError::TransportUnknown),
    };
    #[cfg(feature = "conformance")]
    let parameters = match worker.services.suite {
        Some(Suite::Client) => Parameters { token: Some(request.query_string().into()), ..parameters },
        _ => parameters,
    };
    let session = match &parameters.sid {
        Some(sid) => Some(worker.services.sessions.get(sid).ok_or(RequestError::SessionUnknown)?),
        None => None,
    };
    match (session, web_socket) {
        (Some(session), true) => upgrade(request, payload, worker, &session),
        (Some(session), false) => polling::request(request, payload, worker, &session).await,
        (None, _) if request.method() != Method::GET => Err(RequestError::BadHandshakeMethod),
        (None, true) if !asks_for_web_socket(request) => Err(RequestError::BadRequest),
        (None, _) if parameters.protocol.as_deref() != Some(PROTOCOL) => {
            Err(RequestError::UnsupportedProtocol)
        }
        (None, true) => open_web_socket(request, payload, worker, parameters),
        (None, false) => {
            let session = connect(worker, worker.peer(request, parameters.token), Transport::Polling);
            polling::poll(worker, &session).await
        }
    }
}

fn open_web_socket(
    request: &HttpRequest,
    payload: Payload,
    worker: &Data<Worker>,
    parameters: Parameters,
) -> Result<HttpResponse, RequestError> {
    let response = handshake(request, payload)?;
    let connection = connect(worker, worker.peer(request, parameters.token), Transport::WebSocket);
    Ok(web_socket::open(worker, &connection, 0, response, Box::pin(async {})))
}

fn upgrade(
    request: &HttpRequest,
    payload: Payload,
    worker: &Data<Worker>,
    session: &Arc<Connection>,
) -> Result<HttpResponse, RequestError> {
    if !asks_for_web_socket(request) {
        return Err(RequestError::BadRequest);
    }
    let response = handshake(request, payload)?;
    let mut ticket = None;
    let effects = session.update(|client| match client.on_probe(Instant::now()) {
        Some(effects) => {
            ticket = Some(session.outbound.open_web_socket());
            effects
        }
        None => Effects::new(),
    });
    execute_now(session, effects);
    let Some(ticket) = ticket else {
        // Like the reference implementation. A 400 would make some clients fail.
        worker.services.metrics.connected("engine", RequestError::BadRequest.label());
        return Ok(web_socket::turn_away(worker, response));
    };
    Ok(web_socket::open(worker, session, ticket, response, Box::pin(async {})))
}

fn connect(worker: &Worker, peer: Peer, transport: Transport) -> Arc<Connection> {
    let (connection, effects) = Connection::socket_io(&worker.services, peer, transport);
    execute_now(&connection, effects);
    connection
}

fn handshake(request: &HttpRequest, payload: Payload) -> Result<HttpResponse<()>, RequestError> {
    web_socket::handshake(request, payload, &[]).map_err(|_error| RequestError::BadRequest)
}

fn asks_for_web_socket(request: &HttpRequest) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}
