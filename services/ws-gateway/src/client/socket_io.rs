use serde_json::Value;
use smallvec::SmallVec;

use crate::protocol::engineio::{Message, Transport};
use crate::protocol::socketio::{self, Action, Decoder, Namespaces};
use crate::protocol::{Frame, NamespaceKind};

/// The state of a connection in the protocol of Socket.IO.
pub struct SocketIo {
    pub transport: Transport,
    decoder: Decoder,
    pub namespaces: Namespaces,
    /// The namespaces that were refused once; all unknown ones count as one.
    refused: SmallVec<[Option<NamespaceKind>; 1]>,
}

/// The client broke the protocol, or asks again for a namespace that was refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation;

impl SocketIo {
    pub fn new(transport: Transport) -> Self {
        let (decoder, namespaces) = (Decoder::default(), Namespaces::default());
        Self { transport, decoder, namespaces, refused: SmallVec::new() }
    }

    /// Returns the request of the packet that this message completes.
    pub fn decode(&mut self, message: Message) -> Action {
        match self.decoder.decode(message) {
            Ok(Some(packet)) => self.namespaces.receive(packet),
            Ok(None) => Action::Nothing,
            Err(error) => {
                tracing::debug!(%error, "received an unreadable packet");
                Action::Violation
            }
        }
    }

    /// Refuses a namespace once: a client that shows nothing better gets no more work out of the gateway.
    pub fn refuse_once(
        &mut self,
        kind: Option<NamespaceKind>,
        namespace: &str,
        message: &str,
        data: Option<&Value>,
    ) -> Result<Frame, Violation> {
        if self.refused.contains(&kind) {
            return Err(Violation);
        }
        self.refused.push(kind);
        Ok(self.refuse(namespace, message, data))
    }

    pub fn refuse(&mut self, namespace: &str, message: &str, data: Option<&Value>) -> Frame {
        self.namespaces.left(namespace);
        Frame::text(socketio::connect_error(namespace, message, data))
    }
}
