use std::sync::Arc;

use backplane::Position;
use contracts::Claims;
use serde_json::{Map, Value, json};

use super::enter::{Entrance, NotEntered};
use super::{Connection, Hearing};
use crate::frame::Frame;
use crate::gateway::Gateway;
use crate::hub::{Form, Hears, Replay};
use crate::metrics::Dropped;
use crate::outbound::Pushed;
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
        let hears = Hears::Nothing(Box::default());
        let entrance = Entrance { form, claims, socket: Arc::clone(&back.socket), hears, secret };
        self.enter(gateway, entrance, |_, _| {}).await?;
        let (socket, mut at) = (&*back.socket, back.after);
        let Some(mut replay) = self.hub.begin_replay(socket, &back.kept.rooms) else {
            self.drop_socket(gateway, socket);
            return Ok(false);
        };
        // The client must not be told that it was recovered before that is certain.
        if let Err(reason) = gateway.page(&at, &replay.until).await {
            gateway.metrics.resumed(reason.into_str());
            self.drop_socket(gateway, socket);
            return Ok(false);
        }
        let connect = packets::connect(namespace, socket, Some(&back.private_id));
        self.outbound.push(Frame::text(connect));
        let lost = self.hub.open_socket(socket);
        gateway.metrics.dropped(Dropped::Overflow, lost);
        let mut replayed = self.give_missed(gateway, form, &mut at, &replay).await.map(drop);
        if replayed.is_ok() {
            // Before anything live: the offset that comes with it must not lead back.
            self.outbound.push(self.authorized(gateway, form, claims, socket, &at));
            replayed = self.catch_up(gateway, form, socket, &mut at, &mut replay).await;
        }
        let replayed = if lost > 0 { replayed.and(Err(Unrecoverable::Overflow)) } else { replayed };
        self.end_replay(gateway, form, socket, replayed);
        self.keep(gateway, socket);
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
        let mut at = after;
        let replayed = match rooms.map(|rooms| self.hub.begin_replay(socket, &rooms)) {
            Ok(Some(mut replay)) => {
                // At once: a client that is cut off again meanwhile comes back for the same rooms.
                self.keep_for_sure(gateway, socket).await;
                let given = self.give_missed(gateway, Form::Plain, &mut at, &replay).await;
                if let Ok(given) = given {
                    outcome["replayed"] = given.into();
                    self.catch_up(gateway, Form::Plain, socket, &mut at, &mut replay).await
                } else {
                    given.map(drop)
                }
            }
            Ok(None) => Err(Unrecoverable::Unavailable),
            Err(reason) => Err(reason),
        };
        outcome["recovered"] = replayed.is_ok().into();
        self.end_replay(gateway, Form::Plain, socket, replayed);
        Ok(outcome)
    }

    /// Lets a socket hear the events of the log again that it was not given at once, from a position on.
    pub(super) async fn begin_hearing(
        self: Arc<Self>,
        gateway: Arc<Gateway>,
        form: Form,
        socket: Arc<str>,
        from: Position,
    ) {
        let mut at = from;
        if !self.hub.go_on(&socket, &at, None) {
            let replayed = match self.hub.begin_replay(&socket, &[]) {
                Some(mut replay) => self.catch_up(&gateway, form, &socket, &mut at, &mut replay).await,
                None => Ok(()),
            };
            if let Err(reason) = replayed {
                self.resync(&gateway, form, reason);
                self.hub.give_up_replay(&socket);
            }
        }
        self.lock().hearing = Hearing::Everything;
    }

    /// The queue is full, but the client may still read: what follows waits in the log. A client that does
    /// not read is closed when it has stalled for long enough.
    pub fn fall_behind(self: &Arc<Self>, gateway: &Arc<Gateway>, socket: &Arc<str>, from: Position) {
        let mut state = self.lock();
        let Some((form, _)) = state.sockets.iter().find(|(_, own)| own == socket) else { return };
        let hearing = Arc::clone(self).begin_hearing(Arc::clone(gateway), *form, Arc::clone(socket), from);
        state.hearing = Hearing::CatchingUp(gateway.platform.tasks.run("catch up", hearing));
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

    /// Gives the missed events up to where the replay is known to go. Returns how many they were. The queue
    /// never bears more than it should: they may be many.
    async fn give_missed(
        &self,
        gateway: &Gateway,
        form: Form,
        at: &mut Position,
        replay: &Replay,
    ) -> Result<usize, Unrecoverable> {
        let mut given = 0;
        loop {
            let page = gateway.page(at, &replay.until).await?;
            let Some(last) = page.last().and_then(|event| event.position.clone()) else { return Ok(given) };
            for frame in page.iter().filter(|event| replay.wants(event)).filter_map(|event| event.frame(form))
            {
                if self.outbound.push_in_turn(frame.clone()).await == Pushed::Closed {
                    return Ok(given);
                }
                given += 1;
            }
            *at = last;
        }
    }

    /// Goes on giving events until the socket can hear everything at once.
    async fn catch_up(
        &self,
        gateway: &Gateway,
        form: Form,
        socket: &str,
        at: &mut Position,
        replay: &mut Replay,
    ) -> Result<(), Unrecoverable> {
        while !self.hub.go_on(socket, at, Some(replay)) && !self.outbound.is_closing() {
            self.give_missed(gateway, form, at, replay).await?;
        }
        Ok(())
    }

    fn end_replay(&self, gateway: &Gateway, form: Form, socket: &str, replayed: Result<(), Unrecoverable>) {
        gateway.metrics.resumed(replayed.map_or_else(|reason| reason.into_str(), |()| "recovered"));
        if let Err(reason) = replayed {
            self.resync(gateway, form, reason);
            self.hub.give_up_replay(socket);
        }
    }

    fn resync(&self, gateway: &Gateway, form: Form, reason: Unrecoverable) {
        let payload = json!({ "reason": reason.into_str() });
        self.outbound.push(form.notice("resync", payload, None, gateway.clock()));
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
