//! Outgoing packets, as the text of an Engine.IO message (with the leading `4` of its type).

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

#[cfg(any(test, feature = "conformance"))]
use super::packet::{Content, SocketPacket};

/// `CONNECT`, from the server: the socket's id and, where recovery is on, its private id.
pub(crate) fn connect(namespace: &str, socket_id: &str, private_id: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Accepted<'a> {
        sid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<&'a str>,
    }
    let data = Accepted { sid: socket_id, pid: private_id };
    head('0', namespace, None) + &json(&data)
}

/// `CONNECT_ERROR`, which a client sees as `error.message` and `error.data`.
pub(crate) fn connect_error(namespace: &str, message: &str, data: Option<&Value>) -> String {
    #[derive(Serialize)]
    struct Refused<'a> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a Value>,
    }
    head('4', namespace, None) + &json(&Refused { message, data })
}

pub(crate) fn disconnect(namespace: &str) -> String {
    head('1', namespace, None)
}

/// `EVENT` with one argument that is JSON already and, on recoverable ones, the offset.
pub(crate) fn event(namespace: &str, name: &str, payload: &str, offset: Option<&str>) -> String {
    let mut text = head('2', namespace, None);
    text.reserve(name.len() + payload.len() + 48);
    text.push('[');
    text.push_str(&json(&name));
    text.push(',');
    text.push_str(payload);
    if let Some(offset) = offset {
        text.push(',');
        text.push_str(&json(&offset));
    }
    text.push(']');
    text
}

pub(crate) fn ack(namespace: &str, id: u64, response: &impl Serialize) -> String {
    head('3', namespace, Some(id)) + "[" + &json(response) + "]"
}

fn head(kind: char, namespace: &str, id: Option<u64>) -> String {
    let mut text = String::with_capacity(32);
    text.push('4');
    text.push(kind);
    push_address(&mut text, namespace, id);
    text
}

fn push_address(text: &mut String, namespace: &str, id: Option<u64>) {
    if namespace != "/" {
        text.push_str(namespace);
        text.push(',');
    }
    if let Some(id) = id {
        // Writing to a String cannot fail.
        let _ = write!(text, "{id}");
    }
}

/// Strings, numbers and maps with string keys always have a JSON form.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}

/// Any packet, as a client may send it; its attachments follow it as binary messages.
#[cfg(any(test, feature = "conformance"))]
pub(crate) fn packet(packet: &SocketPacket) -> String {
    let binary = !packet.attachments.is_empty();
    let attachments = packet.attachments.len();
    match &packet.content {
        Content::Connect { auth } => {
            head('0', &packet.namespace, None) + &auth.as_ref().map(json).unwrap_or_default()
        }
        Content::Disconnect => disconnect(&packet.namespace),
        Content::ConnectError { data } => head('4', &packet.namespace, None) + &json(data),
        Content::Event { name, args, ack } => {
            let name = Value::String(name.clone());
            let values: Vec<&Value> = std::iter::once(&name).chain(args).collect();
            binary_head(binary.then_some(attachments), ['2', '5'], &packet.namespace, *ack) + &json(&values)
        }
        Content::Ack { id, args } => {
            binary_head(binary.then_some(attachments), ['3', '6'], &packet.namespace, Some(*id)) + &json(args)
        }
    }
}

#[cfg(any(test, feature = "conformance"))]
fn binary_head(
    attachments: Option<usize>,
    [plain, binary]: [char; 2],
    namespace: &str,
    id: Option<u64>,
) -> String {
    match attachments {
        None => head(plain, namespace, id),
        Some(count) => {
            let mut text = format!("4{binary}{count}-");
            push_address(&mut text, namespace, id);
            text
        }
    }
}
