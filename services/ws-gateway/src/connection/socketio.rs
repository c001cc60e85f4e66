use std::sync::Arc;

use contracts::Claims;
use serde_json::{Map, Value, json};
use smallvec::SmallVec;
use tokio::time::Instant;

use super::enter::{Entrance, NotEntered};
use super::{Connection, UPGRADE_TIMEOUT};
use crate::authorise::Refusal;
use crate::ending::Ending;
use crate::engineio::{Lane, Message, Packet, Received, Transport};
use crate::frame::Frame;
use crate::gateway::{Gateway, random_id};
use crate::hub::{Form, Hears};
use crate::socketio::{self as packets, Action, Decoder};

/// A connection's place in the protocol.
pub struct SocketIo {
    pub transport: Transport,
    pub decoder: Decoder,
    pub namespaces: packets::Connection,
    /// The namespaces that were refused once; all unknown ones count as one.
    refused: SmallVec<[Option<Form>; 1]>,
}

impl SocketIo {
    pub fn new(transport: Transport) -> Self {
        let (decoder, namespaces) = (Decoder::default(), packets::Connection::default());
        Self { transport, decoder, namespaces, refused: SmallVec::new() }
    }
}

impl Connection {
    /// Whether requests by polling may name this session.
    pub fn is_polling(&self) -> bool {
        self.lock().socket_io().is_some_and(|socket_io| socket_io.transport.is_polling())
    }

    /// A GET begins to wait. False if one does already: then the session ends.
    pub fn begin_poll(&self) -> bool {
        !std::mem::replace(&mut self.lock().polled, true)
    }

    pub fn end_poll(&self) {
        self.lock().polled = false;
    }

    /// A WebSocket wants to take over. Its ticket for the queue, unless there is one already.
    pub fn probe(self: &Arc<Self>) -> Option<u32> {
        let mut state = self.lock();
        if state.ended.is_some() || !state.socket_io()?.transport.probe() {
            return None;
        }
        let until = Instant::now() + UPGRADE_TIMEOUT;
        state.upgrade_until = Some(until);
        drop(state);
        self.watch(until);
        Some(self.outbound.open_web_socket())
    }

    /// The WebSocket is gone: the connection with it, unless it had not taken over yet.
    pub fn web_socket_gone(self: &Arc<Self>, gateway: &Gateway, ending: Ending) {
        let mut state = self.lock();
        if state.socket_io().is_some_and(|socket_io| socket_io.transport.is_polling()) {
            state.abandon_probe();
            self.outbound.abandon_probe();
            return;
        }
        drop(state);
        let slow = ending == Ending::Lost && self.outbound.is_stalled(Instant::now());
        self.close(gateway, if slow { Ending::Slow } else { ending });
    }

    /// Takes in one Engine.IO packet.
    pub async fn receive(self: &Arc<Self>, gateway: &Arc<Gateway>, lane: Lane, packet: Packet) {
        match self.receive_packet(lane, packet) {
            Received::Message(message) => self.receive_message(gateway, message).await,
            Received::Closed => self.close(gateway, Ending::Left),
            Received::Violation => self.refuse_packet(gateway, lane),
            Received::Nothing | Received::Pong | Received::Probed | Received::Upgraded => {}
        }
    }

    /// Does what concerns only the transport; what it means for the connection is the caller's.
    fn receive_packet(self: &Arc<Self>, lane: Lane, packet: Packet) -> Received {
        let mut state = self.lock();
        let Some(socket_io) = state.socket_io() else { return Received::Nothing };
        let received = socket_io.transport.receive(lane, packet);
        match received {
            Received::Pong => {
                drop(state);
                self.alive();
            }
            Received::Probed => self.outbound.answer_probe(Packet::Pong("probe".into()).frame()),
            Received::Upgraded => {
                state.upgrade_until = None;
                self.outbound.upgrade();
            }
            Received::Nothing | Received::Message(_) | Received::Closed | Received::Violation => {}
        }
        received
    }

    /// A packet that may not come. On a WebSocket that only probes it ends that WebSocket alone.
    pub fn refuse_packet(self: &Arc<Self>, gateway: &Gateway, lane: Lane) {
        match lane {
            Lane::WebSocket => self.web_socket_gone(gateway, Ending::BadMessage),
            Lane::Polling => self.close(gateway, Ending::BadMessage),
        }
    }

    async fn receive_message(self: &Arc<Self>, gateway: &Arc<Gateway>, message: Message) {
        if let Some(suite) = gateway.suite {
            return self.echo(gateway, suite, message);
        }
        match self.decode(message) {
            Action::Join { namespace, auth } => self.join(gateway, &namespace, &auth).await,
            Action::Leave { namespace } => {
                if let Some(form) = Form::of_namespace(&namespace) {
                    self.left(gateway, form);
                }
            }
            Action::Event { namespace, name, args, ack, .. } => {
                if let Some(form) = Form::of_namespace(&namespace) {
                    self.event(gateway, form, &name, &args, ack).await;
                }
            }
            Action::Nothing => {}
            Action::Violation => self.close(gateway, Ending::BadMessage),
        }
    }

    /// Notes that a namespace was joined. False if the client has meanwhile left it.
    pub(crate) fn joined(&self, namespace: &str) -> bool {
        self.lock().socket_io().is_some_and(|socket_io| socket_io.namespaces.joined(namespace))
    }

