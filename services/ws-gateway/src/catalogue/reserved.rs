//! Event names that no publisher may use: they would act on the client, or look like a message of the
//! gateway itself.

/// Names of messages between the gateway and its clients.
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

/// Names that the emitters of Socket.IO clients react to, old and new.
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
pub(super) fn reserved() -> impl Iterator<Item = &'static str> {
    OF_THE_GATEWAY.into_iter().chain(OF_CLIENTS)
}

/// Whether the name is reserved. The relay and the admin API both refuse events with such a name.
pub(crate) fn is_reserved(name: &str) -> bool {
    reserved().any(|reserved| reserved == name)
}
