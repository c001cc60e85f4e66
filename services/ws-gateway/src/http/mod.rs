//! The transports, on actix-web and actix-ws: long-polling and WebSocket for Socket.IO, WebSocket for
//! `/ws`. They read and write; what the messages mean is decided in [`crate::connection`].

pub mod admin;
mod body;
mod engine;
mod guard;
mod plain;
mod polling;
mod stream;

use std::sync::Arc;

use actix_web::web::{self as routing, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::authorise::Peer;
use crate::conformance::Suite;
use crate::connection::{Connection, read};
use crate::gateway::Gateway;
use crate::hub::Hub;
use body::QueueBody;
use stream::Frames;

/// What the handlers of one worker thread share.
pub struct Worker {
    gateway: Arc<Gateway>,
    hub: Arc<Hub>,
}

/// Adds the paths of the gateway; called once in each worker thread, whose hub then begins to run.
pub fn configure(gateway: &Arc<Gateway>, config: &mut ServiceConfig) {
    if gateway.suite == Some(Suite::EngineIo) {
        config.service(routing::resource("/engine.io/").route(routing::to(engine::request)));
    }
    let worker = Worker { gateway: Arc::clone(gateway), hub: gateway.hub_of_this_thread() };
    config
        .app_data(routing::Data::new(worker))
        .service(routing::resource("/socket.io/").route(routing::to(engine::request)))
        .service(routing::resource("/socket.io").route(routing::to(engine::request)))
        .service(web::endpoint("/ws").get(plain::open))
        .service(web::endpoint("/api/realtime/stats").get(admin::get_stats))
        .service(
            web::endpoint("/api/realtime/users/{id}/connections")
                .get(admin::list_user_connections)
                .delete(admin::end_user_connections),
        )
        .service(web::endpoint("/api/realtime/connections/{id}").delete(admin::end_connection))
        .service(web::endpoint("/api/realtime/emit").post(admin::emit));
}

/// Where a request comes from, and the tokens it brought.
fn peer(request: &HttpRequest, gateway: &Gateway, query_token: Option<String>) -> Peer {
    let trusted = &gateway.platform.http.trusted_proxies;
    let ip = request.peer_addr().map(|peer| web::client_ip(peer.ip(), request.headers(), trusted));
    let header_token = web::bearer(request).map(Into::into);
    Peer { ip, query_token, header_token }
}

/// Ties a WebSocket to a connection: the answer's body writes what is queued, a task reads.
fn serve_web_socket(
    worker: &Worker,
    connection: &Arc<Connection>,
    ticket: u32,
    (answer, frames): (HttpResponse, Frames),
    first: impl Future<Output = ()> + 'static,
) -> HttpResponse {
    let (gateway, reader) = (Arc::clone(&worker.gateway), Arc::clone(connection));
    actix_web::rt::spawn(async move {
        Box::pin(first).await;
        read(&gateway, &reader, frames).await;
    });
    let connection = Arc::clone(connection);
    answer.map_body(|_, body| QueueBody::new(connection, ticket, body)).map_into_boxed_body()
}
