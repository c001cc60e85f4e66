//! The messages of the gateway, as the clients of both protocols understand them.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Client, Connection, End, text};
use crate::database::Version;
use crate::view::Shown;

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
        connection.wire.send(format!("40{auth}"));
    }

    pub(crate) fn hear_socket_io(&self, connection: &Connection, message: &str) -> Option<End> {
        if message == "2" {
            connection.wire.send("3".into());
        } else if let Some(accepted) = message.strip_prefix("40") {
            self.joined(connection, &serde_json::from_str(accepted).unwrap_or_default());
        } else if let Some(refused) = message.strip_prefix("44") {
            self.note(|| format!("is refused: {refused}"));
            if ["INVALID_TOKEN", "TOKEN_EXPIRED", "MISSING_TOKEN"].iter().any(|code| refused.contains(code)) {
                self.violate(|| format!("a token was refused: {refused}"));
            }
            return Some(if refused.contains("AUTH_FAILED") { End::SessionEnded } else { End::Lost });
        } else if message == "41" {
            return Some(if self.is_session_over() { End::SessionEnded } else { End::Lost });
        } else if let Some(event) = message.strip_prefix("42") {
            let Ok(Value::Array(event)) = serde_json::from_str(event) else { return None };
            let place = event.get(2).and_then(Value::as_str).and_then(|offset| offset.rsplit_once(':'));
            let place = place.and_then(|(epoch, seq)| Some((epoch, seq.parse().ok()?)));
            let (Some(Value::String(name)), Some(payload)) = (event.first(), event.get(1)) else {
                return None;
            };
            return self.take(connection, name, payload, place);
        } else if message.starts_with("43") {
            self.subscribed();
        }
        None
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
        } else if self.wants_drifts {
            connection.wire.send(r#"420["subscribe:drifts"]"#.into());
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
            self.state.borrow_mut().held = Some(Vec::new());
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
        if !self.wants_drifts {
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
            "connection.authorized" if self.protocol == ws_gateway::simulated::Protocol::Plain => {
                self.authorized_plain(connection, payload);
            }
            "connection.authorized" => {
                if !self.state.borrow().view.is_loaded() {
                    self.load(false);
                    if !self.wants_drifts {
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
                if let Some(held) = &mut self.state.borrow_mut().held {
                    held.clear();
                }
                self.note(|| format!("is told to load everything: {payload}"));
                let is_subscribed = self.state.borrow().is_settled && self.wants_drifts;
                self.load(is_subscribed);
            }
            "session.revoked" => return Some(End::SessionEnded),
            "server.draining" | "rate_limit.warning" | "token.expiring" => {}
            _ => self.show_in_turn(name, payload, place),
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

    /// Whether the client's session has ended, according to the database.
    pub(crate) fn is_session_over(&self) -> bool {
        let session = self.state.borrow().session.as_ref().map(|(session, _)| *session);
        session.is_some_and(|session| self.around.database.ended(session).is_some())
    }
}
