//! The handlers, one file per resource. They translate between HTTP and the rest of the crate.

pub mod account;
pub mod answers;
pub mod audit;
pub mod login;
pub mod service_tokens;
pub mod sessions;
pub mod settings;
pub mod tokens;
pub mod users;

use ::http::{BodyLimit, endpoint};
use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::from_fn;
use actix_web::web;

use crate::caller::identify;
use crate::refusals::hold_back;

const MAX_BODY_BYTES: usize = 16 * 1024;

/// Returns all routes of this service under `prefix`, which may be empty.
pub fn scope(prefix: &str) -> impl HttpServiceFactory + use<> {
    web::scope(prefix)
        .app_data(BodyLimit(MAX_BODY_BYTES))
        .wrap(from_fn(hold_back))
        .service(endpoint("/config").get(settings::get_config))
        .service(endpoint("/.well-known/jwks.json").get(settings::get_jwks))
        .service(endpoint("/signup").post(login::sign_up))
        .service(endpoint("/login").post(login::log_in))
        .service(endpoint("/refresh").post(tokens::refresh))
        .service(endpoint("/logout").post(tokens::log_out))
        // Matches every other path, so it comes last.
        .service(for_known_callers())
}

fn for_known_callers() -> impl HttpServiceFactory {
    web::scope("")
        .wrap(from_fn(identify))
        .service(endpoint("/me").get(account::get_me))
        .service(endpoint("/password").post(account::change_password))
        .service(endpoint("/session").get(sessions::get_session))
        .service(endpoint("/sessions").get(sessions::list_sessions))
        .service(endpoint("/sessions/all").delete(sessions::end_other_sessions))
        .service(endpoint("/sessions/{id}").delete(sessions::end_session))
        .service(endpoint("/activity").post(sessions::note_activity))
        .service(endpoint("/users").get(users::list_users))
        .service(endpoint("/users/{id}").patch(users::update_user))
        .service(endpoint("/users/{id}/sessions").delete(users::end_user_sessions))
        .service(endpoint("/users/{id}/locks").delete(users::lift_user_locks))
        .service(endpoint("/audit").get(audit::list_audit))
        .service(
            endpoint("/tokens")
                .get(service_tokens::list_service_tokens)
                .post(service_tokens::create_service_token),
        )
        .service(endpoint("/tokens/{id}").delete(service_tokens::end_service_token))
}
