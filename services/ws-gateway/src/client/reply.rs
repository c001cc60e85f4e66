use serde::Serialize;
use serde_json::{Value, json};

use crate::protocol::{ClientError, Frame, plain, socketio};

/// The acknowledgement that a client asked for.
#[derive(Debug)]
pub(crate) enum Reply {
    None,
    SocketIo { namespace: &'static str, id: u64 },
    Plain { id: Value },
}

/// The fields of an outcome, beside the id on `/ws`.
#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Done { success: bool, data: Value },
    Failed { success: bool, error: Value },
}

impl Reply {
    /// Encodes the acknowledgement; `None` if the client asked for none.
    pub(crate) fn frame(&self, result: Result<Value, ClientError>) -> Option<Frame> {
        let outcome = match result {
            Ok(data) => Outcome::Done { success: true, data },
            Err(error) => Outcome::Failed { success: false, error: error.data() },
        };
        match self {
            Self::None => None,
            Self::SocketIo { namespace, id } => {
                Some(Frame::text(socketio::ack(namespace, *id, &json!(outcome))))
            }
            Self::Plain { id } => Some(Frame::text(plain::ack(id, &outcome))),
        }
    }
}
