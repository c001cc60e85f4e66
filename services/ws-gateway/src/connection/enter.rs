use std::sync::Arc;

use backplane::Position;
use chrono::DateTime;
use contracts::Claims;
use serde_json::json;

use super::Connection;
use crate::authorise::Refusal;
use crate::ending::Ending;
use crate::frame::Frame;
use crate::gateway::Gateway;
use crate::hub::{self, Form, Hears, Member};

/// A socket that is to be let in.
pub(super) struct Entrance<'a> {
    pub form: Form,
    pub claims: &'a Claims,
    pub socket: Arc<str>,
    /// Which events it receives before it has caught up.
    pub hears: Hears,
    /// Of a stock client that comes back: its private id stays the same.
    pub secret: Option<&'a str>,
}

/// Why it was not.
pub(super) enum NotEntered {
    Refused(Refusal),
    /// The feed is not heard: nobody could say from where the socket hears everything.
    Unavailable,
    /// The connection is over.
    Ended,
}

impl Connection {
    /// Lets an authorised socket in. `greet` is told the position after which it hears everything, and
    /// queues what it hears first.
    pub(super) async fn enter(
        self: &Arc<Self>,
        gateway: &Gateway,
        Entrance { form, claims, socket, hears, secret }: Entrance<'_>,
        greet: impl FnOnce(&Position, &Member),
    ) -> Result<(), NotEntered> {
        // Not for the whole handshake's time: the client is to be told why it is not let in.
        if !gateway.is_open() || !self.hub.started(gateway.settings.handshake() / 2).await {
            return Err(NotEntered::Unavailable);
        }
        let _entering = gateway.places.enter(&claims.user_id, &socket);
        gateway.take_places(&self.peer, claims, &socket).await.map_err(NotEntered::Refused)?;
        let clock = gateway.clock();
        let mut member = Member::new(Arc::clone(&socket), form, claims.clone(), Arc::clone(self), clock);
        member.hears = hears;
        if let Some(secret) = secret {
            member.secret = secret.into();
        }
        if self.hub.join(member, &hub::own_rooms(claims), greet).is_none() {
            return Err(NotEntered::Unavailable);
        }
        gateway.metrics.connections.inc();
        if !self.lock().add_socket(form, &socket) {
            self.forget(gateway, &socket, true);
            return Err(NotEntered::Ended);
        }
        tracing::info!(
            socket = &*socket, user = claims.user_id, sid = claims.sid.map(tracing::field::display),
            form = ?form, "socket authorised"
        );
        // The session may have ended between the check of the token and the join of its room.
        if let Err(identity::TokenError::Revoked { reason }) =
            gateway.platform.verifier.recheck(&mut claims.clone())
        {
            self.end_socket(gateway, &socket, Ending::Revoked(reason));
        }
        Ok(())
    }

    /// What a socket is told when it is let in. With the offset, so that nothing is lost if the line
    /// breaks before the first event.
    pub(super) fn authorized(
        &self,
        gateway: &Gateway,
        form: Form,
        claims: &Claims,
        socket: &str,
        position: &Position,
    ) -> Frame {
        let payload = json!({
            "userId": claims.user_id,
            "sessionId": socket,
            "sid": claims.sid,
            "expiresAt": DateTime::from_timestamp(claims.exp, 0),
            "epoch": &*position.epoch,
            "seq": position.seq,
        });
        let offset = gateway.settings.recovery().map(|_| position.to_string());
        form.notice("connection.authorized", payload, offset.as_deref(), gateway.clock())
    }
}
