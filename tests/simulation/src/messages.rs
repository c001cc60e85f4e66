//! The messages of the gateway, as the clients of both protocols understand them.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Client, Connection, End, text};
use crate::database::Version;
use crate::notes;
use crate::view::Shown;

/// Time for which the gateway holds events back, so that a client that resumes gets them in order. A client that resumes
/// later must hold them itself.
const RESUME_GRACE: Duration = Duration::from_secs(1);

/// An event that arrived while a client of `/ws` resumes.
pub(crate) struct Held {
    name: String,
    payload: Value,
    epoch: String,
    seq: u64,
}

impl Client {
    /// Joins the namespace `/`, as a stock client that wants to recover its state does.
    pub(crate) fn join(&self, connection: &Connection, token: &str) {
        let state = self.state.borrow();
        let mut auth = json!({ "token": token });
        if let (Some(private_id), Some((epoch, seq))) = (&state.private_id, &state.offset) {
            auth["pid"] = private_id.as_str().into();
            auth["offset"] = format!("{epoch}:{seq}").into();
        }
        connection.wire.send(format!("40{}{auth}", self.kind.namespace));
    }

    pub(crate) fn hear_socket_io(&self, connection: &Connection, message: &str) -> Option<End> {
        if message == "2" {
            connection.wire.send("3".into());
            return None;
        }
        let (code, rest) = message.split_at_checked(2)?;
        let packet = rest.strip_prefix(self.kind.namespace)?;
        match code {
            "40" => self.joined(connection, &serde_json::from_str(packet).unwrap_or_default()),
            "41" => return Some(if self.is_session_over() { End::SessionEnded } else { End::Lost }),
            "42" => {
                let Ok(Value::Array(event)) = serde_json::from_str(packet) else { return None };
                let place = event.get(2).and_then(Value::as_str).and_then(|offset| offset.rsplit_once(':'));
                let place = place.and_then(|(epoch, seq)| Some((epoch, seq.parse().ok()?)));
                let (Some(Value::String(name)), Some(payload)) = (event.first(), event.get(1)) else {
                    return None;
                };
                return self.take(connection, name, payload, place);
            }
            "43" => self.subscribed(),
            "44" => return Some(self.refused(packet)),
            _ => {}
        }
        None
    }

    fn refused(&self, refused: &str) -> End {
        self.note(|| format!("is refused: {refused}"));
        let data = serde_json::from_str::<Value>(refused).unwrap_or_default()["data"].take();
        match text(&data, "reason").or(text(&data, "code")) {
            Some("INVALID_TOKEN" | "TOKEN_EXPIRED" | "MISSING_TOKEN") => {
                self.violate(|| format!("a token was refused: {refused}"));
                End::Lost
            }
            Some("AUTH_FAILED") => End::SessionEnded,
            _ => End::Lost,
        }
    }

