use serde_json::{Value, json};

use super::Connection;
use crate::authorise::Refusal;
use crate::gateway::Gateway;
use crate::hub::{Form, Hub, Member};

/// What a client asks for, in both protocols. The outcome is the data or the error of the answer.
impl Connection {
    pub(super) async fn subscribe(
        &self,
        gateway: &Gateway,
        socket: &str,
        room: &str,
    ) -> Result<Value, Value> {
        self.change_rooms(gateway, socket, room, Hub::subscribe).await
    }

    pub(super) async fn unsubscribe(
        &self,
        gateway: &Gateway,
        socket: &str,
        room: &str,
    ) -> Result<Value, Value> {
        self.change_rooms(gateway, socket, room, Hub::unsubscribe).await
    }

    async fn change_rooms(
        &self,
        gateway: &Gateway,
        socket: &str,
        room: &str,
        change: fn(&Hub, socket: &str, room: &str) -> bool,
    ) -> Result<Value, Value> {
        if !gateway.catalogue.is_subscribable(room) {
            return Err(json!({ "code": "UNKNOWN_ROOM", "message": "there is no such room" }));
        }
        change(&self.hub, socket, room);
        self.keep_for_sure(gateway, socket).await;
        Ok(json!({ "room": room }))
    }

    /// Replaces the token of every socket of this connection that is of the same session.
    pub(super) async fn reauth(&self, gateway: &Gateway, socket: &str, token: &str) -> Result<Value, Value> {
        let gone = || json!({ "code": "AUTH_FAILED", "message": "the socket has ended" });
        let old = self.hub.with_member(socket, |member| member.claims.clone()).ok_or_else(gone)?;
        let refused = |refusal: Refusal| refusal.data(Form::Root);
        let new = gateway.reauthorise(&self.peer, &old, token).await.map_err(refused)?;
        let sockets = self.lock().sockets.clone();
        for (_, other) in sockets {
            let same =
                |member: &mut Member| member.claims.sid == new.sid && member.claims.user_id == new.user_id;
            if self.hub.with_member(&other, same) == Some(true) {
                self.hub.reauthorise(&other, new.clone());
            }
        }
        let expires_at = self.hub.with_member(socket, |member| member.expires_at()).ok_or_else(gone)?;
        Ok(json!({ "expiresAt": expires_at }))
    }
}
