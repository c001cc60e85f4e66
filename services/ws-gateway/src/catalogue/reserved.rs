//! Event names that nobody else may use: they would act on the client, or pass for a message of the
//! gateway itself.

/// What the gateway says to its clients, and what clients say to it.
const OF_THE_GATEWAY: [&str; 11] = [
    "ack",
    "auth",
    "connection.authorized",
    "connection.reauth",
    "ping",
    "pong",
    "rate_limit.warning",
    "resync",
    "server.draining",
    "session.revoked",
    "token.expiring",
];

/// What the emitters of Socket.IO clients, old and new, react to.
const OF_CLIENTS: [&str; 15] = [
    "connect",
    "connect_error",
    "connect_timeout",
    "connecting",
    "connection",
    "disconnect",
    "disconnecting",
    "error",
    "newListener",
    "reconnect",
    "reconnect_attempt",
    "reconnect_error",
    "reconnect_failed",
    "reconnecting",
    "removeListener",
];

/// Every reserved name.
pub fn reserved() -> impl Iterator<Item = &'static str> {
    OF_THE_GATEWAY.into_iter().chain(OF_CLIENTS)
}

/// Whether an event may not have this name, at whatever entrance it comes in.
pub fn is_reserved(name: &str) -> bool {
    reserved().any(|reserved| reserved == name)
}