    /// Lets it be without a socket of its own.
    pub(crate) fn accept(&self) {
        self.lock().handshake_until = None;
    }

    /// What the packet asks for that this message completes, if it does.
    pub(crate) fn decode(&self, message: Message) -> Action {
        let mut state = self.lock();
        let Some(socket_io) = state.socket_io() else { return Action::Nothing };
        match socket_io.decoder.decode(message) {
            Ok(Some(packet)) => socket_io.namespaces.receive(packet),
            Ok(None) => Action::Nothing,
            Err(error) => {
                tracing::debug!(%error, "a packet cannot be read");
                Action::Violation
            }
        }
    }

    async fn join(self: &Arc<Self>, gateway: &Arc<Gateway>, namespace: &str, auth: &Map<String, Value>) {
        let Some(form) = Form::of_namespace(namespace) else {
            return self.refuse_once(gateway, None, namespace, "Invalid namespace", None);
        };
        let transport = if self.is_polling() { "polling" } else { "websocket" };
        let claims = match gateway.authorise(&self.peer, self.peer.token(auth)).await {
            Ok(claims) => claims,
            Err(refusal) => return self.refuse_join(gateway, transport, form, &refusal),
        };
        if !self.joined(namespace) {
            return;
        }
        let entered = match self.recover(gateway, form, &claims, auth).await {
            Ok(true) => Ok(()),
            Ok(false) => self.begin(gateway, form, namespace, &claims).await,
            Err(refused) => Err(refused),
        };
        match entered {
            Ok(()) => gateway.metrics.connected(transport, "ok"),
            Err(NotEntered::Refused(refusal)) => self.refuse_join(gateway, transport, form, &refusal),
            Err(NotEntered::Ended) => {}
            Err(NotEntered::Unavailable) => {
                gateway.metrics.connected(transport, "unavailable");
                self.close(gateway, Ending::Unavailable);
            }
        }
    }

    /// Lets a client in that is new, or has to begin anew.
    async fn begin(
        self: &Arc<Self>,
        gateway: &Gateway,
        form: Form,
        namespace: &str,
        claims: &Claims,
    ) -> Result<(), NotEntered> {
        let socket = random_id();
        let entrance =
            Entrance { form, claims, socket: Arc::clone(&socket), hears: Hears::Everything, secret: None };
        self.enter(gateway, entrance, |position, member| {
            let private_id = Self::private_id(gateway, &socket, &member.secret);
            let connect = packets::connect(namespace, &socket, private_id.as_deref());
            self.outbound.push(Frame::text(connect));
            self.outbound.push(self.authorized(gateway, form, claims, &socket, position));
        })
        .await?;
        self.keep(gateway, &socket);
        Ok(())
    }

    fn refuse_join(self: &Arc<Self>, gateway: &Gateway, transport: &str, form: Form, refusal: &Refusal) {
        gateway.metrics.connected(transport, refusal.code.into_str());
        if let Some(namespace) = form.namespace() {
            self.refuse_once(gateway, Some(form), namespace, &refusal.message, Some(refusal.data(form)));
        }
    }

    /// Refuses a namespace, and closes the connection if it was refused before: a client that shows nothing
    /// better gets no more work out of the gateway.
    fn refuse_once(
        self: &Arc<Self>,
        gateway: &Gateway,
        form: Option<Form>,
        namespace: &str,
        message: &str,
        data: Option<Value>,
    ) {
        let again = self.lock().socket_io().is_none_or(|socket_io| {
            let known = socket_io.refused.contains(&form);
            if !known {
                socket_io.refused.push(form);
            }
            known
        });
        if again {
            return self.close(gateway, Ending::Unauthorised);
        }
        self.say_refused(namespace, message, data);
    }

    pub(crate) fn say_refused(&self, namespace: &str, message: &str, data: Option<Value>) {
        if let Some(socket_io) = self.lock().socket_io() {
            socket_io.namespaces.left(namespace);
        }
        self.outbound.push(Frame::text(packets::connect_error(namespace, message, data.as_ref())));
    }

    async fn event(
        self: &Arc<Self>,
        gateway: &Gateway,
        form: Form,
        name: &str,
        args: &[Value],
        ack: Option<u64>,
    ) {
        let Some(socket) = self.socket(form) else { return };
        let request = name.split_once(':');
        let is_free = matches!(request, Some(("subscribe", room)) if self.is_first_subscription(gateway, &socket, room));
        let admitted = match is_free {
            true => Ok(()),
            false => self.admit_message(gateway, form, &socket, name).await,
        };
        let outcome = match (admitted, request) {
            (Err(refused), _) => Err(refused),
            (_, Some(("subscribe", room))) => self.subscribe(gateway, &socket, room).await,
            (_, Some(("unsubscribe", room))) => self.unsubscribe(gateway, &socket, room).await,
            _ if name == "connection.reauth" => {
                let token = args.first().and_then(|arg| arg.get("token")).and_then(Value::as_str);
                self.reauth(gateway, &socket, token.unwrap_or_default()).await
            }
            _ => Err(json!({ "code": "UNKNOWN_EVENT", "message": "nothing listens to this event" })),
        };
        if let (Some(id), Some(namespace)) = (ack, form.namespace()) {
            let answer = match outcome {
                Ok(data) => json!({ "success": true, "data": data }),
                Err(error) => json!({ "success": false, "error": error }),
            };
            self.outbound.push(Frame::text(packets::ack(namespace, id, &answer)));
        }
    }
}
