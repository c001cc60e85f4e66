//! The HTTP code that all services share: the envelope and its error codes, extractors, limits, the paths for
//! operators, and the server itself.
//!
//! No business rules and no database. Start with [`Http`] and [`serve`]; a handler needs [`ValidJson`],
//! [`Caller`], [`ok`] and [`ApiError`].

mod answer;
mod bare_errors;
mod body_deadline;
mod client_ip;
mod config;
mod contract;
mod cors;
pub mod cursor;
mod endpoint;
mod error;
mod extract;
mod front;
mod observe;
pub mod openapi;
mod operations;
mod origin;
mod proxies;
mod server;
mod takeover;

pub use answer::{accepted, created, list, ok};
pub use body_deadline::expect_large_body;
pub use client_ip::ClientIp;
pub use config::HttpConfig;
pub(crate) use cors::Cors;
pub use endpoint::{Endpoint, endpoint, old_endpoint, shared_endpoint};
pub use error::{ApiError, ErrorBody, ErrorCode, FieldError, OldErrorBody};
pub use extract::{
    Admin, AnyOf, BodyLimit, Caller, Engineer, MaybeCaller, NoQuery, RequestId, ValidJson, ValidPath,
    ValidQuery, Viewer, bearer, is_account_id, is_json, parse_body, parse_json, read_body,
};
pub use front::{Http, client_ip, is_from_own_origin};
pub use proxies::network;
pub use server::{Server, serve};
pub use takeover::{Taken, take_over};
