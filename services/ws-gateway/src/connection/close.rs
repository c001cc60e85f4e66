use std::sync::Arc;

use contracts::Sampler;
use serde_json::json;
use tokio::time::Instant;

use super::{Connection, GOODBYE, LINGER, Protocol};
use crate::ending::Ending;
use crate::engineio::Packet;
use crate::frame::Frame;
use crate::gateway::Gateway;
use crate::hub::Form;
use crate::metrics::Dropped;
use crate::socketio as packets;

const NORMAL_CLOSURE: u16 = 1000;

static ENDED_UNAUTHORISED: Sampler = Sampler::new();

impl Connection {
    /// Ends the connection with all its sockets; they are told why, as far as they listen.
    pub fn close(self: &Arc<Self>, gateway: &Gateway, ending: Ending) {
        let mut state = self.lock();
        if state.ended.is_some() {
            drop(state);
            return self.outbound.finish([Frame::close(NORMAL_CLOSURE, "")]);
        }
        state.ended = Some(ending);
        let was_authorised = state.handshake_until.is_none();
        let sockets = std::mem::take(&mut state.sockets);
        let polling = state.socket_io().is_some_and(|socket_io| socket_io.transport.is_polling());
        let plain = matches!(state.protocol, Protocol::Plain);
        drop(state);

        for (_, socket) in &sockets {
            self.forget(gateway, socket, ending.may_return());
        }
        let mut last: Vec<Frame> =
            sockets.iter().flat_map(|(form, _)| farewell(*form, ending, gateway)).collect();
        // Stock clients hear an Engine.IO close before the DISCONNECT that came with it, and would
        // come back; after a DISCONNECT they close by themselves.
        if polling && !matches!(ending, Ending::Revoked(_)) {
            last.push(Packet::Close.frame());
        }
        let is_told_by_a_packet = matches!(ending, Ending::Revoked(_)) && !plain && !polling;
        if !is_told_by_a_packet {
            last.push(Frame::close(ending.code(), ending.reason()));
        }
        let dropped = match ending {
            // The client closed it: its waiting GET only has to end, its close frame to be answered.
            Ending::Left if polling => self.outbound.finish_at_once([Packet::Noop.frame()]),
            Ending::Left => self.outbound.finish_at_once([Frame::close(NORMAL_CLOSURE, "")]),
            Ending::Lost | Ending::Silent => {
                self.outbound.finish_at_once(polling.then(|| Packet::Close.frame()))
            }
            Ending::Slow => self.outbound.finish_at_once(last.pop()),
            _ if is_told_by_a_packet => {
                self.outbound.say(last);
                self.watch(Instant::now() + GOODBYE);
                0
            }
            _ => {
                self.outbound.finish(last);
                0
            }
        };
        let reason = if ending == Ending::Slow { Dropped::Slow } else { Dropped::ConnectionLost };
        gateway.metrics.dropped(reason, dropped);
        if polling && !ending.is_silent() {
            self.watch(Instant::now() + LINGER);
        } else if !is_told_by_a_packet {
            gateway.remove_session(&self.id);
        }
        gateway.metrics.disconnected(ending);
        // Strangers decide how often this happens.
        let left_out = if was_authorised { Some(0) } else { ENDED_UNAUTHORISED.admit() };
        if let Some(left_out) = left_out {
            let (code, reason, sockets) = (ending.code(), ending.reason(), sockets.len());
            tracing::info!(code, reason, plain, sockets, left_out, "connection ended");
        }
    }

    /// Ends one socket, and the connection with its last one.
    pub fn end_socket(self: &Arc<Self>, gateway: &Gateway, socket: &str, ending: Ending) {
        let mut state = self.lock();
        let Some(index) = state.sockets.iter().position(|(_, own)| &**own == socket) else { return };
        if state.sockets.len() == 1 {
            drop(state);
            return self.close(gateway, ending);
        }
        let (form, socket) = state.sockets.swap_remove(index);
        if let (Some(socket_io), Some(namespace)) = (state.socket_io(), form.namespace()) {
            socket_io.namespaces.left(namespace);
        }
        drop(state);
        self.forget(gateway, &socket, ending.may_return());
        for frame in farewell(form, ending, gateway) {
            self.outbound.push(frame);
        }
    }

    /// The client has left a namespace.
    pub(super) fn left(&self, gateway: &Gateway, form: Form) {
        let mut state = self.lock();
        let Some(index) = state.sockets.iter().position(|(own, _)| *own == form) else { return };
        let (_, socket) = state.sockets.swap_remove(index);
        drop(state);
        self.forget(gateway, &socket, false);
    }

    /// Takes a socket out again that was let in but has nothing to go on from.
    pub(super) fn drop_socket(&self, gateway: &Gateway, socket: &str) {
        self.lock().sockets.retain(|(_, own)| &**own != socket);
        self.forget(gateway, socket, false);
    }

    pub(super) fn forget(&self, gateway: &Gateway, socket: &str, may_return: bool) {
        if let Some(member) = self.hub.leave(socket) {
            gateway.leave_places(&self.peer, &member.claims, &member.id);
            gateway.keep_closed(&member, may_return);
            gateway.metrics.connections.dec();
        }
    }
}

/// What a socket hears last. Endings after which it may come back at once say nothing: a stock client
/// that is sent a DISCONNECT stays away.
fn farewell(form: Form, ending: Ending, gateway: &Gateway) -> Vec<Frame> {
    let clock = gateway.clock();
    match ending {
        Ending::Revoked(reason) => {
            let notice = form.notice("session.revoked", json!({ "reason": reason }), None, clock);
            let disconnect = form.namespace().map(|namespace| Frame::text(packets::disconnect(namespace)));
            std::iter::once(notice).chain(disconnect).collect()
        }
        Ending::Draining => {
            let payload = json!({ "reconnectAfterMs": 0 });
            vec![form.notice("server.draining", payload, None, clock)]
        }
        _ => Vec::new(),
    }
}
