//! The envelope of successful responses; `observe` writes that of errors.

use actix_web::HttpResponse;
use serde::Serialize;

use crate::openapi::{List, Page, Success};

/// Builds a 200 with `data`; `ok(())` gives `data: null`.
pub fn ok(data: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(Success::of(data))
}

/// Builds a 201 with `data`.
pub fn created(data: impl Serialize) -> HttpResponse {
    HttpResponse::Created().json(Success::of(data))
}

/// Builds a 202 with `data`.
pub fn accepted(data: impl Serialize) -> HttpResponse {
    HttpResponse::Accepted().json(Success::of(data))
}

/// Builds a 200 with one page of a list.
pub fn list<T: Serialize>(data: Vec<T>, limit: u64, next_cursor: Option<String>) -> HttpResponse {
    HttpResponse::Ok().json(List { success: true, data, page: Page { limit, next_cursor } })
}
