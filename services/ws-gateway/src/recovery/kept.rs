use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::hub::Member;
use crate::protocol::NamespaceKind;

/// The recovery state of a socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptSocket {
    user_id: String,
    endpoint: String,
    /// The part of the private id that the client must know besides the socket's id.
    pub secret: String,
    /// The entrance whose state this is; it holds the quota slots of the socket.
    pub entrance: String,
    /// The rooms that the client subscribed to.
    pub rooms: Vec<String>,
}

impl KeptSocket {
    pub(crate) fn of(member: &Member, catalogue: &Catalogue) -> Self {
        let rooms = member.rooms.iter().map(|membership| &membership.room);
        let subscribed = rooms.filter(|room| catalogue.is_subscribable(room));
        Self {
            user_id: member.owner.user_id.to_string(),
            endpoint: member.kind.endpoint().into(),
            secret: member.secret.to_string(),
            entrance: member.entrance.to_string(),
            rooms: subscribed.map(ToString::to_string).collect(),
        }
    }

    pub(crate) fn belongs_to(&self, user: &str, kind: NamespaceKind) -> bool {
        self.user_id == user && self.endpoint == kind.endpoint()
    }

    /// Whether the private id of a client is that of this socket.
    pub(crate) fn is_known_by(&self, private_id: &str, socket: &str) -> bool {
        private_id == self::private_id(socket, &self.secret)
    }
}

/// The private id of a Socket.IO client: the socket's id and a secret.
pub(crate) fn private_id(socket: &str, secret: &str) -> String {
    format!("{socket}.{secret}")
}

/// The socket id with which a private id or an entrance begins.
pub(crate) fn socket_of(id: &str) -> &str {
    id.split_once('.').map_or(id, |(socket, _)| socket)
}
