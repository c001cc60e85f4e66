//! The REST contract of the replaced Node stack, served with `COMPAT_ROUTES=true` only.
//!
//! The module translates parameters and results. Limits, audit, events and transactions are those of the current
//! contract, whose functions it calls. docs/COMPATIBILITY.md describes the contract.

pub mod account;
pub mod settings;

mod api_key;
mod log_out;
mod openapi;

use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use http::{BodyLimit, old_endpoint, shared_endpoint};

pub use openapi::openapi;

use crate::caller::identify;
use crate::login;
use crate::refusals::hold_back;
use crate::token;

/// Registers the old routes of sessions. They are the current ones, except that unknown fields are ignored and that an
/// unknown token logs out.
pub fn session_routes(config: &mut ServiceConfig) {
    config
        .service(shared_endpoint("/login").post(login::handlers::log_in))
        .service(shared_endpoint("/refresh").post(token::handlers::refresh))
        .service(shared_endpoint("/logout").post(log_out::log_out));
}

/// Returns the old routes of the caller's own account.
pub fn account_routes() -> impl HttpServiceFactory {
    web::scope("/api/v1/users")
        .app_data(BodyLimit(settings::MAX_BYTES))
        .wrap(from_fn(identify))
        .wrap(from_fn(hold_back))
        .service(old_endpoint("/me").get(account::get_me).delete(account::delete_me))
        .service(old_endpoint("/me/settings").put(account::put_settings))
        .service(old_endpoint("/me/api-key/regenerate").post(api_key::regenerate_api_key))
}
