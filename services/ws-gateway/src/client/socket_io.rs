use serde_json::Value;
use smallvec::{SmallVec, smallvec};
use tokio::time::Instant;

use super::effects::{Candidate, Credentials, Effect, Effects, admit};
use super::life::Life;
use super::reply::Reply;
use super::requests;
use crate::protocol::engineio::{Message, Transport};
use crate::protocol::socketio::{self, Action, Decoder, Namespaces};
use crate::protocol::{Ending, Frame, NamespaceKind};

/// Number of joins that do not count as messages: one for each namespace.
const FREE_JOINS: u8 = 2;

/// The state of a connection in the protocol of Socket.IO.
pub(crate) struct SocketIo {
    pub transport: Transport,
    decoder: Decoder,
    pub namespaces: Namespaces,
    /// The namespaces that were refused once; all unknown ones count as one.
    refused: SmallVec<[Option<NamespaceKind>; 1]>,
    /// Number of times that the client asked to join a namespace, up to the free ones.
    joins: u8,
}

/// Responds to messages in place of the gateway, for the test suites of the protocols.
#[cfg(feature = "conformance")]
pub(crate) trait Responder: Send {
    /// Returns an error if the connection has to close.
    fn on_message(&self, socket_io: &mut SocketIo, message: Message) -> Result<Effects, Ending>;
}

impl SocketIo {
    pub(crate) fn new(transport: Transport) -> Self {
        let (decoder, namespaces) = (Decoder::default(), Namespaces::default());
        Self { transport, decoder, namespaces, refused: SmallVec::new(), joins: 0 }
    }

    /// A message of the client. Returns an error if the connection has to close.
    pub(super) fn on_message(
        &mut self,
        life: &mut Life,
        now: Instant,
        message: Message,
    ) -> Result<Effects, Ending> {
        match self.decode(message)? {
            Action::Join { namespace, auth } => match NamespaceKind::of(&namespace) {
                Some(kind) => {
                    let credentials = Credentials::Packet(auth);
                    let is_repeated = self.joins == FREE_JOINS;
                    if !is_repeated {
                        self.joins += 1;
                    }
                    Ok(admit(Candidate::Socket { kind, credentials, is_repeated, reply: Reply::None }))
                }
                None => self.refuse_once(None, &namespace, "Invalid namespace", None),
            },
            Action::Leave { namespace } => Ok(life.leave(now, NamespaceKind::of(&namespace))),
            Action::Event { namespace, name, args, ack, .. } => {
                let kind = NamespaceKind::of(&namespace);
                let socket = kind.and_then(|kind| Some((kind, life.socket_of(kind)?)));
                let request = socket.map(|(kind, socket)| requests::of_event(kind, socket, name, &args, ack));
                Ok(request.map_or_else(Effects::new, |request| admit(Candidate::Message(request))))
            }
            Action::Nothing => Ok(Effects::new()),
            Action::Violation => Err(Ending::BadMessage),
        }
    }

    /// Returns the request of the packet that this message completes.
    pub(crate) fn decode(&mut self, message: Message) -> Result<Action, Ending> {
        match self.decoder.decode(message) {
            Ok(Some(packet)) => Ok(self.namespaces.receive(packet)),
            Ok(None) => Ok(Action::Nothing),
            Err(error) => {
                tracing::debug!(%error, "received an unreadable packet");
                Err(Ending::BadMessage)
            }
        }
    }

    /// Refuses a namespace once. A second refusal of the same namespace closes the connection, so that retries cost
    /// the gateway nothing.
    pub(crate) fn refuse_once(
        &mut self,
        kind: Option<NamespaceKind>,
        namespace: &str,
        message: &str,
        data: Option<&Value>,
    ) -> Result<Effects, Ending> {
        if self.refused.contains(&kind) {
            return Err(Ending::Unauthorized);
        }
        self.refused.push(kind);
        Ok(smallvec![Effect::Send(self.refuse(namespace, message, data))])
    }

    pub(crate) fn refuse(&mut self, namespace: &str, message: &str, data: Option<&Value>) -> Frame {
        self.namespaces.left(namespace);
        Frame::text(socketio::connect_error(namespace, message, data))
    }
}
