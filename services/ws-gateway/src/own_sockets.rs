//! Responds to questions about the sockets of this replica.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use contracts::Tasks;
use contracts::events::auth::EndReason;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::admission::HeldSlots;
use crate::catalogue::user_room;
use crate::cluster::{ControlHandler, Question};
use crate::hub::{Hubs, Member, SocketRef};
use crate::recovery::Recovery;

/// An open socket, as admins see it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SocketInfo {
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

/// One replica's part of the statistics. Users are hashes, so that they can be counted once.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Part {
    pub connections: u64,
    pub users: HashSet<u64>,
}

/// The sockets of this replica.
pub(crate) struct OwnSockets {
    pub hubs: Arc<Hubs>,
    pub held: Arc<HeldSlots>,
    pub recovery: Arc<Recovery>,
    pub tasks: Tasks,
}

impl ControlHandler for OwnSockets {
    fn respond(&self, question: &Question) -> Value {
        match question {
            Question::Stats => json!(self.part()),
            Question::Sockets { user } => json!(self.sockets_of(user)),
            Question::Slots { user, network } => json!(self.held.of(user, network.as_deref())),
            Question::EndSocket { socket } => json!(revoke(self.hubs.find(socket))),
            Question::EndUser { user } => json!(revoke(self.hubs.in_room(&user_room(user)))),
        }
    }

    fn on_taken_over(&self, socket: &str) {
        let (entrances, recovery) = (self.hubs.find(socket), Arc::clone(&self.recovery));
        if !entrances.is_empty() {
            self.tasks.run("take-over", async move { recovery.close_taken_over(entrances).await });
        }
    }
}

impl OwnSockets {
    fn part(&self) -> Part {
        let mut part = Part::default();
        self.hubs.for_each_member(|member| {
            part.connections += 1;
            let mut hasher = DefaultHasher::new();
            member.owner.user_id.hash(&mut hasher);
            part.users.insert(hasher.finish());
        });
        part
    }

    fn sockets_of(&self, user: &str) -> Vec<SocketInfo> {
        let mut sockets = Vec::new();
        self.hubs.for_each_member(|member| {
            if *member.owner.user_id == *user {
                sockets.push(SocketInfo::of(member));
            }
        });
        sockets
    }
}

fn revoke(sockets: Vec<SocketRef>) -> u64 {
    let count = sockets.len() as u64;
    for SocketRef { subscriber, socket } in sockets {
        subscriber.revoke(&socket, EndReason::Admin);
    }
    count
}

impl SocketInfo {
    fn of(member: &Member) -> Self {
        Self {
            id: member.id.to_string(),
            user_id: member.owner.user_id.to_string(),
            sid: member.owner.sid,
            endpoint: member.kind.endpoint().into(),
            connected_at: member.connected_at,
            expires_at: member.owner.expires_at(),
            ip_address: member.subscriber.ip().map(|ip| ip.to_string()),
            rooms: member.rooms.iter().map(|own| own.room.to_string()).collect(),
        }
    }
}
