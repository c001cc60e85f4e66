use serde_json::{Value, json};
use strum::{EnumIter, IntoStaticStr};

use super::{NamespaceKind, Refusal};

/// The reason why a request of a client failed, as sent in the acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ClientError {
    #[error("too many messages")]
    RateLimited,
    /// The socket closed while the request waited.
    #[error("the socket has ended")]
    AuthFailed,
    #[error("there is no such room")]
    UnknownRoom,
    #[error("nothing listens to this event")]
    UnknownEvent,
    /// Clients know the code in this spelling.
    #[error("use reauth to change the token")]
    #[strum(serialize = "ALREADY_AUTHORISED")]
    AlreadyAuthorized,
    #[error("recovery is off")]
    NotRecoverable,
    /// The change is in force, but is forgotten if the connection breaks before Redis responds again.
    #[error("the change cannot be stored now: repeat it after the next connect")]
    Unavailable,
    /// A token was refused; the code is that of the refusal.
    #[error("{}", .0.message)]
    #[strum(disabled)]
    Refused(Refusal),
}

impl ClientError {
    /// The `error` of an acknowledgement.
    pub(crate) fn data(&self) -> Value {
        match self {
            Self::Refused(refusal) => refusal.data(NamespaceKind::Root),
            own => json!({ "code": <&str>::from(own), "message": own.to_string() }),
        }
    }
}
