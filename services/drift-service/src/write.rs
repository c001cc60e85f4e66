//! A write: one transaction for the rows, the audit and the events, executed once per `Idempotency-Key`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, EntityTag, Header, HeaderMap, IfMatch, TryIntoHeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use database::Transaction;
use http::openapi::Success;
use http::{ApiError, Caller, ValidJson};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::actor::Actor;
use crate::answered_request::Claim;
use crate::error::DriftError;
use crate::{State, answered_request};

const MAX_KEY_BYTES: usize = 255;

/// The conditions that the headers of a request set for a write.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// The version that must still be current.
    pub if_match: Option<i32>,
    idempotency_key: Option<String>,
    route: String,
}

impl FromRequest for Conditions {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request))
    }
}

impl Conditions {
    fn read(request: &HttpRequest) -> Result<Self, ApiError> {
        let is_conditional = request.headers().contains_key(header::IF_MATCH);
        let if_match = match IfMatch::parse(request).ok().and_then(|tags| version_of(&tags)) {
            Some(version) => version,
            None if !is_conditional => None,
            None => return Err(ApiError::validation("If-Match", "must be an ETag such as \"v3\"")),
        };
        let idempotency_key = text_header(request.headers(), "idempotency-key")?;
        if idempotency_key.is_some_and(|key| key.is_empty() || key.len() > MAX_KEY_BYTES) {
            return Err(ApiError::validation("Idempotency-Key", "must have 1 to 255 characters"));
        }
        Ok(Self {
            if_match,
            idempotency_key: idempotency_key.map(Into::into),
            route: format!("{} {}", request.method(), request.uri()),
        })
    }
}

/// Returns the version that must be current: `Some(None)` if any is right, `None` if the tags name none. The
/// library leaves out tags that it cannot read.
fn version_of(tags: &IfMatch) -> Option<Option<i32>> {
    match tags {
        IfMatch::Any => Some(None),
        IfMatch::Items(tags) => match &tags[..] {
            [tag] => tag.tag().strip_prefix('v')?.parse().ok().map(Some),
            _ => None,
        },
    }
}

fn text_header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, ApiError> {
    let text = headers.get(name).map(|value| value.to_str());
    text.transpose().map_err(|_error| ApiError::validation(name, "must be ASCII"))
}

/// A transaction in progress.
pub(crate) struct Write {
    pub tx: Transaction,
    pub actor: Actor,
    pub at: DateTime<Utc>,
}

/// The response to a write.
pub(crate) struct Reply<T> {
    status: StatusCode,
    data: T,
    version: Option<i32>,
    is_dry_run: bool,
}

impl<T> Reply<T> {
    pub(crate) fn ok(data: T) -> Self {
        Self { status: StatusCode::OK, data, version: None, is_dry_run: false }
    }

    pub(crate) fn created(data: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(data) }
    }

    /// Adds the version of a drift, which is sent as the ETag.
    pub(crate) fn with_version(self, version: i32) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Rolls the write back if `is_dry_run`.
    pub(crate) fn with_dry_run(self, is_dry_run: bool) -> Self {
        Self { is_dry_run, ..self }
    }
}

/// Executes a write and commits it. If the request repeats an earlier one with the same `Idempotency-Key`,
/// returns the stored response instead; `body` must be equal.
pub(crate) async fn once<T: Serialize>(
    state: &State,
    caller: Caller,
    conditions: &Conditions,
    body: &[u8],
    work: impl AsyncFnOnce(&mut Write) -> Result<Reply<T>, DriftError>,
) -> Result<HttpResponse, ApiError> {
    let tx = state.database.begin().await.map_err(DriftError::from)?;
    let mut write = Write { tx, actor: caller.into(), at: state.platform.clock().now() };
    let repeatable = match &conditions.idempotency_key {
        Some(key) => match begin_repeatable(&write, &conditions.route, key, body).await? {
            Begun::New(id) => Some(id),
            Begun::Answered(answered) => return Ok(replay(&answered)),
        },
        None => None,
    };
    let Reply { status, data, version, is_dry_run } = work(&mut write).await?;
    if is_dry_run {
        return Ok(http::ok(data));
    }
    // Serialized directly to text: a `serde_json::Value` in between would round the numbers of a state.
    let body = serde_json::to_string(&Success::of(data)).map_err(DriftError::from)?;
    if let Some(id) = repeatable {
        answered_request::store(&write.tx, &id, status, &body).await.map_err(DriftError::from)?;
    }
    write.tx.commit().await.map_err(DriftError::from)?;
    let response = HttpResponse::build(status).content_type("application/json").body(body);
    Ok(match version {
        Some(version) => with_etag(response, version),
        None => response,
    })
}

enum Begun {
    /// The id of the row that will store the response.
    New(String),
    Answered(answered_request::Model),
}

async fn begin_repeatable(write: &Write, route: &str, key: &str, body: &[u8]) -> Result<Begun, DriftError> {
    let actor = &write.actor.user_id;
    let path = route.split('?').next().unwrap_or_default();
    let id = digest(&[actor.as_bytes(), path.as_bytes(), key.as_bytes()]);
    let request_hash = digest(&[route.as_bytes(), body]);
    let claim = Claim { id: &id, actor, request_hash: &request_hash, at: write.at };
    // Waits for a write with the same key that is in progress.
    if answered_request::claim(&write.tx, claim).await? {
        return Ok(Begun::New(id));
    }
    match answered_request::by_id(&write.tx, &id).await? {
        Some(answered) if answered.request_hash == request_hash => Ok(Begun::Answered(answered)),
        _ => Err(DriftError::KeyReused),
    }
}

/// Adds the version as the ETag.
pub(crate) fn with_etag(mut response: HttpResponse, version: i32) -> HttpResponse {
    if let Ok(etag) = EntityTag::new_strong(format!("v{version}")).try_into_value() {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

fn replay(answered: &answered_request::Model) -> HttpResponse {
    let status = u16::try_from(answered.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    HttpResponse::build(status.unwrap_or(StatusCode::OK))
        .insert_header(("idempotency-replayed", "true"))
        .content_type("application/json")
        .body(answered.body.clone())
}

/// Returns SHA-256 in hex over the parts and their lengths.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Returns an optional body. If one was sent, it must be valid.
pub(crate) fn body_or_default<T: Default>(
    request: &HttpRequest,
    body: Result<ValidJson<T>, ApiError>,
) -> Result<T, ApiError> {
    match body {
        Ok(ValidJson(body)) => Ok(body),
        Err(_) if !request.headers().contains_key(header::CONTENT_TYPE) => Ok(T::default()),
        Err(error) => Err(error),
    }
}

/// Distinguishes a field that is `null` from an absent one.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
