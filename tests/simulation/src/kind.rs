//! The kinds of simulated clients.

use ws_gateway::simulated::Protocol;

/// The ways in which a client differs from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub protocol: Protocol,
    /// The namespace as it stands in a packet of Socket.IO: nothing for `/`.
    pub namespace: &'static str,
    /// Whether the client subscribes to the drifts.
    pub wants_drifts: bool,
    /// Whether the client holds the events that come before the acknowledgement of `resume` (`/ws`), even if the
    /// gateway promises that they come in order.
    pub holds: bool,
}

impl Kind {
    /// The kind of a client in the run of a seed.
    pub(crate) fn of(number: usize, seed: u64) -> Self {
        let turn = seed.wrapping_add(number as u64);
        Self {
            protocol: if number.is_multiple_of(2) { Protocol::SocketIo } else { Protocol::Plain },
            namespace: if number == 2 { "/dashboard," } else { "" },
            wants_drifts: !turn.is_multiple_of(4),
            holds: (turn / 2).is_multiple_of(2),
        }
    }

    /// Whether Socket.IO wraps the payload of an event in its envelope.
    pub(crate) fn gets_envelopes(&self) -> bool {
        !self.namespace.is_empty()
    }
}
