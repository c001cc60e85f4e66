//! `/ws`: the four ways to bring a token, and the WebSocket.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use web::ApiError;

use super::{Worker, address, web_socket};
use crate::connection::Connection;
use crate::plain::{BEARER_PREFIX, SUBPROTOCOL};

#[derive(Deserialize)]
struct Parameters {
    token: Option<String>,
}

pub async fn open(
    request: HttpRequest,
    payload: Payload,
    worker: Data<Worker>,
) -> Result<HttpResponse, ApiError> {
    let gateway = &worker.gateway;
    if !web::origin_is_allowed(request.headers(), &gateway.platform.http) {
        return Err(ApiError::forbidden("this origin may not open a socket"));
    }
    let answer = web_socket::handshake(&request, payload, &[SUBPROTOCOL])
        .map_err(|_| ApiError::validation("Upgrade", "open a WebSocket here"))?;
    let token = token(&request);
    // Its one token is used now; a connection of Socket.IO may join another namespace with it later.
    let connection = Connection::plain(gateway, &worker.hub, address(&request, gateway));
    let (owner, first) = (Arc::clone(gateway), Arc::clone(&connection));
    // A browser would see nothing of a refusal now: the socket opens, and closes with a code.
    let authenticate = async move {
        if let Some(token) = token {
            first.authenticate(&owner, &token).await;
        }
    };
    Ok(web_socket::open(&worker, &connection, 0, answer, Box::pin(authenticate)))
}

/// The token of the handshake: in the header, among the subprotocols, or in the query. Without one,
/// the client has to send it in its first message.
fn token(request: &HttpRequest) -> Option<String> {
    let header = web::bearer(request).map(Into::into);
    header.or_else(|| offered_token(request)).or_else(|| {
        let query = Query::<Parameters>::from_query(request.query_string()).ok()?;
        query.into_inner().token
    })
}

fn offered_token(request: &HttpRequest) -> Option<String> {
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offers = offers.filter_map(|offer| offer.to_str().ok()).flat_map(|offer| offer.split(','));
    offers.find_map(|offer| offer.trim().strip_prefix(BEARER_PREFIX)).map(Into::into)
}
