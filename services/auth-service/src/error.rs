use database::is_unavailable;
use http::{ApiError, ErrorCode};
use sea_orm::{DbErr, SqlErr};
use serde_json::json;

use crate::challenge::Unproven;
use crate::link::refusal::LinkRefusal;
use crate::password::{HashError, Overloaded, TooWeak};

/// The errors of this service.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("this email is taken")]
    EmailTaken,
    /// The account is unknown or disabled, or the password is wrong. The response does not reveal which.
    #[error("the email or the password is wrong")]
    BadCredentials,
    #[error("the current password is wrong")]
    WrongCurrentPassword,
    #[error("the refresh token is not valid")]
    BadRefreshToken,
    #[error("the session has ended")]
    SessionEnded,
    #[error("send an access token, or a refresh token in the body or as a cookie")]
    NoCredential,
    #[error("the user or the session of this token does not exist")]
    UnknownCaller,
    #[error("there is no such session")]
    UnknownSession,
    #[error("there is no such user")]
    UnknownUser,
    #[error("there is no such open invitation")]
    UnknownInvitation,
    #[error("there is no such token")]
    UnknownServiceToken,
    #[error("the last active admin can't be demoted, disabled or deleted")]
    LastAdmin,
    #[error("this needs the session of a person; service tokens have none")]
    NotAPerson,
    #[error("this needs an active admin")]
    NotAnAdmin,
    #[error("this needs the role engineer or admin")]
    NotAnEngineer,
    #[error("there are too many service tokens; revoke some first")]
    TooManyServiceTokens,
    #[error("a request with a refresh cookie must come from an allowed origin")]
    ForeignOrigin,
    #[error("a request with a refresh cookie must be JSON")]
    NotJson,
    #[error("this user is disabled: enable the user first")]
    Disabled,
    #[error("send the token of the link, or the code and the requestId")]
    NoProof,
    #[error(transparent)]
    Link(#[from] LinkRefusal),
    #[error("this installation sends no mail: ask an admin")]
    NoMail,
    #[error("sign-up is closed here: ask an admin for an invitation")]
    SignupClosed,
    #[error("sign-up is not open to addresses of this domain: ask an admin for an invitation")]
    ForeignDomain,
    #[error("this installation has no login of this kind")]
    NoSuchLogin,
    #[error("too many attempts")]
    TooManyAttempts { retry_after_seconds: u64 },
    #[error(transparent)]
    TooWeak(#[from] TooWeak),
    #[error(transparent)]
    Unproven(#[from] Unproven),
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error("the database failed")]
    Database(#[from] DbErr),
    #[error("a password could not be hashed or compared")]
    Hash(#[source] bcrypt::BcryptError),
    #[error("an access token could not be signed")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AuthError {
    /// The error of a row of a user that could not be written.
    pub fn of_write(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::EmailTaken,
            _ => Self::Database(error),
        }
    }
}

impl From<HashError> for AuthError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded(overloaded) => Self::Overloaded(overloaded),
            HashError::Bcrypt(error) => Self::Hash(error),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        let message = error.to_string();
        match error {
            AuthError::EmailTaken
            | AuthError::Disabled
            | AuthError::LastAdmin
            | AuthError::TooManyServiceTokens => Self::conflict(message),
            AuthError::BadCredentials
            | AuthError::BadRefreshToken
            | AuthError::SessionEnded
            | AuthError::UnknownCaller => Self::unauthenticated(message),
            AuthError::WrongCurrentPassword => Self::validation("currentPassword", "is wrong"),
            AuthError::TooWeak(_) => Self::validation("password", message),
            AuthError::Unproven(_) => Self::validation("altcha", message),
            AuthError::NoCredential => Self::validation("refreshToken", message),
            AuthError::UnknownInvitation
            | AuthError::UnknownSession
            | AuthError::UnknownUser
            | AuthError::UnknownServiceToken => Self::not_found(message),
            AuthError::NoProof => Self::validation("token", message),
            AuthError::Link(refusal) => {
                let reason: &str = refusal.into();
                Self {
                    details: Some(json!({ "reason": reason })),
                    ..Self::new(ErrorCode::ValidationError, message)
                }
            }
            AuthError::NoMail
            | AuthError::SignupClosed
            | AuthError::ForeignDomain
            | AuthError::NoSuchLogin
            | AuthError::NotAPerson
            | AuthError::NotAnAdmin
            | AuthError::NotAnEngineer
            | AuthError::ForeignOrigin => Self::forbidden(message),
            AuthError::NotJson => Self::new(ErrorCode::UnsupportedMediaType, message),
            AuthError::TooManyAttempts { retry_after_seconds } => Self::rate_limited(retry_after_seconds),
            AuthError::Overloaded(_) => Self::unavailable("too many logins at once; try again", 2),
            AuthError::Database(error) if is_unavailable(&error) => {
                Self::unavailable("the database is unavailable; try again", 2).with_source(error)
            }
            AuthError::Database(error) => Self::internal(error),
            AuthError::Hash(error) => Self::internal(error),
            AuthError::Sign(error) => Self::internal(error),
        }
    }
}
