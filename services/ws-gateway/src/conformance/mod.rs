//! The servers that the public test suites of Engine.IO, of Socket.IO and of the stock client expect:
//! echoes, and no tokens. Only `examples/conformance.rs` and tests ask for it; no setting does.

mod client_suite;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::connection::Connection;
use crate::ending::Ending;
use crate::engineio::{Message, Packet};
use crate::frame::Frame;
use crate::gateway::{Gateway, random_id};
use crate::socketio::{self, Action, Content};

/// The namespaces of the Socket.IO suite.
const NAMESPACES: [&str; 2] = ["/", "/custom"];

/// Which protocol is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    EngineIo,
    SocketIo,
    /// The tests of the stock client itself. The whole query of a handshake stands for its token.
    Client,
}

impl Connection {
    /// Answers a message as the suite expects it.
    pub(crate) fn echo(self: &Arc<Self>, gateway: &Gateway, suite: Suite, message: Message) {
        self.accept();
        if suite == Suite::EngineIo {
            self.outbound.push(Packet::Message(message).frame());
            return;
        }
        match self.decode(message) {
            action if suite == Suite::Client => self.serve_client_suite(gateway, action),
            Action::Join { namespace, auth } => self.welcome(&namespace, auth),
            Action::Event { namespace, name, args, ack, attachments } => {
                let content = match (name.as_str(), ack) {
                    ("message", _) => Content::Event { name: "message-back".into(), args, ack: None },
                    ("message-with-ack", Some(id)) => Content::Ack { id, args },
                    _ => return,
                };
                self.send(socketio::Packet { namespace, content, attachments });
            }
            Action::Leave { .. } | Action::Nothing => {}
            Action::Violation => self.close(gateway, Ending::BadMessage),
        }
    }

    fn welcome(&self, namespace: &str, auth: Map<String, Value>) {
        if !NAMESPACES.contains(&namespace) {
            self.say_refused(namespace, "Invalid namespace", None);
            return;
        }
        self.joined(namespace);
        self.outbound.push(Frame::text(socketio::connect(namespace, &random_id(), None)));
        let content = Content::Event { name: "auth".into(), args: vec![auth.into()], ack: None };
        self.send(socketio::Packet { namespace: namespace.into(), content, attachments: Vec::new() });
    }

    fn send(&self, packet: socketio::Packet) {
        self.outbound.push(Frame::text(socketio::packet(&packet)));
        for data in packet.attachments {
            self.outbound.push(Frame::binary(Bytes::clone(&data)));
        }
    }
}
