use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};
use smallvec::smallvec;

use super::client_suite;
use crate::client::{Effect, Effects, Responder, SocketIo};
use crate::protocol::engineio::{Message, Packet};
use crate::protocol::socketio::{self, Action, Content, SocketPacket};
use crate::protocol::{Ending, Frame};
use crate::random_id::random_id;

/// The namespaces of the Socket.IO suite.
const NAMESPACES: [&str; 2] = ["/", "/custom"];

/// The protocol that is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    EngineIo,
    SocketIo,
    /// The tests of the stock client itself. The whole query of a handshake stands for its token.
    Client,
}

/// Responds to the messages of one connection as the suite expects it.
pub(crate) struct Echo {
    pub suite: Suite,
    /// The id of the connection.
    pub id: Arc<str>,
    /// The query of the handshake.
    pub query: String,
}

impl Responder for Echo {
    fn on_message(&self, socket_io: &mut SocketIo, message: Message) -> Result<Effects, Ending> {
        if self.suite == Suite::EngineIo {
            return Ok(smallvec![Effect::Send(Packet::Message(message).frame())]);
        }
        match socket_io.decode(message)? {
            Action::Violation => Err(Ending::BadMessage),
            action if self.suite == Suite::Client => {
                Ok(client_suite::respond(&self.id, &self.query, socket_io, action))
            }
            Action::Join { namespace, auth } => Ok(welcome(socket_io, &namespace, auth)),
            Action::Event { namespace, name, args, ack, attachments } => {
                let content = match (name.as_str(), ack) {
                    ("message", _) => Content::Event { name: "message-back".into(), args, ack: None },
                    ("message-with-ack", Some(id)) => Content::Ack { id, args },
                    _ => return Ok(Effects::new()),
                };
                Ok(client_suite::send(SocketPacket { namespace, content, attachments }))
            }
            Action::Leave { .. } | Action::Nothing => Ok(Effects::new()),
        }
    }
}

fn welcome(socket_io: &mut SocketIo, namespace: &str, auth: Map<String, Value>) -> Effects {
    if !NAMESPACES.contains(&namespace) {
        return smallvec![Effect::Send(socket_io.refuse(namespace, "Invalid namespace", None))];
    }
    socket_io.namespaces.joined(namespace);
    let mut effects: Effects =
        smallvec![Effect::Send(Frame::text(socketio::connect(namespace, &random_id(), None)))];
    let content = Content::Event { name: "auth".into(), args: vec![auth.into()], ack: None };
    let attachments: Vec<Bytes> = Vec::new();
    effects.extend(client_suite::send(SocketPacket { namespace: namespace.into(), content, attachments }));
    effects
}
