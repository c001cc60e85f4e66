//! `/socket.io/`: the requests of Engine.IO, sorted by transport, session and method.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::{Worker, peer, polling, web_socket};
use crate::conformance::Suite;
use crate::connection::Connection;
use crate::engineio::{PROTOCOL, RequestError, Transport};

#[derive(Deserialize)]
pub struct Parameters {
    #[serde(rename = "EIO")]
    protocol: Option<String>,
    transport: Option<String>,
    sid: Option<String>,
    token: Option<String>,
}

pub async fn request(request: HttpRequest, payload: Payload, worker: Data<Worker>) -> HttpResponse {
    let answer = dispatch(&request, payload, &worker).await;
    answer.unwrap_or_else(|refusal| {
        worker.gateway.metrics.connected("engine", refusal.label());
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
        HttpResponse::build(status).json(refusal.body())
    })
}

async fn dispatch(
    request: &HttpRequest,
    payload: Payload,
    worker: &Data<Worker>,
) -> Result<HttpResponse, RequestError> {
    if !web::origin_is_allowed(request.headers(), &worker.gateway.platform.http) {
        return Err(RequestError::Forbidden);
    }
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().finish());
    }
    let Query(mut parameters) =
        Query::<Parameters>::from_query(request.query_string()).map_err(|_| RequestError::BadRequest)?;
    let web_socket = match parameters.transport.as_deref() {
        Some("polling") => false,
        Some("websocket") => true,
        _ => return Err(RequestError::TransportUnknown),
    };
    if worker.gateway.suite == Some(Suite::Client) {
        parameters.token = Some(request.query_string().into());
    }
    let session = match &parameters.sid {
        Some(sid) => Some(worker.gateway.session(sid).ok_or(RequestError::SessionUnknown)?),
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
            let peer = peer(request, &worker.gateway, parameters.token);
            let session = Connection::socket_io(&worker.gateway, &worker.hub, peer, Transport::Polling);
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
    let answer = handshake(request, payload)?;
    let peer = peer(request, &worker.gateway, parameters.token);
    let connection = Connection::socket_io(&worker.gateway, &worker.hub, peer, Transport::WebSocket);
    Ok(web_socket::open(worker, &connection, 0, answer, Box::pin(async {})))
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
    let answer = handshake(request, payload)?;
    let Some(ticket) = session.probe() else {
        // As the reference implementation does it: with a 400 some clients would fail.
        worker.gateway.metrics.connected("engine", RequestError::BadRequest.label());
        return Ok(web_socket::turn_away(worker, answer));
    };
    Ok(web_socket::open(worker, session, ticket, answer, Box::pin(async {})))
}

fn handshake(request: &HttpRequest, payload: Payload) -> Result<HttpResponse<()>, RequestError> {
    web_socket::handshake(request, payload, &[]).map_err(|_| RequestError::BadRequest)
}

fn asks_for_web_socket(request: &HttpRequest) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}
