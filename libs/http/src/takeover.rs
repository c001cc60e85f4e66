//! Connections that leave HTTP. An upgrade is routed, logged and counted like every request. If the response
//! names a handler for the connection, the handler gets the TCP stream, and HTTP's state for it is freed.

use std::rc::Rc;

use actix_http::body::{BodySize, BoxBody, MessageBody, to_bytes};
use actix_http::{ConnectionType, Request, Response, h1};
use actix_web::HttpResponse;
use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::codec::Encoder;

use crate::bare_errors::Connection;

/// The parts of a connection that its new handler gets.
pub struct Taken {
    pub stream: TcpStream,
    /// Bytes that the client sent after its request.
    pub received: BytesMut,
    /// The head of the response, which must be written before anything else.
    pub answer: Bytes,
}

struct TakeOver(Box<dyn FnOnce(Taken)>);

/// Passes the connection to `by` once its request is answered with `answer`, a 101.
///
/// Only a request with `Upgrade: websocket` can be taken over.
pub fn take_over<B>(mut answer: HttpResponse<B>, by: impl FnOnce(Taken) + 'static) -> HttpResponse<B> {
    answer.extensions_mut().insert(TakeOver(Box::new(by)));
    answer
}

/// The connection of an upgrade, as HTTP/1 releases it.
pub(crate) type Framed = actix_codec::Framed<Connection, h1::Codec>;

/// Answers an upgrade with `app`, and then passes its connection on or closes it.
pub(crate) async fn serve<S, B>(app: Rc<S>, request: Request, framed: Framed) -> Result<(), actix_web::Error>
where
    S: actix_service::Service<Request, Response = actix_web::dev::ServiceResponse<B>>,
    S::Error: Into<actix_web::Error>,
    B: MessageBody + 'static,
{
    let answer = app.call(request).await.map_err(Into::into)?;
    let mut answer = answer.map_into_boxed_body().into_parts().1;
    let by = answer.extensions_mut().remove::<TakeOver>();
    let (mut head, body) = Response::from(answer).into_parts();
    let mut parts = framed.into_parts();
    if let Some(TakeOver(by)) = by {
        parts.codec.encode(h1::Message::Item((head, BodySize::None)), &mut parts.write_buf)?;
        let (received, answer) = (parts.read_buf, parts.write_buf.freeze());
        by(Taken { stream: parts.io.into_stream(), received, answer });
        return Ok(());
    }
    head.head_mut().set_connection_type(ConnectionType::Close);
    refuse(parts.io, parts.codec, parts.write_buf, head, body).await
}

async fn refuse(
    mut stream: Connection,
    mut codec: h1::Codec,
    mut written: BytesMut,
    head: Response<()>,
    body: BoxBody,
) -> Result<(), actix_web::Error> {
    let body = to_bytes(body).await.map_err(actix_web::error::ErrorInternalServerError)?;
    let size = BodySize::Sized(body.len() as u64);
    codec.encode(h1::Message::Item((head, size)), &mut written)?;
    if !body.is_empty() {
        codec.encode(h1::Message::Chunk(Some(body)), &mut written)?;
    }
    stream.write_all(&written).await?;
    stream.shutdown().await?;
    Ok(())
}