    fn joined(&self, connection: &Connection, accepted: &Value) {
        let (socket, private_id) = (text(accepted, "sid"), text(accepted, "pid"));
        let is_recovered = private_id.is_some() && private_id == self.state.borrow().private_id.as_deref();
        self.note(|| format!("joined, recovered: {is_recovered}"));
        {
            let mut state = self.state.borrow_mut();
            (state.socket, state.private_id) = (socket.map(Into::into), private_id.map(Into::into));
            if !is_recovered {
                state.view.forget();
            }
        }
        let (is_loaded, has_drifts) = {
            let state = self.state.borrow();
            (state.view.is_loaded(), state.view.has_drifts())
        };
        if is_recovered && is_loaded && has_drifts {
            self.settle();
        } else if self.kind.wants_drifts {
            connection.wire.send(format!(r#"42{}0["subscribe:drifts"]"#, self.kind.namespace));
        }
    }

    pub(crate) fn hear_plain(&self, connection: &Connection, message: &str) -> Option<End> {
        let Ok(message) = serde_json::from_str::<Value>(message) else { return None };
        let name = text(&message, "type")?;
        if name == "ack" {
            match text(&message, "id") {
                Some("subscribe") => self.subscribed(),
                Some("resume") => self.resumed(connection, &message),
                _ => {}
            }
            return None;
        }
        let place = text(&message, "epoch").zip(message.get("seq").and_then(Value::as_u64));
        self.take(connection, name, message.get("payload")?, place)
    }

    /// Resumes, or begins without it.
    fn authorized_plain(&self, connection: &Connection, payload: &Value) {
        let (former, offset, is_loaded) = {
            let state = self.state.borrow();
            (state.socket.clone(), state.offset.clone(), state.view.is_loaded())
        };
        let socket = text(payload, "sessionId").map(Into::into);
        if let (Some(former), Some((epoch, seq)), true) = (former, offset, is_loaded) {
            self.state.borrow_mut().next_socket = socket;
            let resume =
                json!({ "type": "resume", "id": "resume", "epoch": epoch, "seq": seq, "sessionId": former });
            connection.wire.send(resume.to_string());
            let mut state = self.state.borrow_mut();
            let is_late = state.connected.is_none_or(|(at, _)| at.elapsed() >= RESUME_GRACE);
            state.held = (self.kind.holds || is_late).then(Vec::new);
            return;
        }
        self.state.borrow_mut().socket = socket;
        self.load(false);
        if let (Some(epoch), Some(seq)) = (text(payload, "epoch"), payload.get("seq").and_then(Value::as_u64))
        {
            self.move_to(epoch, seq);
        }
        self.begin(connection);
    }

    fn resumed(&self, connection: &Connection, ack: &Value) {
        let ack = ack.get("data").unwrap_or(ack);
        let is_recovered = ack.get("recovered") == Some(&Value::Bool(true));
        let mut held = self.state.borrow_mut().held.take().unwrap_or_default();
        self.note(|| format!("resumed: {ack}"));
        if is_recovered {
            held.sort_by_key(|event| event.seq);
            held.iter().for_each(|held| self.show(&held.name, &held.payload, Some((&held.epoch, held.seq))));
        }
        // Until now, only the former socket is sure to have the rooms of the client.
        let next = self.state.borrow_mut().next_socket.take();
        self.state.borrow_mut().socket = next;
        if is_recovered && self.state.borrow().view.has_drifts() {
            return self.settle();
        }
        if is_recovered {
            return self.begin(connection);
        }
        self.load(false);
        self.begin(connection);
    }

    /// Asks for the drifts, if the client wants them.
    fn begin(&self, connection: &Connection) {
        if !self.kind.wants_drifts {
            return self.settle();
        }
        connection.wire.send(r#"{"type":"subscribe","room":"drifts","id":"subscribe"}"#.into());
    }

    fn subscribed(&self) {
        self.state.borrow_mut().view.subscribe(&self.around.database);
        self.settle();
    }

    /// Takes an event or a notice.
    fn take(
        &self,
        connection: &Connection,
        name: &str,
        payload: &Value,
        place: Option<(&str, u64)>,
    ) -> Option<End> {
        match name {
            "connection.authorized" if self.kind.protocol == ws_gateway::simulated::Protocol::Plain => {
                self.authorized_plain(connection, payload);
            }
            "connection.authorized" => {
                if !self.state.borrow().view.is_loaded() {
                    self.load(false);
                    if !self.kind.wants_drifts {
                        self.settle();
                    }
                    if let Some((epoch, seq)) = place {
                        self.move_to(epoch, seq);
                    }
                } else if let Some((epoch, seq)) = place {
                    self.state.borrow_mut().offset = Some((epoch.to_owned(), seq));
                }
            }
            "resync" => {
                {
                    let state = &mut *self.state.borrow_mut();
                    state.held.iter_mut().for_each(Vec::clear);
                    let notes = self.around.world.notes();
                    state.live.iter_mut().for_each(|live| live.load(&notes));
                }
                self.note(|| format!("is told to load everything: {payload}"));
                let is_subscribed = self.state.borrow().is_settled && self.kind.wants_drifts;
                self.load(is_subscribed);
            }
            "session.revoked" => return Some(End::SessionEnded),
            "server.draining" | "rate_limit.warning" | "token.expiring" => {}
            _ => {
                let payload = if self.kind.gets_envelopes() { &payload["payload"] } else { payload };
                self.show_in_turn(name, payload, place);
            }
        }
        None
    }

    /// Shows an event, or holds it while the client resumes.
    fn show_in_turn(&self, name: &str, payload: &Value, place: Option<(&str, u64)>) {
        if let (Some(held), Some((epoch, seq))) = (&mut self.state.borrow_mut().held, place) {
            held.push(Held { name: name.into(), payload: payload.clone(), epoch: epoch.into(), seq });
            return;
        }
        self.show(name, payload, place);
    }

    fn show(&self, name: &str, payload: &Value, place: Option<(&str, u64)>) {
        let id = |field| text(payload, field).and_then(|id| id.parse::<Uuid>().ok());
        if name == notes::NAME && place.is_none() {
            return self.show_note(payload);
        }
        let shown = match name {
            "drift:created" | "drift:updated" => {
                let number = text(payload, "region").and_then(|number| number.parse().ok());
                id("id").zip(number).map(|(subject, number)| Shown::Drift(Version { subject, number }))
            }
            "auth:session.created" | "auth:session.deleted" => {
                let ends = name == "auth:session.deleted";
                id("userId").zip(id("sessionId")).map(|(user, session)| Shown::Session {
                    user,
                    session,
                    ends,
                })
            }
            "auth:user.updated" => id("userId")
                .zip(payload.get("generation").and_then(Value::as_i64))
                .map(|(user, generation)| Shown::User { user, generation }),
            _ => None,
        };
        self.note(|| format!("is shown {name} {shown:?} at {place:?}"));
        let Some(shown) = shown else {
            if place.is_some() {
                self.violate(|| format!("{name} {payload} has a place in the log, and was never committed"));
            }
            return;
        };
        // A forged message is shown as what it is: without a place.
        let Some((epoch, seq)) = place else {
            return self.violate(|| format!("{shown:?} was shown without a place in the log"));
        };
        self.move_to(epoch, seq);
        let result = self.state.borrow_mut().view.show(&shown, &self.around.database);
        if let Err(what) = result {
            self.violate(|| what);
        }
    }

    /// Shows a message of another back end.
    fn show_note(&self, payload: &Value) {
        let mut state = self.state.borrow_mut();
        let shown = state.live.as_mut().map(|live| live.show(&self.around.world.notes(), payload));
        drop(state);
        if let Some(Err(what)) = shown {
            self.violate(|| what);
        }
    }
}
