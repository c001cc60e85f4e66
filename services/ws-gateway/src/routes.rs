//! The paths of the gateway.

use actix_web::web::{self as routing, Data, ServiceConfig};

use crate::admin;
#[cfg(feature = "conformance")]
use crate::conformance::Suite;
use crate::state::State;
use crate::transport::{client_bundle_routes, engine_request, open_plain};

/// The paths of the gateway. Called once in each worker thread, whose hub then starts.
pub fn routes(state: State) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| configure(&state, config)
}

fn configure(state: &State, config: &mut ServiceConfig) {
    #[cfg(feature = "conformance")]
    if state.suite == Some(Suite::EngineIo) {
        config.service(routing::resource("/engine.io/").route(routing::to(engine_request)));
    }
    config
        .app_data(Data::new(state.worker()))
        .configure(client_bundle_routes)
        .service(routing::resource("/socket.io/").route(routing::to(engine_request)))
        .service(routing::resource("/socket.io").route(routing::to(engine_request)))
        .service(http::endpoint("/ws").get(open_plain))
        .service(http::endpoint("/api/realtime/stats").get(admin::get_stats))
        .service(
            http::endpoint("/api/realtime/users/{id}/connections")
                .get(admin::list_user_connections)
                .delete(admin::end_user_connections),
        )
        .service(http::endpoint("/api/realtime/connections/{id}").delete(admin::end_connection))
        .service(http::endpoint("/api/realtime/emit").post(admin::emit));
}
