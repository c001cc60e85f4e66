use chrono::{DateTime, Utc};
use contracts::drift::Status;
use database::is_unavailable;
use http::{ApiError, ErrorCode};
use scan::ScanError;
use sea_orm::DbErr;
use serde_json::json;

use crate::drift::Action;

/// The errors of this service. Only the conversion below knows HTTP.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("a drift with the status {} does not allow the action {}", status.into_str(), action.into_str())]
    NotAllowed { status: Status, action: Action },
    #[error("only an admin may reopen this drift; the person who decided may do so within a minute")]
    NotOwnDecision,
    #[error("a resolved drift cannot be changed")]
    Final,
    #[error(
        "somebody saved other rules in between: their version is now v{version}. Look at them before you save"
    )]
    RulesChanged { version: i32, by: String, at: DateTime<Utc> },
    #[error("the drift has changed: its version is now v{current}")]
    Changed { current: i32 },
    #[error("{found} drifts match, not {expected}. Look at them again, or choose fewer: at most 2,000")]
    OtherNumber { expected: u64, found: u64 },
    #[error("this scan is older than the last scan of the stack, which is from {last}")]
    StaleScan { last: DateTime<Utc> },
    #[error("only an open drift can be snoozed")]
    NotOpen { status: Status },
    #[error("{0}")]
    TooMany(&'static str),
    #[error("the drift already has an alert of this type")]
    AlertExists,
    #[error("the Idempotency-Key was used for another request; use a new key")]
    KeyReused,
    #[error("{field}: {message}")]
    Invalid { field: &'static str, message: String },
    #[error(transparent)]
    Scan(#[from] ScanError),
    #[error("the export cannot be written: {0}")]
    Unexported(String),
    #[error("could not serialize the response")]
    Unwritable(#[from] serde_json::Error),
    #[error("the database failed")]
    Database(#[from] DbErr),
    #[error("{0}")]
    Refused(ApiError),
}

impl From<ApiError> for DriftError {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<csv::Error> for DriftError {
    fn from(error: csv::Error) -> Self {
        Self::Unexported(error.to_string())
    }
}

impl From<DriftError> for ApiError {
    fn from(error: DriftError) -> Self {
        let message = error.to_string();
        match error {
            DriftError::NotFound(_) => Self::not_found(message),
            DriftError::NotAllowed { status, action } => Self::new(ErrorCode::InvalidTransition, message)
                .with_details(
                    &json!({"status": status, "action": action, "allowed": Action::allowed_in(status)}),
                ),
            DriftError::NotOwnDecision => Self::forbidden(message),
            DriftError::Final => Self::new(ErrorCode::InvalidTransition, message)
                .with_details(&json!({"status": Status::Resolved, "allowed": []})),
            DriftError::NotOpen { status } => {
                Self::new(ErrorCode::InvalidTransition, message).with_details(&json!({"status": status}))
            }
            DriftError::Changed { current } => {
                Self::new(ErrorCode::PreconditionFailed, message).with_details(&json!({"version": current}))
            }
            DriftError::RulesChanged { version, by, at } => Self::new(ErrorCode::PreconditionFailed, message)
                .with_details(&json!({"version": version, "by": by, "at": at})),
            DriftError::OtherNumber { found, .. } => {
                Self::conflict(message).with_details(&json!({"count": found}))
            }
            DriftError::StaleScan { last } => {
                Self::conflict(message).with_details(&json!({"lastScanAt": last}))
            }
            DriftError::AlertExists | DriftError::TooMany(_) => Self::conflict(message),
            DriftError::KeyReused => Self::unprocessable(message),
            DriftError::Invalid { field, message } => Self::validation(field, message),
            DriftError::Scan(scan) => match scan {
                ScanError::Malformed { .. } | ScanError::Value(_) | ScanError::BadCompression => {
                    Self::validation("body", message)
                }
                ScanError::Unsupported(_) => Self::unprocessable(message),
                ScanError::TooLarge
                | ScanError::TooManyEntries
                | ScanError::TooManyPlans
                | ScanError::TooMuchDrift
                | ScanError::TooManySecrets
                | ScanError::TooSlow => Self::too_large(message),
            },
            DriftError::Database(cause) if is_unavailable(&cause) => {
                Self::unavailable("the database is unavailable; try again", 1).with_source(cause)
            }
            DriftError::Database(cause) => Self::internal(cause),
            DriftError::Unwritable(cause) => Self::internal(cause),
            DriftError::Unexported(_) => Self::internal(message),
            DriftError::Refused(error) => error,
        }
    }
}
