use strum::IntoStaticStr;

/// The reasons why a device gets no session, or none yet (RFC 8628, section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum NoSession {
    #[error("nobody has decided on this login yet: ask again in 5 seconds")]
    AuthorizationPending,
    #[error("this is too soon after the last request: ask again in 5 seconds")]
    SlowDown,
    /// The code has expired or was used, or is not one of this installation.
    #[error("this login has expired or was used: start a new one")]
    ExpiredToken,
    /// The login was denied, or the approval no longer counts.
    #[error("this login was denied, or the session that approved it has ended: start a new one")]
    AccessDenied,
}
