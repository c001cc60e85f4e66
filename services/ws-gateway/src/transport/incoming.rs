use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::time::Instant;

use super::connection::Connection;
use super::execute::{execute, execute_now};
use crate::client::{ClientState, Effects};
use crate::outbound::Pushed;
use crate::protocol::engineio::Message;
use crate::protocol::{Ending, Frame};

/// A message of a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Text(ByteString),
    Binary(Bytes),
    Ping(Bytes),
    Pong,
    Close,
    TooLarge,
    /// Bytes that are no WebSocket frames, or text that is not UTF-8.
    Malformed,
}

/// Reads a WebSocket until it ends, and then closes the connection, if the connection still depended on it.
///
/// Inputs: the messages of `stream`. It ends with the client's close, a message that is too large, or
/// the end of the stream. Messages after the end of the connection are ignored.
pub(super) async fn read<S>(connection: &Arc<Connection>, ticket: u32, mut stream: S)
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
        let executing = match incoming {
            Some(Incoming::Text(text)) => {
                input(connection, |client, now| client.on_message(now, Message::Text(text)))
            }
            Some(Incoming::Binary(data)) => {
                input(connection, |client, now| client.on_message(now, Message::Binary(data)))
            }
            Some(Incoming::Ping(data)) => {
                if connection.outbound.push_response(Frame::pong(data)) == Pushed::Full {
                    break Ending::Slow;
                }
                None
            }
            Some(Incoming::Pong) => input(connection, ClientState::on_web_socket_pong),
            Some(Incoming::Close) => break Ending::Left,
            Some(Incoming::TooLarge) => break Ending::TooLarge,
            Some(Incoming::Malformed) => break Ending::BadMessage,
            None => break Ending::Lost,
        };
        if let Some(executing) = executing {
            executing.await;
        }
    };
    web_socket_gone(connection, ending);
}

/// Gives the state an input. Returns the execution of the effects, if there are any: boxed, so that an idle socket
/// does not keep the memory that the execution takes.
pub(super) fn input<'a>(
    connection: &'a Arc<Connection>,
    input: impl FnOnce(&mut ClientState, Instant) -> Effects,
) -> Option<BoxFuture<'a, ()>> {
    let effects = connection.update(|client| input(client, Instant::now()));
    (!effects.is_empty()).then(|| execute(connection, effects).boxed())
}

/// Handles the end of a WebSocket.
pub(super) fn web_socket_gone(connection: &Arc<Connection>, ending: Ending) {
    let now = Instant::now();
    let is_slow = ending == Ending::Lost && connection.outbound.is_stalled(now);
    let ending = if is_slow { Ending::Slow } else { ending };
    let effects = connection.update(|client| client.on_web_socket_gone(now, ending));
    execute_now(connection, effects);
}
