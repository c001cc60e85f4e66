use database::is_unavailable;
use http::{ApiError, ErrorCode};
use sea_orm::DbErr;
use serde_json::json;

/// The errors of this service. Only the conversion below knows HTTP.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("the destination has changed: its version is now v{current}")]
    Changed { current: i32 },
    #[error("{0}")]
    Conflict(&'static str),
    #[error(
        "the destination cannot be decrypted: enter its address and secrets again, or set NOTIFY_SECRET_PREVIOUS"
    )]
    Unreadable,
    #[error("the random numbers of the system are unavailable")]
    NoRandom,
    #[error("the event log is unavailable")]
    Log(#[from] backplane::Error),
    #[error("the database failed")]
    Database(#[from] DbErr),
    #[error("{0}")]
    Refused(ApiError),
}

impl From<ApiError> for NotifyError {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<identity::Unreadable> for NotifyError {
    fn from(_: identity::Unreadable) -> Self {
        Self::Unreadable
    }
}

impl From<NotifyError> for ApiError {
    fn from(error: NotifyError) -> Self {
        let message = error.to_string();
        match error {
            NotifyError::NotFound(_) => Self::not_found(message),
            NotifyError::Changed { current } => {
                Self::new(ErrorCode::PreconditionFailed, message).with_details(&json!({"version": current}))
            }
            NotifyError::Conflict(_) | NotifyError::Unreadable => Self::conflict(message),
            NotifyError::NoRandom => Self::internal(std::io::Error::other(message)),
            NotifyError::Log(cause) => {
                Self::unavailable("the event log is unavailable; try again", 1).with_source(cause)
            }
            NotifyError::Database(cause) if is_unavailable(&cause) => {
                Self::unavailable("the database is unavailable; try again", 1).with_source(cause)
            }
            NotifyError::Database(cause) => Self::internal(cause),
            NotifyError::Refused(error) => error,
        }
    }
}
