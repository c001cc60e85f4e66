//! A WebSocket from its handshake to its end: the TCP stream is taken over from HTTP, so that an idle
//! one keeps no buffers. What it writes is queued in [`Outbound`](crate::outbound::Outbound).

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::web::Payload;
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::Stream;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::sleep;
use web::Taken;

use super::Worker;
use super::reassembly::Reassembly;
use crate::connection::{Connection, Incoming, read};
use crate::gateway::Gateway;
use crate::outbound::{Outbound, Written};

/// How long a client may take to close its side: closing a stream that has something unread would take
/// back the last bytes that were written.
const LINGER: Duration = Duration::from_secs(1);
const READ_BYTES: usize = 32 * 1024;

thread_local! {
    /// What is read lies here until it is taken apart, so that no socket needs a buffer of its own.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// Accepts the handshake, with the first subprotocol that both sides know.
pub fn handshake(
    request: &HttpRequest,
    payload: Payload,
    protocols: &[&str],
) -> Result<HttpResponse<()>, Error> {
    let (answer, _, _) = actix_ws::handle_with_protocols(request, payload, protocols)?;
    Ok(answer.drop_body())
}

/// Ties the WebSocket of an accepted handshake to a connection. `first` comes before its messages.
pub fn open(
    worker: &Worker,
    connection: &Arc<Connection>,
    ticket: u32,
    answer: HttpResponse<()>,
    first: impl Future<Output = ()> + 'static,
) -> HttpResponse {
    let (gateway, connection) = (Arc::clone(&worker.gateway), Arc::clone(connection));
    let answer = web::take_over(answer, move |taken| {
        let tracker = gateway.platform.farewells.clone();
        actix_web::rt::spawn(tracker.track_future(serve(gateway, connection, ticket, taken, first)));
    });
    answer.map_into_boxed_body()
}

/// Reads and writes until both are done; a client that does not end its side is waited for a moment.
///
/// Inputs: the stream, what is queued for the connection. It ends when the client has gone, and soon
/// after the connection has ended or has given this WebSocket up.
async fn serve(
    gateway: Arc<Gateway>,
    connection: Arc<Connection>,
    ticket: u32,
    Taken { stream, received, answer }: Taken,
    first: impl Future<Output = ()>,
) {
    let outbound = &connection.outbound;
    outbound.begin(ticket, answer);
    let reading = async {
        Box::pin(first).await;
        let limit = gateway.settings.gateway_max_frame_bytes;
        let frames = Frames { stream: &stream, reassembly: Reassembly::new(received, limit) };
        read(&gateway, &connection, ticket, frames).await;
    };
    let over = async {
        // The task is woken for its writing when this changes.
        poll_fn(|_| if outbound.is_over(ticket) { Poll::Ready(()) } else { Poll::Pending }).await;
        Box::pin(sleep(LINGER)).await;
    };
    tokio::select! {
        _ = async { tokio::join!(reading, write(&stream, outbound, ticket)) } => {}
        () = over => {}
    }
}

/// Writes what is queued; the stream's error, if it breaks, is read as well.
async fn write(stream: &TcpStream, outbound: &Outbound, ticket: u32) -> io::Result<()> {
    poll_fn(|cx| {
        loop {
            match outbound.write_queued(ticket, cx, |pieces| stream.try_write_vectored(pieces))? {
                Written::All => return Poll::Pending,
                Written::Blocked => ready!(stream.poll_write_ready(cx))?,
                Written::Ended => return Poll::Ready(io::Result::Ok(())),
            }
        }
    })
    .await?;
    SockRef::from(stream).shutdown(Shutdown::Write)
}

/// The messages that come in on a stream.
struct Frames<'a> {
    stream: &'a TcpStream,
    reassembly: Reassembly,
}

impl Stream for Frames<'_> {
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
