use strum::IntoStaticStr;

/// The reasons why a link or a code is refused. Each message says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LinkRefusal {
    #[error("this is not a whole link: copy all of it from the mail")]
    Malformed,
    /// The link comes from another installation, serves another purpose, or was altered.
    #[error("this link doesn't belong here: open the link from the newest mail")]
    Foreign,
    #[error("this link has been used: if that wasn't you, request a new one")]
    Used,
    #[error("this link has expired: request a new one")]
    Expired,
    #[error("this link is no longer valid: request a new one")]
    Revoked,
    #[error("this code is wrong: type the six digits from the newest mail")]
    WrongCode,
    #[error("too many codes were wrong: open the link in the mail, or request a new one")]
    TooManyCodes,
}
