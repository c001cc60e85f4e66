use contracts::events::auth::EndReason;

/// Why a connection, or a socket on it, ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client said goodbye.
    Left,
    /// The transport broke.
    Lost,
    /// A ping stayed unanswered.
    Silent,
    BadMessage,
    /// No token, or one that is invalid or expired.
    Unauthorised,
    Expired,
    Revoked(EndReason),
    /// No token within the handshake's time.
    HandshakeTimeout,
    TakenOver,
    TooLarge,
    RateLimited,
    Slow,
    Draining,
    /// The gateway does not hear the backplane.
    Unavailable,
}

impl Ending {
    /// The WebSocket close code; 1005 and 1006 are never sent, as the protocol demands.
    pub const fn code(self) -> u16 {
        match self {
            Self::Left => 1005,
            Self::Lost | Self::Silent => 1006,
            Self::BadMessage => 4400,
            Self::Unauthorised | Self::Expired => 4401,
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

    /// What the close frame says besides.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Lost => "connection lost",
            Self::Silent => "ping timeout",
            Self::BadMessage => "bad message",
            Self::Unauthorised => "unauthorised",
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

    /// Whether its sockets may come back for what they missed. A client that leaves for good says so in
    /// each namespace first; one that only closes its connection may have lost patience with it.
    pub const fn may_return(self) -> bool {
        !matches!(self, Self::Revoked(_))
    }

    /// Whether no last packets are kept for a later GET: nothing more can be said to the client, or it broke
    /// the protocol, by which its session is gone at once.
    pub const fn is_silent(self) -> bool {
        matches!(self, Self::Left | Self::Lost | Self::Silent | Self::BadMessage)
    }
}
