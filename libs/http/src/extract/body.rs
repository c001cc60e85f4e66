use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use validator::Validate;

use super::field_names::field_names;
use super::validation::{unreadable, validated};
use crate::body_deadline::is_late;
use crate::contract::is_old;
use crate::{ApiError, ErrorCode};

/// Maximum number of bytes in a body. Set it with `app_data` on a scope; the default is 1 MiB.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit(pub usize);

impl Default for BodyLimit {
    fn default() -> Self {
        Self(1024 * 1024)
    }
}

/// A JSON body that satisfies the rules of its type.
#[derive(Clone, Debug)]
pub struct ValidJson<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for ValidJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<BodyLimit>().copied().unwrap_or_default().0;
        let request = request.clone();
        let body = web::Payload::from_request(&request, payload);
        Box::pin(async move {
            if !is_json(&request) {
                let message = "send JSON, with Content-Type: application/json";
                return Err(ApiError::new(ErrorCode::UnsupportedMediaType, message));
            }
            let body = body.await.map_err(|error| ApiError::validation("body", error.to_string()))?;
            parse_body(&request, &read_body(body, limit).await?).map(Self)
        })
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// 413 if the body is larger, 408 if it is late, 400 if the connection broke.
pub async fn read_body(body: web::Payload, limit: usize) -> Result<Bytes, ApiError> {
    let read = body.to_bytes_limited(limit).await;
    let read =
        read.map_err(|_error| ApiError::too_large(format!("the body must have at most {limit} bytes")))?;
    read.map_err(|error| match error.as_error::<PayloadError>() {
        Some(error) if is_late(error) => {
            ApiError::new(ErrorCode::RequestTimeout, "the body did not arrive in time: send it faster")
        }
        _ => ApiError::validation("body", "could not be read"),
    })
}

/// Parses the JSON body of a request and checks the rules of its type. Under the old contract, fields that the type does
/// not have are ignored.
///
/// # Errors
/// 400 that names the field which is wrong.
pub fn parse_body<T: DeserializeOwned + Validate>(
    request: &HttpRequest,
    bytes: &[u8],
) -> Result<T, ApiError> {
    match field_names::<T>() {
        Some(names) if is_old(request) => {
            let mut sent: Map<String, Value> = parse(bytes)?;
            sent.retain(|name, _| names.contains(&name.as_str()));
            validated(read(Value::Object(sent))?)
        }
        _ => parse_json(bytes),
    }
}

/// Parses JSON and checks the rules of its type.
///
/// # Errors
/// 400 that names the field which is wrong.
pub fn parse_json<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<T, ApiError> {
    validated(parse(bytes)?)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // serde would read a list as the fields of a struct, in their order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(ApiError::validation("body", "must be an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = read(&mut deserializer)?;
    deserializer
        .end()
        .map_err(|_error| ApiError::validation("body", "has extra characters after the end of the JSON"))?;
    Ok(value)
}

fn read<'de, T: DeserializeOwned>(
    deserializer: impl Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(deserializer)
        .map_err(|error| unreadable(&error.path().to_string(), &error.inner().to_string()))
}

/// Whether the `Content-Type` of the request is JSON.
pub fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}
