use serde::Serialize;

/// The reason why a request on the Engine.IO path was refused. The protocol defines the codes and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestError {
    TransportUnknown,
    SessionUnknown,
    BadHandshakeMethod,
    BadRequest,
    Forbidden,
    UnsupportedProtocol,
}

/// The body of a refusal, in the form that the protocol prescribes.
#[derive(Serialize)]
pub(crate) struct RequestErrorBody {
    code: u8,
    message: &'static str,
}

impl RequestError {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionUnknown => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden => 4,
            Self::UnsupportedProtocol => 5,
        }
    }

    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::TransportUnknown => "Transport unknown",
            Self::SessionUnknown => "Session ID unknown",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::Forbidden => "Forbidden",
            Self::UnsupportedProtocol => "Unsupported protocol version",
        }
    }

    /// The label of the metric.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::TransportUnknown => "TRANSPORT_UNKNOWN",
            Self::SessionUnknown => "SESSION_UNKNOWN",
            Self::BadHandshakeMethod => "BAD_HANDSHAKE_METHOD",
            Self::BadRequest => "BAD_REQUEST",
            Self::Forbidden => "FORBIDDEN",
            Self::UnsupportedProtocol => "UNSUPPORTED_PROTOCOL",
        }
    }

    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Forbidden => 403,
            _ => 400,
        }
    }

    pub(crate) const fn body(self) -> RequestErrorBody {
        RequestErrorBody { code: self.code(), message: self.message() }
    }
}
