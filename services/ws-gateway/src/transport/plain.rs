//! `/ws`: the four ways to send a token, and the WebSocket.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use http::ApiError;
use serde::Deserialize;
use smallvec::smallvec;

use super::connection::Connection;
use super::execute::{execute, execute_now};
use super::web_socket;
use super::worker::Worker;
use crate::client::{Candidate, Credentials, Effect, Reply};
use crate::protocol::NamespaceKind;
use crate::protocol::plain::{BEARER_PREFIX, SUBPROTOCOL};

#[derive(Deserialize)]
struct Parameters {
    token: Option<String>,
}

pub(crate) async fn open(
    request: HttpRequest,
    payload: Payload,
    worker: Data<Worker>,
) -> Result<HttpResponse, ApiError> {
    if !http::is_from_own_origin(&request) {
        return Err(ApiError::forbidden("this origin may not open a socket"));
    }
    let response = web_socket::handshake(&request, payload, &[SUBPROTOCOL])
        .map_err(|_error| ApiError::validation("Upgrade", "open a WebSocket here"))?;
    let token = token(&request);
    // The connection does not keep the token: on `/ws` it is used once, while a Socket.IO client may join another
    // namespace with it later.
    let (connection, effects) = Connection::plain(&worker.services, worker.address(&request));
    execute_now(&connection, effects);
    let first = Arc::clone(&connection);
    // A browser hides the status of a refused handshake from the page. So the socket opens first, and then closes
    // with a code.
    let authenticate = async move {
        if let Some(token) = token {
            let (kind, credentials) = (NamespaceKind::Plain, Credentials::Token(token));
            let candidate = Candidate::Socket { kind, credentials, is_repeated: false, reply: Reply::None };
            execute(&first, smallvec![Effect::Admit(candidate.into())]).await;
        }
    };
    Ok(web_socket::open(&worker, &connection, 0, response, Box::pin(authenticate)))
}

/// The token of the handshake: in the header, among the subprotocols, or in the query. Without one,
/// the client has to send it in its first message.
fn token(request: &HttpRequest) -> Option<String> {
    let header = http::bearer(request).map(Into::into);
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
