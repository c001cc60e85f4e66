use database::is_unavailable;
use http::{ApiError, ErrorCode};
use sea_orm::{DbErr, SqlErr};
use serde_json::json;

use crate::challenge::Unproven;
use crate::device_login::refusal::NoSession;
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
    #[error(
        "no login with this code waits for a decision: check the code, or start a new login on the device"
    )]
    UnknownDeviceLogin,
    #[error(transparent)]
    NoSession(#[from] NoSession),
    #[error("this installation sends no mail: ask an admin")]
    NoMail,
    #[error("sign-up is closed here: ask an admin for an invitation")]
    SignupClosed,
    #[error("sign-up is not open to addresses of this domain: ask an admin for an invitation")]
    ForeignDomain,
    #[error("this installation has no login of this kind")]
    NoSuchLogin,
    #[error("passkeys are off: PUBLIC_URL must be https:// with the name of a host")]
    PasskeysOff,
    #[error("there is no such passkey")]
    UnknownPasskey,
    #[error("this user has no passkey for this site: use another factor")]
    NoPasskey,
    #[error("there are too many passkeys: delete one first")]
    TooManyPasskeys,
    /// A passkey whose sign counter did not rise. The response is that of a wrong factor.
    #[error("is wrong or was used")]
    ClonedPasskey,
    #[error("the login has expired: log in again")]
    PendingLoginEnded,
    /// Wrong, unknown and used ones get the same response.
    #[error("the second factor is wrong or was used")]
    WrongFactor {
        /// The field of the request.
        field: &'static str,
    },
    #[error("send a code, a recoveryCode or an assertion")]
    NoFactor,
    #[error("show a second factor first")]
    StepUpRequired { methods: Vec<&'static str> },
    #[error("there is no such second factor")]
    UnknownFactor,
    #[error("this account has an authenticator app: remove it first")]
    FactorExists,
    #[error("this account needs a second factor: add another one first")]
    LastFactor,
    #[error("too many attempts")]
    TooManyAttempts { retry_after_seconds: u64 },
    #[error(transparent)]
    TooWeak(#[from] TooWeak),
    #[error(transparent)]
    Unproven(#[from] Unproven),
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error("a second factor could not be created or read")]
    Factor(#[source] anyhow::Error),
    #[error("the database failed")]
    Database(#[from] DbErr),
    #[error("a password could not be hashed or compared")]
    Hash(#[source] bcrypt::BcryptError),
    #[error("an access token could not be signed")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("a passkey ceremony could not be read or written")]
    Passkey(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AuthError {
    /// An error of the library or the database that no client causes.
    pub fn passkey(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Passkey(error.into())
    }

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
            | AuthError::NoPasskey
            | AuthError::TooManyPasskeys
            | AuthError::FactorExists
            | AuthError::LastFactor
            | AuthError::TooManyServiceTokens => Self::conflict(message),
            AuthError::WrongFactor { field } => Self::validation(field, "is wrong or was used"),
            AuthError::NoFactor => Self::validation("code", message),
            AuthError::StepUpRequired { methods } => Self::step_up_required(&methods),
            AuthError::PendingLoginEnded
            | AuthError::BadCredentials
            | AuthError::BadRefreshToken
            | AuthError::SessionEnded
            | AuthError::UnknownCaller => Self::unauthenticated(message),
            AuthError::WrongCurrentPassword => Self::validation("currentPassword", "is wrong"),
            AuthError::ClonedPasskey => Self::validation("assertion", message),
            AuthError::TooWeak(_) => Self::validation("password", message),
            AuthError::Unproven(_) => Self::validation("altcha", message),
            AuthError::NoCredential => Self::validation("refreshToken", message),
            AuthError::UnknownDeviceLogin
            | AuthError::UnknownInvitation
            | AuthError::UnknownSession
            | AuthError::UnknownUser
            | AuthError::UnknownPasskey
            | AuthError::UnknownFactor
            | AuthError::UnknownServiceToken => Self::not_found(message),
            AuthError::NoProof => Self::validation("token", message),
            AuthError::Link(refusal) => with_reason(refusal.into(), message),
            AuthError::NoSession(reason) => with_reason(reason.into(), message),
            AuthError::NoMail
            | AuthError::SignupClosed
            | AuthError::ForeignDomain
            | AuthError::NoSuchLogin
            | AuthError::PasskeysOff
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
            AuthError::Factor(error) => Self::internal(format!("{error:#}")),
            AuthError::Hash(error) => Self::internal(error),
            AuthError::Sign(error) | AuthError::Passkey(error) => Self::internal(error),
        }
    }
}

/// The error of a code that cannot be used, with the reason for programs.
fn with_reason(reason: &'static str, message: String) -> ApiError {
    let details = Some(json!({ "reason": reason }));
    ApiError { details, ..ApiError::new(ErrorCode::ValidationError, message) }
}
