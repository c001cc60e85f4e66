//! The namespaces and events of the stock client's own tests.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::connection::Connection;
use crate::ending::Ending;
use crate::frame::Frame;
use crate::gateway::{Gateway, random_id};
use crate::socketio::{self, Action, Content};

const NAMESPACES: [&str; 7] = ["/", "/foo", "/timeout_socket", "/valid", "/asd", "/abc", "/no"];
const DATE: &str = "2026-01-01T00:00:00.000Z";
const BINARY: Bytes = Bytes::from_static(b"asdfasdf");
const TEXTS: [&str; 5] = ["てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"];

impl Connection {
    pub(super) fn serve_client_suite(self: &Arc<Self>, gateway: &Gateway, action: Action) {
        match action {
            Action::Join { namespace, auth } => self.let_in(&namespace, auth),
            Action::Event { namespace, name, args, ack, attachments } => {
                self.answer(&namespace, &name, args, ack, attachments);
            }
            // The one acknowledgement that the server of the suite asks for.
            Action::Nothing => self.emit("/", "got it", vec![]),
            Action::Leave { .. } => {}
            Action::Violation => self.close(gateway, Ending::BadMessage),
        }
    }

    fn let_in(&self, namespace: &str, auth: Map<String, Value>) {
        let (path, _) = namespace.split_once('?').unwrap_or((namespace, ""));
        if !NAMESPACES.contains(&path) {
            return self.say_refused(namespace, "Invalid namespace", None);
        }
        if path == "/no" {
            return self.say_refused(namespace, "Auth failed (custom namespace)", None);
        }
        if path == "/" && self.query().contains_key("fail") {
            return self.say_refused(namespace, "Auth failed (main namespace)", None);
        }
        self.joined(namespace);
        // The id of the connection, so that the suite can ask for it later.
        let id = if path == "/" { Arc::clone(&self.id) } else { random_id() };
        self.outbound.push(Frame::text(socketio::connect(namespace, &id, None)));
        if path == "/abc" {
            let handshake = json!({ "query": self.query(), "auth": auth });
            self.emit(namespace, "handshake", vec![handshake]);
        }
    }

    fn answer(
        &self,
        namespace: &str,
        name: &str,
        args: Vec<Value>,
        ack: Option<u64>,
        attachments: Vec<Bytes>,
    ) {
        let back = |args| {
            if let Some(id) = ack {
                self.packet(namespace, Content::Ack { id, args }, Vec::new());
            }
        };
        match name {
            "hi" => self.emit(namespace, "hi", vec![]),
            "echo" => {
                if let Some(id) = ack {
                    self.packet(namespace, Content::Ack { id, args }, attachments);
                }
            }
            "ack" => {
                let content = Content::Event { name: "ack".into(), args: vec![], ack: Some(0) };
                self.packet(namespace, content, Vec::new());
            }
            "getAckDate" => back(vec![DATE.into()]),
            "getDate" => self.emit(namespace, "takeDate", vec![DATE.into()]),
            "getDateObj" => self.emit(namespace, "takeDateObj", vec![json!({ "date": DATE })]),
            "getUtf8" => {
                TEXTS.into_iter().for_each(|text| self.emit(namespace, "takeUtf8", vec![text.into()]))
            }
            "false" => self.emit(namespace, "false", vec![false.into()]),
            "doge" => self.emit_binary(namespace, "doge"),
            "getbin" => self.emit_binary(namespace, "takebin"),
            "buffa" if !attachments.is_empty() => self.emit(namespace, "buffack", vec![]),
            "blob" if !attachments.is_empty() => self.emit(namespace, "back", vec![]),
            "jsonbuff" | "jsonblob" | "blob3" if !attachments.is_empty() => {
                self.emit(namespace, &format!("{name}-ack"), vec![]);
            }
            "abuff2" => self.emit(namespace, "abuff2-ack", vec![]),
            "getId" => back(vec![(*self.id).into()]),
            "getHandshake" => back(vec![json!({ "query": self.query() })]),
            _ => {}
        }
    }

    fn emit(&self, namespace: &str, name: &str, args: Vec<Value>) {
        self.packet(namespace, Content::Event { name: name.into(), args, ack: None }, Vec::new());
    }

    fn emit_binary(&self, namespace: &str, name: &str) {
        let args = vec![json!({ "_placeholder": true, "num": 0 })];
        self.packet(namespace, Content::Event { name: name.into(), args, ack: None }, vec![BINARY]);
    }

    fn packet(&self, namespace: &str, content: Content, attachments: Vec<Bytes>) {
        self.send(socketio::Packet { namespace: namespace.into(), content, attachments });
    }

    fn query(&self) -> Map<String, Value> {
        let query = self.peer.query_token.as_deref().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect()
    }
}
