use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::{Stream, StreamExt};

use super::{Connection, Protocol};
use crate::ending::Ending;
use crate::engineio::{Lane, Message, Packet};
use crate::frame::Frame;
use crate::gateway::Gateway;
use crate::outbound::Pushed;

/// What comes in on a WebSocket, whatever library reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Text(ByteString),
    Binary(Bytes),
    Ping(Bytes),
    Pong,
    Close,
    TooLarge,
    /// Bytes that are no WebSocket frames, or text that is not UTF-8.
    Malformed,
}

/// Reads a WebSocket until it ends, and then ends the connection, if it still depended on it.
///
/// Inputs: the messages of `stream`. It ends with the client's close, a message that is too large, or
/// the end of the stream. What comes after the connection has ended is not listened to any more.
pub async fn read<S>(gateway: &Arc<Gateway>, connection: &Arc<Connection>, ticket: u32, mut stream: S)
where
    S: Stream<Item = Incoming> + Unpin,
{
    let ending = loop {
        let incoming = stream.next().await;
        if connection.outbound.is_over(ticket) {
            match incoming {
                Some(Incoming::TooLarge | Incoming::Malformed) | None => return,
                Some(_) => continue,
            }
        }
        match incoming {
            // Boxed: what handling a message takes is not kept by a socket that is idle.
            Some(Incoming::Text(text)) => {
                Box::pin(connection.receive_frame(gateway, Message::Text(text))).await;
            }
            Some(Incoming::Binary(data)) => {
                Box::pin(connection.receive_frame(gateway, Message::Binary(data))).await;
            }
            Some(Incoming::Ping(data)) => {
                if connection.outbound.push(Frame::pong(data)) == Pushed::Full {
                    break Ending::Slow;
                }
            }
            Some(Incoming::Pong) => connection.pong(),
            Some(Incoming::Close) => break Ending::Left,
            Some(Incoming::TooLarge) => break Ending::TooLarge,
            Some(Incoming::Malformed) => break Ending::BadMessage,
            None => break Ending::Lost,
        }
    };
    connection.web_socket_gone(gateway, ending);
}

impl Connection {
    async fn receive_frame(self: &Arc<Self>, gateway: &Arc<Gateway>, message: Message) {
        if matches!(self.lock().protocol, Protocol::Plain) {
            return match message {
                Message::Text(text) => self.receive_text(gateway, &text).await,
                Message::Binary(_) => self.close(gateway, Ending::BadMessage),
            };
        }
        let packet = match message {
            Message::Text(text) => Packet::decode(&text),
            binary @ Message::Binary(_) => Ok(Packet::Message(binary)),
        };
        match packet {
            Ok(packet) => self.receive(gateway, Lane::WebSocket, packet).await,
            Err(error) => {
                tracing::debug!(%error, "a packet cannot be read");
                self.refuse_packet(gateway, Lane::WebSocket);
            }
        }
    }

    /// The WebSocket's own pong: `/ws` is pinged by it, Socket.IO by a packet.
    fn pong(self: &Arc<Self>) {
        if matches!(self.lock().protocol, Protocol::Plain) {
            self.alive();
        }
    }
}
