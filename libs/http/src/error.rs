use std::error::Error as StdError;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use contracts::Clock;
use serde::Serialize;
use strum::EnumIter;
use utoipa::ToSchema;

/// Every kind of error that a client can receive. The list is closed: a client may match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, EnumIter, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    ValidationError,
    AuthError,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    InvalidTransition,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType,
    Unprocessable,
    RateLimited,
    InternalError,
    Unavailable,
}

impl ErrorCode {
    /// Returns the HTTP status of this kind.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::ValidationError => StatusCode::BAD_REQUEST,
            Self::AuthError => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict | Self::InvalidTransition => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A problem with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

/// The `error` of an error response.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    pub code: ErrorCode,
    pub message: String,
    /// RFC 3339 in UTC.
    pub timestamp: chrono::DateTime<chrono::Utc>,
    pub request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub details: Option<serde_json::Value>,
}

/// The `error` of an error response in the old contract.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OldErrorBody {
    pub code: ErrorCode,
    pub message: String,
    /// RFC 3339 in UTC.
    pub timestamp: chrono::DateTime<chrono::Utc>,
    /// The request id, as in the log and in `X-Correlation-ID`.
    pub trace_id: String,
    /// `{errors: [{field, message}]}` if fields are wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub details: Option<serde_json::Value>,
}

/// An error as the client sees it. Its cause goes to the log only.
#[derive(Debug)]
pub struct ApiError {
    pub code: ErrorCode,
    pub message: String,
    pub details: Option<serde_json::Value>,
    pub retry_after_seconds: Option<u64>,
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ApiError {
    /// Creates an error of this kind; `message` is for the client.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None, retry_after_seconds: None, source: None }
    }

    /// Creates a 400 that names one field.
    pub fn validation(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// Creates a 400 that names several fields.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let told = fields.iter().map(|error| format!("{}: {}", error.field, error.message));
        let message = told.collect::<Vec<_>>().join("; ");
        Self::new(ErrorCode::ValidationError, message).with_details(&fields)
    }

    /// Creates a 401.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::AuthError, message)
    }

    /// Creates a 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }

    /// Creates a 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// Creates a 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, message)
    }

    /// Creates a 413.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::PayloadTooLarge, message)
    }

    /// Creates a 422.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unprocessable, message)
    }

    /// Creates a 429 that asks the client to retry after this many seconds.
    pub fn rate_limited(retry_after_seconds: u64) -> Self {
        let mut error = Self::new(ErrorCode::RateLimited, "too many requests: try again later");
        error.retry_after_seconds = Some(retry_after_seconds.max(1));
        error
    }

    /// Creates a 500; its cause goes to the log.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let mut error = Self::new(ErrorCode::InternalError, "something went wrong on our side");
        error.source = Some(source.into());
        error
    }

    /// Creates a 503 that asks the client to retry after this many seconds.
    pub fn unavailable(message: impl Into<String>, retry_after_seconds: u64) -> Self {
        let mut error = Self::new(ErrorCode::Unavailable, message);
        error.retry_after_seconds = Some(retry_after_seconds.max(1));
        error
    }

    /// Returns the envelope of this error.
    pub(crate) fn to_body(&self, request_id: &str, clock: &Clock) -> serde_json::Value {
        let error = ErrorBody {
            code: self.code,
            message: self.message.clone(),
            timestamp: clock.now(),
            request_id: request_id.into(),
            details: self.details.clone(),
        };
        serde_json::json!({"success": false, "error": error})
    }

    /// Returns the envelope of this error in the old contract.
    pub(crate) fn to_old_body(&self, trace_id: &str, clock: &Clock) -> serde_json::Value {
        let details = self.details.clone().map(|details| match details {
            fields @ serde_json::Value::Array(_) => serde_json::json!({"errors": fields}),
            details => details,
        });
        let error = OldErrorBody {
            code: self.code,
            message: self.message.clone(),
            timestamp: clock.now(),
            trace_id: trace_id.into(),
            details,
        };
        serde_json::json!({"success": false, "error": error})
    }

    /// Adds details that the client may need in order to act.
    #[must_use]
    pub fn with_details(mut self, details: &impl Serialize) -> Self {
        self.details = serde_json::to_value(details).ok();
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// Sets only the status: the body needs the request's id, so `observe` writes it.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn the_error_codes_match_the_documentation() {
        let documentation = include_str!("../../../docs/API.md");
        let rows = documentation.lines().filter(|line| line.starts_with("| `") && line.contains("` | "));
        let documented = rows.filter_map(|row| {
            let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`'));
            Some((cells.nth(1)?.to_owned(), cells.next()?.parse::<u16>().ok()?))
        });
        let actual = ErrorCode::iter().map(|code| {
            let name = serde_json::to_value(code).unwrap();
            (name.as_str().unwrap().to_owned(), code.status().as_u16())
        });
        assert_eq!(documented.collect::<Vec<_>>(), actual.collect::<Vec<_>>());
    }
}
