//! The transports: long-polling on actix-web, and WebSockets for Socket.IO and `/ws`, whose handshake is
//! actix-ws's and whose stream is ours. They read and write; what the messages mean is decided in [`crate::connection`].

pub mod admin;
mod client_bundle;
mod engine;
mod plain;
mod polling;
mod reassembly;
mod web_socket;

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{self as routing, ServiceConfig};

use crate::authorise::Peer;
use crate::conformance::Suite;
use crate::gateway::Gateway;
use crate::hub::Hub;

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
        .configure(client_bundle::routes)
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
    Peer { query_token, header_token: web::bearer(request).map(Into::into), ..address(request, gateway) }
}

/// Where a request comes from.
fn address(request: &HttpRequest, gateway: &Gateway) -> Peer {
    Peer { ip: gateway.platform.proxies.client_ip(request), ..Peer::default() }
}
