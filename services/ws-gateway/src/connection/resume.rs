use std::sync::Arc;

use backplane::Position;
use contracts::Claims;
use serde_json::{Map, Value, json};

use super::Connection;
use super::enter::{Entrance, NotEntered};
use crate::ending::Ending;
use crate::frame::Frame;
use crate::gateway::Gateway;
use crate::hub::{Event, Form};
use crate::recovery::{Kept, Unrecoverable, parse_offset, private_id, socket_of};
use crate::socketio as packets;

/// A stock client that says where it was.
struct Return {
    socket: Arc<str>,
    private_id: String,
    after: Position,
    kept: Kept,
}

impl Connection {
    /// Lets a stock client back in as the socket it was, with what it missed. `Ok(false)` if it has
    /// to begin anew.
    pub(super) async fn recover(
        self: &Arc<Self>,
        gateway: &Arc<Gateway>,
        form: Form,
        claims: &Claims,
        auth: &Map<String, Value>,
    ) -> Result<bool, NotEntered> {
        let (Some(namespace), Some(Value::String(private_id))) = (form.namespace(), auth.get("pid")) else {
            return Ok(false);
        };
        let Some(back) = self.known(gateway, form, claims, private_id, auth).await else {
            gateway.metrics.resumed("unknown");
            return Ok(false);
        };
        gateway.take_over(&back.socket).await;
        let secret = Some(back.kept.secret.as_str());
        let entrance = Entrance { form, claims, socket: Arc::clone(&back.socket), held: true, secret };
        self.enter(gateway, entrance, |_, _| {}).await?;
        let Some((position, missed)) =
            self.replay(gateway, form, &back.socket, &back.after, &back.kept).await
        else {
            self.drop_socket(gateway, &back.socket);
            return Ok(false);
        };
        let connect = packets::connect(namespace, &back.socket, Some(&back.private_id));
        self.outbound.push(Frame::text(connect));
        self.give_missed(form, &missed).await;
        self.outbound.push(self.authorized(gateway, form, claims, &back.socket, &position));
        self.release(gateway, &back.socket);
        self.keep(gateway, &back.socket);
        Ok(true)
    }

    /// Gives a client of `/ws` what it missed since a position, and the rooms of the socket it
    /// replaces.
    pub(super) async fn resume(
        self: &Arc<Self>,
        gateway: &Arc<Gateway>,
        socket: &str,
        after: Position,
        replaced: Option<&str>,
    ) -> Result<Value, Value> {
        let claims = self.hub.with_member(socket, |member| member.claims.clone());
        let claims =
            claims.ok_or_else(|| json!({ "code": "AUTH_FAILED", "message": "the socket has ended" }))?;
        let rooms = match replaced {
            Some(replaced) => self.rooms_of(gateway, socket, replaced, &claims).await,
            None => Ok(Vec::new()),
        };
        let mut outcome = json!({ "recovered": false, "rooms": rooms.as_deref().unwrap_or_default() });
        let replayed = match rooms.map(|rooms| self.hub.begin_replay(socket, &rooms)) {
            Ok(Some(replay)) => gateway.missed(&after, Form::Plain, &replay).await,
            Ok(None) => Err(Unrecoverable::Unavailable),
            Err(reason) => Err(reason),
        };
        match replayed {
            Ok(missed) => {
                gateway.metrics.resumed("recovered");
                self.give_missed(Form::Plain, &missed).await;
                outcome["recovered"] = true.into();
                outcome["replayed"] = missed.len().into();
            }
            Err(reason) => {
                gateway.metrics.resumed(reason.into_str());
                let payload = json!({ "reason": reason.into_str() });
                self.outbound.push(Form::Plain.notice("resync", payload, None, gateway.clock()));
            }
        }
        self.release(gateway, socket);
        self.keep_for_sure(gateway, socket).await;
        Ok(outcome)
    }

    /// The rooms of the socket that this one replaces, and which ends now.
    async fn rooms_of(
        &self,
        gateway: &Arc<Gateway>,
        socket: &str,
        replaced: &str,
        claims: &Claims,
    ) -> Result<Vec<String>, Unrecoverable> {
        let kept = gateway.kept(replaced, Form::Plain, claims).await.ok_or(Unrecoverable::UnknownSocket)?;
        if replaced != socket {
            gateway.take_over(replaced).await;
        }
        Ok(kept.rooms)
    }

    /// What is known of a client that brings a private id.
    async fn known(
        &self,
        gateway: &Gateway,
        form: Form,
        claims: &Claims,
        given: &str,
        auth: &Map<String, Value>,
    ) -> Option<Return> {
        gateway.settings.recovery()?;
        let socket = socket_of(given)?;
        let after = parse_offset(auth.get("offset")?.as_str()?)?;
        let kept = gateway.kept(socket, form, claims).await?;
        let known = kept.is_known_by(given, socket);
        known.then(|| Return { socket: socket.into(), private_id: given.into(), after, kept })
    }

    async fn replay(
        &self,
        gateway: &Gateway,
        form: Form,
        socket: &str,
        after: &Position,
        kept: &Kept,
    ) -> Option<(Position, Vec<Arc<Event>>)> {
        let replay = self.hub.begin_replay(socket, &kept.rooms)?;
        match gateway.missed(after, form, &replay).await {
            Ok(missed) => {
                gateway.metrics.resumed("recovered");
                Some((replay.position, missed))
            }
            Err(reason) => {
                gateway.metrics.resumed(reason.into_str());
                None
            }
        }
    }

    /// Queues no more at once than the queue bears: it may be much.
    async fn give_missed(&self, form: Form, missed: &[Arc<Event>]) {
        for frame in missed.iter().filter_map(|event| event.frame(form)) {
            self.outbound.push_in_turn(frame.clone()).await;
        }
    }

    pub(super) fn release(self: &Arc<Self>, gateway: &Gateway, socket: &str) {
        if let Some(slow) = self.hub.release(socket) {
            slow.close(gateway, Ending::Slow);
        }
    }

    /// Notes the socket and its rooms, so that they can be brought back.
    pub(super) fn keep(&self, gateway: &Gateway, socket: &str) -> Option<u64> {
        self.hub.with_member(socket, |member| gateway.keep(member)).flatten()
    }

    /// The same, and waits until it is noted: what is acknowledged outlives this gateway.
    pub(super) async fn keep_for_sure(&self, gateway: &Gateway, socket: &str) {
        if let Some(number) = self.keep(gateway, socket) {
            gateway.keeper.written(number).await;
        }
    }

    /// The private id under which a stock client may come back; none where recovery is off.
    pub(super) fn private_id(gateway: &Gateway, socket: &str, secret: &str) -> Option<String> {
        gateway.settings.recovery().map(|_| private_id(socket, secret))
    }
}

impl Gateway {
    /// Ends a socket whose client has come back on another connection, wherever it is.
    async fn take_over(self: &Arc<Self>, socket: &str) {
        self.end_taken_over(socket);
        self.tell_taken_over(socket).await;
    }
}
