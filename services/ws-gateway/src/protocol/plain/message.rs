use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The subprotocol that a client may ask for, next to `bearer.<token>`.
pub(crate) const SUBPROTOCOL: &str = "driftsentry.v1";
/// The prefix of the token among the subprotocols that a client offers.
pub(crate) const BEARER_PREFIX: &str = "bearer.";

/// A request of a client, with the id for its acknowledgement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PlainRequest {
    pub id: Option<Value>,
    pub command: Command,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum Command {
    Auth {
        token: String,
    },
    Subscribe {
        room: String,
    },
    Unsubscribe {
        room: String,
    },
    Reauth {
        token: String,
    },
    Resume {
        epoch: String,
        seq: u64,
        session_id: Option<String>,
        #[serde(default)]
        rooms: Vec<String>,
    },
    Ping {},
}

impl Command {
    /// The type, as a client sends it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Auth { .. } => "auth",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::Reauth { .. } => "reauth",
            Self::Resume { .. } => "resume",
            Self::Ping {} => "ping",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    #[error("not a JSON object")]
    NotAnObject,
    #[error("the id is neither a string nor a number")]
    Id,
    #[error("not a known message: {0}")]
    Unknown(serde_json::Error),
}

impl PlainRequest {
    pub(crate) fn decode(text: &str) -> Result<Self, MessageError> {
        let mut fields: Map<String, Value> =
            contracts::parse_json(text).map_err(|_error| MessageError::NotAnObject)?;
        let id = fields.remove("id");
        if !matches!(id, None | Some(Value::String(_) | Value::Number(_))) {
            return Err(MessageError::Id);
        }
        let command = Command::deserialize(Value::Object(fields)).map_err(MessageError::Unknown)?;
        Ok(Self { id, command })
    }
}

/// Acknowledges a request that carried an id; the fields of the outcome stand beside the id.
pub(crate) fn ack(id: &Value, outcome: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Ack<'a, T> {
        #[serde(rename = "type")]
        kind: &'static str,
        id: &'a Value,
        #[serde(flatten)]
        outcome: &'a T,
    }
    serde_json::to_string(&Ack { kind: "ack", id, outcome }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_its_id() {
        let request = PlainRequest::decode(r#"{"type":"subscribe","room":"drifts","id":7}"#).unwrap();
        assert_eq!(request.id, Some(Value::from(7)));
        assert_eq!(request.command, Command::Subscribe { room: "drifts".into() });
    }

    #[test]
    fn a_ping_needs_nothing_else() {
        assert_eq!(PlainRequest::decode(r#"{"type":"ping"}"#).unwrap().command, Command::Ping {});
    }

    #[test]
    fn a_resume_names_the_socket_it_replaces_or_its_rooms() {
        let (epoch, session_id) = (String::from("e"), Some("s".into()));
        let text = r#"{"type":"resume","epoch":"e","seq":3,"sessionId":"s"}"#;
        let command = Command::Resume { epoch: epoch.clone(), seq: 3, session_id, rooms: Vec::new() };
        assert_eq!(PlainRequest::decode(text).unwrap().command, command);
        let text = r#"{"type":"resume","epoch":"e","seq":3,"rooms":["drifts"]}"#;
        let command = Command::Resume { epoch, seq: 3, session_id: None, rooms: vec!["drifts".into()] };
        assert_eq!(PlainRequest::decode(text).unwrap().command, command);
    }

    #[test]
    fn what_is_not_a_known_message_is_refused() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"type":"nope"}"#,
            r#"{"type":"subscribe"}"#,
            r#"{"type":"subscribe","room":1}"#,
            r#"{"type":"ping","id":{}}"#,
            r#"{"type":"ping","more":1}"#,
            r#"{"type":"resume","epoch":"e","seq":-1}"#,
            r#"{"type":"resume","epoch":"e","seq":1,"rooms":"drifts"}"#,
        ] {
            assert!(PlainRequest::decode(text).is_err(), "{text}");
        }
    }
}
