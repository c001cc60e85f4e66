use bytes::Bytes;
use serde_json::{Map, Value};
use smallvec::SmallVec;

use super::packet::{Content, SocketPacket};

/// The namespaces that a connection has joined.
///
/// Inputs: packets ([`Namespaces::receive`]), the decision on a join ([`Namespaces::joined`], [`Namespaces::left`]).
/// Ends with the first packet that the protocol forbids at that point. The caller closes a connection that joins no
/// namespace in time.
#[derive(Debug, Default)]
pub(crate) struct Namespaces {
    /// Nearly always one.
    namespaces: SmallVec<[(String, Membership); 1]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Membership {
    Joining,
    Joined,
}

/// The request of a packet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Decided by [`Namespaces::joined`] or [`Namespaces::left`].
    Join {
        namespace: String,
        auth: Map<String, Value>,
    },
    Leave {
        namespace: String,
    },
    Event {
        namespace: String,
        name: String,
        args: Vec<Value>,
        ack: Option<u64>,
        attachments: Vec<Bytes>,
    },
    /// None: the client acknowledged something that the gateway never asked for.
    Nothing,
    /// The packet breaks the protocol; the connection ends.
    Violation,
}

impl Namespaces {
    pub(crate) fn receive(&mut self, packet: SocketPacket) -> Action {
        let SocketPacket { namespace, content, attachments } = packet;
        match (content, self.member(&namespace).copied()) {
            (Content::Connect { auth }, None) => {
                self.namespaces.push((namespace.clone(), Membership::Joining));
                Action::Join { namespace, auth: auth.unwrap_or_default() }
            }
            (Content::Disconnect, Some(Membership::Joined)) => {
                self.left(&namespace);
                Action::Leave { namespace }
            }
            (Content::Event { name, args, ack }, Some(Membership::Joined)) => {
                Action::Event { namespace, name, args, ack, attachments }
            }
            (Content::Ack { .. }, Some(Membership::Joined)) => Action::Nothing,
            _ => Action::Violation,
        }
    }

    /// Completes a join that was allowed.
    pub(crate) fn joined(&mut self, namespace: &str) {
        if let Some(member) = self.member(namespace) {
            *member = Membership::Joined;
        }
    }

    /// Removes a namespace whose join was refused, or whose membership the server ended.
    pub(crate) fn left(&mut self, namespace: &str) {
        self.namespaces.retain(|(name, _)| name != namespace);
    }

    fn member(&mut self, namespace: &str) -> Option<&mut Membership> {
        self.namespaces.iter_mut().find(|(name, _)| name == namespace).map(|(_, member)| member)
    }
}
