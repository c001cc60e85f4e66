//! A WebSocket from its handshake to its end. The TCP stream is taken over from HTTP, so that an idle WebSocket
//! keeps no buffers. Its frames are queued in [`Outbound`](crate::outbound::Outbound).

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::web::{BytesMut, Payload};
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::Stream;
use futures_util::future::LocalBoxFuture;
use http::Taken;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};

use super::connection::Connection;
use super::incoming::{Incoming, read, web_socket_gone};
use super::reassembly::Reassembly;
use super::worker::Worker;
use crate::outbound::Outbound;
use crate::protocol::{Ending, Frame};

/// Time in which a client may close its side: the close of a stream with unread bytes would discard the last
/// written bytes.
const LINGER: Duration = Duration::from_secs(1);
const READ_BYTES: usize = 32 * 1024;

thread_local! {
    /// A read buffer for all sockets of the thread, so that no socket needs one of its own.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// Accepts the handshake, with the first subprotocol that both sides know.
pub(super) fn handshake(
    request: &HttpRequest,
    payload: Payload,
    protocols: &[&str],
) -> Result<HttpResponse<()>, Error> {
    let (response, _, _) = actix_ws::handle_with_protocols(request, payload, protocols)?;
    Ok(response.drop_body())
}

/// Ties the WebSocket of an accepted handshake to a connection. `first` comes before its messages.
pub(super) fn open(
    worker: &Worker,
    connection: &Arc<Connection>,
    ticket: u32,
    response: HttpResponse<()>,
    first: LocalBoxFuture<'static, ()>,
) -> HttpResponse {
    let (connection, farewells) = (Arc::clone(connection), worker.farewells.clone());
    let tasks = worker.services.tasks.clone();
    let response = http::take_over(response, move |Taken { stream, received, answer }| {
        connection.outbound.begin(ticket, answer);
        let ended = Arc::clone(&connection);
        let socket = farewells.track_future(serve(connection, ticket, stream, received, first));
        // After a panic no task reads or writes for the connection.
        tasks.run_local("socket", socket, move |result| {
            if result.is_none() {
                web_socket_gone(&ended, Ending::Lost);
            }
        });
    });
    response.map_into_boxed_body()
}

/// Opens a WebSocket that no session expects, and closes it at once.
pub(super) fn turn_away(worker: &Worker, response: HttpResponse<()>) -> HttpResponse {
    let tasks = worker.services.tasks.clone();
    let response = http::take_over(response, move |Taken { mut stream, answer, .. }| {
        let outbound = Outbound::web_socket(0);
        outbound.begin(0, answer);
        outbound.finish([Frame::normal_close()]);
        let closing = async move {
            poll_fn(|cx| poll_write(&stream, &outbound, 0, cx)).await;
            let _ = timeout(LINGER, tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
        };
        tasks.run_local("socket", closing, drop);
    });
    response.map_into_boxed_body()
}

/// Reads and writes until both are done. A client that does not end its side gets a moment to do so.
///
/// Inputs: the stream, the queue of the connection. Ends when the client has disconnected, and soon after the
/// connection has ended or has abandoned this WebSocket. An idle socket needs little more memory than this future.
/// The parts are polled by hand, because `join` would store each of them twice.
async fn serve(
    connection: Arc<Connection>,
    ticket: u32,
    stream: TcpStream,
    received: BytesMut,
    first: LocalBoxFuture<'static, ()>,
) {
    let (outbound, stream) = (&connection.outbound, Arc::new(stream));
    outbound.set_stream(ticket, Some(Arc::<TcpStream>::clone(&stream)));
    let mut reading = pin!(async {
        first.await;
        let limit = connection.services.settings.gateway_max_frame_bytes;
        let messages = MessageStream { stream: &stream, reassembly: Reassembly::new(received, limit) };
        read(&connection, ticket, messages).await;
    });
    let (mut is_read, mut is_written) = (false, false);
    let mut lingering: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        is_read = is_read || reading.as_mut().poll(cx).is_ready();
        is_written = is_written || poll_write(&stream, outbound, ticket, cx).is_ready();
        if is_read && is_written {
            return Poll::Ready(());
        }
        if !outbound.is_over(ticket) {
            return Poll::Pending;
        }
        lingering.get_or_insert_with(|| Box::pin(sleep(LINGER))).as_mut().poll(cx)
    })
    .await;
    outbound.set_stream(ticket, None);
}

/// Writes the queue, and ends this side of the stream after the last frame. The reader sees the error of a broken
/// stream, too.
fn poll_write(stream: &TcpStream, outbound: &Outbound, ticket: u32, cx: &mut Context<'_>) -> Poll<()> {
    if ready!(outbound.poll_write(ticket, cx, stream)).is_ok() {
        // An error means that there is no other side any more.
        let _ = SockRef::from(stream).shutdown(Shutdown::Write);
    }
    Poll::Ready(())
}

/// The messages of a stream.
struct MessageStream<'a> {
    stream: &'a TcpStream,
    reassembly: Reassembly,
}

impl Stream for MessageStream<'_> {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let Self { stream, reassembly } = &mut *self;
        loop {
            if let Some(message) = reassembly.next() {
                return Poll::Ready(Some(message));
            }
            if ready!(stream.poll_read_ready(cx)).is_err() {
                return Poll::Ready(None);
            }
            let read = READ.with_borrow_mut(|bytes| {
                let read = stream.try_read(bytes)?;
                reassembly.feed(&bytes[..read]);
                io::Result::Ok(read)
            });
            match read {
                Ok(1..) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return Poll::Ready(None),
            }
        }
    }
}
