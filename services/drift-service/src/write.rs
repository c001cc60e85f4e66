//! A write: one transaction for the rows, the audit and the events, executed once per `Idempotency-Key`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use database::Transaction;
use http::{ApiError, ValidJson};
use serde::Serialize;
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
        let if_match = match text_header(request.headers(), "if-match")? {
            None | Some("*") => None,
            Some(tag) => {
                let version = tag.trim_start_matches("W/").trim_matches('"').strip_prefix('v');
                let version = version.and_then(|version| version.parse().ok());
                Some(
                    version
                        .ok_or_else(|| ApiError::validation("If-Match", "must be an ETag such as \"v3\""))?,
                )
            }
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

fn text_header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, ApiError> {
    let text = headers.get(name).map(|value| value.to_str());
    text.transpose().map_err(|_| ApiError::validation(name, "must be ASCII"))
}

/// A transaction in progress.
pub struct Write {
    pub tx: Transaction,
    pub actor: Actor,
    pub at: DateTime<Utc>,
    /// The id of the row that will store the response.
    answer_id: Option<String>,
}

/// Either a write to execute, or the stored response to an equal request.
pub enum Begun {
    Write(Write),
    Answered(HttpResponse),
}

/// Begins a write. A repeated `Idempotency-Key` is accepted only with the `body` of the first request.
pub async fn begin(
    state: &State,
    actor: Actor,
    conditions: &Conditions,
    body: &[u8],
) -> Result<Begun, DriftError> {
    let tx = state.database.begin().await?;
    let at = state.platform.clock.now();
    let Some(key) = &conditions.idempotency_key else {
        return Ok(Begun::Write(Write { tx, actor, at, answer_id: None }));
    };
    let path = conditions.route.split('?').next().unwrap_or_default();
    let id = digest(&[actor.user_id.as_bytes(), path.as_bytes(), key.as_bytes()]);
    let request_hash = digest(&[conditions.route.as_bytes(), body]);
    let claim = Claim { id: &id, actor: &actor.user_id, request_hash: &request_hash, at };
    // Waits for a write with the same key that is in progress.
    if answered_request::claim(&tx, claim).await? {
        return Ok(Begun::Write(Write { tx, actor, at, answer_id: Some(id) }));
    }
    match answered_request::by_id(&tx, &id).await? {
        Some(answered) if answered.request_hash == request_hash => Ok(Begun::Answered(replay(&answered))),
        _ => Err(DriftError::KeyReused),
    }
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    success: bool,
    data: &'a T,
}

impl Write {
    /// Commits, and returns `data` in the envelope.
    pub async fn answer(self, status: StatusCode, data: &impl Serialize) -> Result<HttpResponse, DriftError> {
        // Serialized directly to text: a `serde_json::Value` in between would round the numbers of a state.
        let body = serde_json::to_string(&Envelope { success: true, data })?;
        if let Some(id) = &self.answer_id {
            answered_request::store(&self.tx, id, status, &body).await?;
        }
        self.tx.commit().await?;
        Ok(HttpResponse::build(status).content_type("application/json").body(body))
    }

    /// Like [`answer`](Self::answer), with the version of a drift as the ETag.
    pub async fn answer_versioned(
        self,
        status: StatusCode,
        version: i32,
        data: &impl Serialize,
    ) -> Result<HttpResponse, DriftError> {
        Ok(with_etag(self.answer(status, data).await?, version))
    }
}

/// Adds the version as the ETag.
pub fn with_etag(mut answer: HttpResponse, version: i32) -> HttpResponse {
    if let Ok(etag) = format!("\"v{version}\"").parse() {
        answer.headers_mut().insert(header::ETAG, etag);
    }
    answer
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
pub fn body_or_default<T: Default>(
    request: &HttpRequest,
    body: Result<ValidJson<T>, ApiError>,
) -> Result<T, ApiError> {
    match body {
        Ok(ValidJson(body)) => Ok(body),
        Err(_) if !request.headers().contains_key(header::CONTENT_TYPE) => Ok(T::default()),
        Err(error) => Err(error),
    }
}
