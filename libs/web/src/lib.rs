//! The HTTP code that all services share: configuration, the platform that a service runs on, the
//! envelope and its error codes, extractors, limits, health, metrics, and the server itself.
//!
//! No business rules and no database. Start with [`Platform`] and [`serve`]; a handler needs
//! [`ValidJson`], [`Caller`], [`ok`] and [`ApiError`].

mod answer;
mod bare_errors;
mod body_deadline;
mod client_ip;
mod config;
mod cors;
pub mod cursor;
mod endpoint;
mod error;
mod extract;
mod health;
mod healthcheck;
mod limiter;
mod logging;
mod observe;
pub mod openapi;
mod operations;
mod origin;
mod plaintext;
mod platform;
mod proxies;
mod server;
mod takeover;
mod token_use;
mod trace;

pub use answer::{created, list, ok};
pub use body_deadline::expect_large_body;
pub use client_ip::ClientIp;
pub use config::{Environment, HttpConfig, parse};
pub use endpoint::{Endpoint, endpoint};
pub use error::{ApiError, ErrorBody, ErrorCode, FieldError};
pub use extract::{
    AnyOf, BodyLimit, Caller, MaybeCaller, NoQuery, RequestId, ValidJson, ValidPath, ValidQuery, bearer,
    is_json, parse_json, read_body,
};
pub use health::{Check, Health, Status};
pub use limiter::Limiter;
pub use logging::init_logging;
pub use origin::origin_is_allowed;
pub use plaintext::check_plaintext;
pub use platform::Platform;
pub use proxies::{Proxies, network};
pub use server::{Server, serve, stop_on_signals};
pub use takeover::{Taken, take_over};
pub use token_use::TokenUses;
pub use trace::join_trace;
