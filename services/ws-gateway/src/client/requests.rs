//! The messages of an admitted socket, as requests.

use std::sync::Arc;

use backplane::Position;
use serde_json::Value;

use super::effects::{ClientRequest, RequestAction, ResumeFrom};
use super::reply::Reply;
use crate::protocol::NamespaceKind;
use crate::protocol::plain::Command;

/// The request of an event of Socket.IO.
pub(super) fn of_event(
    kind: NamespaceKind,
    socket: &Arc<str>,
    name: String,
    args: &[Value],
    ack: Option<u64>,
) -> ClientRequest {
    let action = match name.split_once(':') {
        Some(("subscribe", room)) => RequestAction::Join { room: room.into() },
        Some(("unsubscribe", room)) => RequestAction::Leave { room: room.into() },
        _ if name == "connection.reauth" => {
            let token = args.first().and_then(|arg| arg.get("token")).and_then(Value::as_str);
            RequestAction::Reauth { token: token.unwrap_or_default().into() }
        }
        _ => RequestAction::Unknown,
    };
    let reply = match (ack, kind.namespace()) {
        (Some(id), Some(namespace)) => Reply::SocketIo { namespace, id },
        _ => Reply::None,
    };
    ClientRequest { kind, socket: Arc::clone(socket), name, action, reply }
}

/// The request of a command of `/ws`.
pub(super) fn of_command(
    socket: &Arc<str>,
    command: Command,
    id: Option<Value>,
    is_first: bool,
) -> ClientRequest {
    let name = command.name().into();
    let action = match command {
        Command::Subscribe { room } => RequestAction::Join { room },
        Command::Unsubscribe { room } => RequestAction::Leave { room },
        Command::Reauth { token } => RequestAction::Reauth { token },
        Command::Ping {} => RequestAction::Ping,
        Command::Auth { .. } => RequestAction::Auth,
        Command::Resume { epoch, seq, session_id, rooms } => {
            let after = Position { epoch: epoch.into(), seq };
            RequestAction::Resume { from: ResumeFrom { after, replaced: session_id, rooms }, is_first }
        }
    };
    let kind = NamespaceKind::Plain;
    ClientRequest { kind, socket: Arc::clone(socket), name, action, reply: of_id(id) }
}

/// The reply to a message of `/ws`.
pub(super) fn of_id(id: Option<Value>) -> Reply {
    id.map_or(Reply::None, |id| Reply::Plain { id })
}
