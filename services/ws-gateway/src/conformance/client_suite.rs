//! The namespaces and events of the stock client's own tests.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use smallvec::smallvec;

use crate::client::{Effect, Effects, SocketIo};
use crate::protocol::Frame;
use crate::protocol::socketio::{self, Action, Content, SocketPacket};
use crate::random_id::random_id;

const NAMESPACES: [&str; 7] = ["/", "/foo", "/timeout_socket", "/valid", "/asd", "/abc", "/no"];
const DATE: &str = "2026-01-01T00:00:00.000Z";
const BINARY: Bytes = Bytes::from_static(b"asdfasdf");
const TEXTS: [&str; 5] = ["てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"];

/// Responds to an action of a client; `id` is that of the connection.
pub(super) fn respond(id: &Arc<str>, query: &str, socket_io: &mut SocketIo, action: Action) -> Effects {
    match action {
        Action::Join { namespace, auth } => let_in(id, query, socket_io, &namespace, auth),
        Action::Event { namespace, name, args, ack, attachments } => {
            answer(id, query, &namespace, &name, args, ack, attachments)
        }
        // The one acknowledgement that the server of the suite asks for.
        Action::Nothing => emit("/", "got it", vec![]),
        Action::Leave { .. } | Action::Violation => Effects::new(),
    }
}

fn let_in(
    id: &Arc<str>,
    query: &str,
    socket_io: &mut SocketIo,
    namespace: &str,
    auth: Map<String, Value>,
) -> Effects {
    let (path, _) = namespace.split_once('?').unwrap_or((namespace, ""));
    let refusal = match path {
        "/no" => Some("Auth failed (custom namespace)"),
        "/" if parsed(query).contains_key("fail") => Some("Auth failed (main namespace)"),
        _ => (!NAMESPACES.contains(&path)).then_some("Invalid namespace"),
    };
    if let Some(message) = refusal {
        return smallvec![Effect::Send(socket_io.refuse(namespace, message, None))];
    }
    socket_io.namespaces.joined(namespace);
    // The id of the connection, so that the suite can ask for it later.
    let socket = if path == "/" { Arc::clone(id) } else { random_id() };
    let mut effects: Effects =
        smallvec![Effect::Send(Frame::text(socketio::connect(namespace, &socket, None)))];
    if path == "/abc" {
        let handshake = json!({ "query": parsed(query), "auth": auth });
        effects.extend(emit(namespace, "handshake", vec![handshake]));
    }
    effects
}

fn answer(
    id: &str,
    query: &str,
    namespace: &str,
    name: &str,
    args: Vec<Value>,
    ack: Option<u64>,
    attachments: Vec<Bytes>,
) -> Effects {
    let acknowledge = |args, attachments| match ack {
        Some(id) => packet(namespace, Content::Ack { id, args }, attachments),
        None => Effects::new(),
    };
    match name {
        "hi" => emit(namespace, "hi", vec![]),
        "echo" => acknowledge(args, attachments),
        "ack" => {
            packet(namespace, Content::Event { name: "ack".into(), args: vec![], ack: Some(0) }, Vec::new())
        }
        "getAckDate" => acknowledge(vec![DATE.into()], Vec::new()),
        "getDate" => emit(namespace, "takeDate", vec![DATE.into()]),
        "getDateObj" => emit(namespace, "takeDateObj", vec![json!({ "date": DATE })]),
        "getUtf8" => {
            TEXTS.into_iter().flat_map(|text| emit(namespace, "takeUtf8", vec![text.into()])).collect()
        }
        "false" => emit(namespace, "false", vec![false.into()]),
        "doge" => emit_binary(namespace, "doge"),
        "getbin" => emit_binary(namespace, "takebin"),
        "buffa" if !attachments.is_empty() => emit(namespace, "buffack", vec![]),
        "blob" if !attachments.is_empty() => emit(namespace, "back", vec![]),
        "jsonbuff" | "jsonblob" | "blob3" if !attachments.is_empty() => {
            emit(namespace, &format!("{name}-ack"), vec![])
        }
        "abuff2" => emit(namespace, "abuff2-ack", vec![]),
        "getId" => acknowledge(vec![id.into()], Vec::new()),
        "getHandshake" => acknowledge(vec![json!({ "query": parsed(query) })], Vec::new()),
        _ => Effects::new(),
    }
}

fn emit(namespace: &str, name: &str, args: Vec<Value>) -> Effects {
    packet(namespace, Content::Event { name: name.into(), args, ack: None }, Vec::new())
}

fn emit_binary(namespace: &str, name: &str) -> Effects {
    let args = vec![json!({ "_placeholder": true, "num": 0 })];
    packet(namespace, Content::Event { name: name.into(), args, ack: None }, vec![BINARY])
}

fn packet(namespace: &str, content: Content, attachments: Vec<Bytes>) -> Effects {
    send(SocketPacket { namespace: namespace.into(), content, attachments })
}

/// Sends a packet and its attachments.
pub(super) fn send(packet: SocketPacket) -> Effects {
    let text = Frame::text(socketio::packet(&packet));
    let attachments = packet.attachments.into_iter().map(Frame::binary);
    std::iter::once(text).chain(attachments).map(Effect::Send).collect()
}

fn parsed(query: &str) -> Map<String, Value> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect()
}
