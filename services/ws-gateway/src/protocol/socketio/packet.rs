use bytes::Bytes;
use serde_json::{Map, Value};

/// The most binary attachments that one packet may announce.
pub(super) const MAX_ATTACHMENTS: usize = 10;

/// Event names that mean something to the clients' own emitters; a packet may not carry them.
pub(crate) const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// A whole packet. Binary values in it are placeholders that index `attachments`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SocketPacket {
    pub namespace: String,
    pub content: Content,
    pub attachments: Vec<Bytes>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Connect { auth: Option<Map<String, Value>> },
    Disconnect,
    Event { name: String, args: Vec<Value>, ack: Option<u64> },
    Ack { id: u64, args: Vec<Value> },
    ConnectError { data: Value },
}

/// The text part of a packet, and how many attachments follow it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    pub packet: SocketPacket,
    pub attachments: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("an unknown packet type")]
    UnknownType,
    #[error("a number of attachments that is none, or too many")]
    Attachments,
    #[error("an attachment that no packet announced, or text where one was due")]
    UnexpectedFrame,
    #[error("an acknowledgement without an id, or an id that is too large")]
    AckId,
    #[error("a payload that is not what the type of packet carries")]
    Payload,
    #[error("an event with a reserved name")]
    ReservedEvent,
}

impl Header {
    /// Reads `<type>[<attachments>-][<namespace>,][<ack id>][<JSON>]`.
    pub(super) fn decode(text: &str) -> Result<Self, DecodeError> {
        let mut chars = text.chars();
        let kind = chars.next().ok_or(DecodeError::UnknownType)?;
        let mut rest = chars.as_str();
        let binary = matches!(kind, '5' | '6');
        let attachments = if binary { take_attachments(&mut rest)? } else { 0 };
        let namespace = take_namespace(&mut rest);
        let id = take_id(&mut rest)?;
        let payload = match rest {
            "" => None,
            json => Some(contracts::parse_json(json).map_err(|_error| DecodeError::Payload)?),
        };
        let content = content(kind, id, payload)?;
        if binary && !placeholders_fit(&content, attachments) {
            return Err(DecodeError::Attachments);
        }
        Ok(Self { packet: SocketPacket { namespace, content, attachments: Vec::new() }, attachments })
    }
}

fn content(kind: char, id: Option<u64>, payload: Option<Value>) -> Result<Content, DecodeError> {
    match (kind, payload) {
        ('0', None) => Ok(Content::Connect { auth: None }),
        ('0', Some(Value::Object(auth))) => Ok(Content::Connect { auth: Some(auth) }),
        ('1', None) => Ok(Content::Disconnect),
        ('2' | '5', Some(Value::Array(args))) => event(id, args),
        ('3' | '6', Some(Value::Array(args))) => Ok(Content::Ack { id: id.ok_or(DecodeError::AckId)?, args }),
        ('4', Some(data @ (Value::Object(_) | Value::String(_)))) => Ok(Content::ConnectError { data }),
        ('0'..='6', _) => Err(DecodeError::Payload),
        _ => Err(DecodeError::UnknownType),
    }
}

fn event(ack: Option<u64>, args: Vec<Value>) -> Result<Content, DecodeError> {
    let mut args = args.into_iter();
    let name = match args.next() {
        Some(Value::String(name)) => name,
        Some(Value::Number(name)) => name.to_string(),
        _ => return Err(DecodeError::Payload),
    };
    if RESERVED_EVENTS.contains(&name.as_str()) {
        return Err(DecodeError::ReservedEvent);
    }
    Ok(Content::Event { name, args: args.collect(), ack })
}

fn take_attachments(rest: &mut &str) -> Result<usize, DecodeError> {
    let (count, tail) = rest.split_once('-').ok_or(DecodeError::Attachments)?;
    if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DecodeError::Attachments);
    }
    let count = count.parse().map_err(|_error| DecodeError::Attachments)?;
    if count > MAX_ATTACHMENTS {
        return Err(DecodeError::Attachments);
    }
    *rest = tail;
    Ok(count)
}

fn take_namespace(rest: &mut &str) -> String {
    if !rest.starts_with('/') {
        return "/".into();
    }
    let (namespace, tail) = rest.split_once(',').unwrap_or((rest, ""));
    *rest = tail;
    namespace.into()
}

fn take_id(rest: &mut &str) -> Result<Option<u64>, DecodeError> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Ok(None);
    }
    let (id, tail) = rest.split_at(digits);
    *rest = tail;
    id.parse().map(Some).map_err(|_error| DecodeError::AckId)
}

/// Whether every placeholder points at an attachment that will come.
fn placeholders_fit(content: &Content, attachments: usize) -> bool {
    fn fits(value: &Value, attachments: usize) -> bool {
        match value {
            Value::Array(items) => items.iter().all(|item| fits(item, attachments)),
            Value::Object(map) if map.get("_placeholder") == Some(&Value::Bool(true)) => map
                .get("num")
                .and_then(Value::as_u64)
                .is_some_and(|num| usize::try_from(num).is_ok_and(|num| num < attachments)),
            Value::Object(map) => map.values().all(|item| fits(item, attachments)),
            _ => true,
        }
    }
    match content {
        Content::Event { args, .. } | Content::Ack { args, .. } => {
            args.iter().all(|arg| fits(arg, attachments))
        }
        _ => true,
    }
}
