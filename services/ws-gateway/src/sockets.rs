//! What this gateway knows of its own sockets, and does to them when asked.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};
use contracts::events::auth::EndReason;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cluster::Question;
use crate::ending::Ending;
use crate::gateway::Gateway;
use crate::hub::{Ended, Hub, Member, user_room};

/// An open socket, as admins see it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SocketInfo {
    pub id: String,
    pub user_id: String,
    pub sid: Option<Uuid>,
    /// `/` or `/dashboard` of Socket.IO, or `/ws`.
    pub endpoint: String,
    pub connected_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub ip_address: Option<String>,
    pub rooms: Vec<String>,
}

/// One gateway's part of the statistics. Users are told by a hash, so that they can be counted once.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Part {
    pub connections: u64,
    pub users: HashSet<u64>,
}

impl Gateway {
    pub(crate) fn answer(&self, question: &Question) -> Value {
        match question {
            Question::Stats => json!(self.part()),
            Question::Sockets { user } => json!(self.sockets_of(user)),
            Question::Places { user } => json!(self.places_of(user)),
            Question::EndSocket { socket } => {
                json!(self.end_sockets(|hub| hub.find(socket).into_iter().collect()))
            }
            Question::EndUser { user } => {
                let room = user_room(user);
                json!(self.end_sockets(|hub| hub.in_room(&room)))
            }
        }
    }

    fn part(&self) -> Part {
        let mut part = Part::default();
        for hub in self.hubs() {
            hub.each(|member| {
                part.connections += 1;
                let mut hasher = DefaultHasher::new();
                member.claims.user_id.hash(&mut hasher);
                part.users.insert(hasher.finish());
            });
        }
        part
    }

    fn sockets_of(&self, user: &str) -> Vec<SocketInfo> {
        let mut sockets = Vec::new();
        for hub in self.hubs() {
            hub.each(|member| {
                if member.claims.user_id == user {
                    sockets.push(SocketInfo::of(member));
                }
            });
        }
        sockets
    }

    /// Its client has come back on another connection: the old one may be half-open.
    pub(crate) fn end_taken_over(&self, socket: &str) {
        for Ended { connection, .. } in self.sockets(|hub| hub.find(socket).into_iter().collect()) {
            connection.close(self, Ending::TakenOver);
        }
    }

    fn end_sockets(&self, which: impl Fn(&Hub) -> Vec<Ended>) -> u64 {
        let sockets = self.sockets(which);
        for Ended { connection, socket } in &sockets {
            connection.end_socket(self, socket, Ending::Revoked(EndReason::Admin));
        }
        sockets.len() as u64
    }
}

impl SocketInfo {
    fn of(member: &Member) -> Self {
        Self {
            id: member.id.to_string(),
            user_id: member.claims.user_id.clone(),
            sid: member.claims.sid,
            endpoint: member.form.namespace().unwrap_or("/ws").into(),
            connected_at: member.connected_at,
            expires_at: member.expires_at(),
            ip_address: member.connection.peer.ip.map(|ip| ip.to_string()),
            rooms: member.rooms.iter().map(|own| own.room.to_string()).collect(),
        }
    }
}
