use contracts::events::auth::EndReason;
use strum::EnumCount;

/// The reason why a connection, or one of its sockets, ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumCount)]
pub(crate) enum Ending {
    /// The client closed the connection.
    Left,
    /// The transport broke.
    Lost,
    /// The client did not answer a ping.
    Silent,
    BadMessage,
    /// No token, or one that is invalid or expired.
    Unauthorized,
    Expired,
    Revoked(EndReason),
    /// The client sent no token in time.
    HandshakeTimeout,
    TakenOver,
    TooLarge,
    RateLimited,
    Slow,
    Draining,
    /// The backplane is unavailable.
    Unavailable,
}

impl Ending {
    /// The WebSocket close code; 1005 and 1006 are never sent, as the protocol demands.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Left => 1005,
            Self::Lost | Self::Silent => 1006,
            Self::BadMessage => 4400,
            Self::Unauthorized | Self::Expired => 4401,
            Self::Revoked(_) => 4403,
            Self::HandshakeTimeout => 4408,
            Self::TakenOver => 4409,
            Self::TooLarge => 4413,
            Self::RateLimited => 4429,
            Self::Slow => 4503,
            Self::Draining => 1001,
            Self::Unavailable => 1013,
        }
    }

    /// The reason text of the close frame.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Lost => "connection lost",
            Self::Silent => "ping timeout",
            Self::BadMessage => "bad message",
            Self::Unauthorized => "unauthorized",
            Self::Expired => "token expired",
            Self::Revoked(_) => "session revoked",
            Self::HandshakeTimeout => "handshake timeout",
            Self::TakenOver => "taken over",
            Self::TooLarge => "message too large",
            Self::RateLimited => "rate limit",
            Self::Slow => "slow consumer",
            Self::Draining => "draining",
            Self::Unavailable => "try again later",
        }
    }

    /// Whether the sockets may resume. A client that only closes its connection may want a new one: a client that
    /// leaves for good leaves its namespaces first.
    pub(crate) const fn may_return(self) -> bool {
        !matches!(self, Self::Revoked(_))
    }
}
