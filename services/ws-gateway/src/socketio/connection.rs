use bytes::Bytes;
use serde_json::{Map, Value};
use smallvec::SmallVec;

use super::{Content, Packet};

/// Which namespaces a connection is in.
///
/// Inputs: packets ([`Connection::receive`]), the decision on a join ([`Connection::joined`],
/// [`Connection::left`]). Ends with the first packet that may not come at that point; the caller
/// ends one that is in no namespace in time.
#[derive(Debug, Default)]
pub struct Connection {
    /// Nearly always one.
    namespaces: SmallVec<[(String, Member); 1]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Joining,
    Joined,
}

/// What a packet asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// To be answered by [`Connection::joined`] or [`Connection::left`].
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
    /// Nothing: the client acknowledged something that the gateway never asked for.
    Nothing,
    /// The packet breaks the protocol; the connection ends.
    Violation,
}

impl Connection {
    pub fn receive(&mut self, packet: Packet) -> Action {
        let Packet { namespace, content, attachments } = packet;
        match (content, self.member(&namespace).copied()) {
            (Content::Connect { auth }, None) => {
                self.namespaces.push((namespace.clone(), Member::Joining));
                Action::Join { namespace, auth: auth.unwrap_or_default() }
            }
            (Content::Disconnect, Some(Member::Joined)) => {
                self.left(&namespace);
                Action::Leave { namespace }
            }
            (Content::Event { name, args, ack }, Some(Member::Joined)) => {
                Action::Event { namespace, name, args, ack, attachments }
            }
            (Content::Ack { .. }, Some(Member::Joined)) => Action::Nothing,
            _ => Action::Violation,
        }
    }

    /// The join was allowed. False if the connection has meanwhile left it.
    pub fn joined(&mut self, namespace: &str) -> bool {
        match self.member(namespace) {
            Some(member) => {
                *member = Member::Joined;
                true
            }
            None => false,
        }
    }

    /// The join was refused, or the server ended the membership.
    pub fn left(&mut self, namespace: &str) {
        self.namespaces.retain(|(name, _)| name != namespace);
    }

    fn member(&mut self, namespace: &str) -> Option<&mut Member> {
        self.namespaces.iter_mut().find(|(name, _)| name == namespace).map(|(_, member)| member)
    }
}
