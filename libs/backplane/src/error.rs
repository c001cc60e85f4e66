use std::error::Error as StdError;

/// The backplane is unavailable, or refused the command. Callers continue with the state they have and retry;
/// no request fails because of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Redis (REDIS_URL) did not respond in time")]
    Timeout,
    #[error("Redis (REDIS_URL) is unavailable")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The log has begun anew since the caller last looked. Nothing was published. What the caller wants to publish may
    /// be older than what others have published since: look again what is still to be published.
    #[error("the event log of Redis has begun anew")]
    LogChanged,
    /// The URL is refused. The text contains no part of the URL, which may carry a password.
    #[error("REDIS_URL {0}")]
    Url(&'static str),
    #[error("the certificates for Redis (REDIS_TLS_…) cannot be used")]
    Certificates(#[source] Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// Wraps the reason of a driver.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// The result of an operation on the backplane.
pub type Result<T> = std::result::Result<T, Error>;
