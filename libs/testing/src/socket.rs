use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::waiting::LIMIT;

/// Time without a message that counts as silence.
const SILENCE: Duration = Duration::from_millis(300);

/// A WebSocket client whose messages are JSON objects with a `type`.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connects to `ws://…`. Panics if the server refuses.
    pub async fn connect(url: &str) -> Self {
        Self::connect_with(url, &[]).await
    }

    /// Connects with further headers (`authorization`, `origin`, `sec-websocket-protocol`).
    pub async fn connect_with(url: &str, headers: &[(&str, &str)]) -> Self {
        match Self::try_connect(url, headers).await {
            Ok(socket) => socket,
            Err(status) => panic!("{url} refused the handshake with {status}"),
        }
    }

    /// Connects, or returns the status with which the server refused the handshake.
    pub async fn try_connect(url: &str, headers: &[(&str, &str)]) -> Result<Self, StatusCode> {
        let mut request = url.into_client_request().expect("a well-formed ws:// URL");
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a well-formed header name");
            request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header value"));
        }
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("no WebSocket at {url}: {error}"),
        }
    }

    /// Sends one JSON message.
    pub async fn send(&mut self, message: &Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    /// Sends one raw frame to a server that may have closed the socket. Returns false if it has.
    pub async fn try_send_raw(&mut self, message: Message) -> bool {
        self.stream.send(message).await.is_ok()
    }

    /// Sends one raw frame: broken JSON, binary, pings.
    pub async fn send_raw(&mut self, message: Message) {
        self.stream.send(message).await.expect("the socket is open");
    }

    /// Returns the next message of any type.
    pub async fn next(&mut self) -> Value {
        match self.next_within(LIMIT).await {
            Some(Received::Message(message)) => message,
            Some(Received::Closed(code)) => panic!("the socket was closed with {code:?}"),
            None => panic!("waited {LIMIT:?} in vain for a message"),
        }
    }

    /// Returns the next message of this type, and skips others before it.
    pub async fn next_event(&mut self, kind: &str) -> Value {
        let mut others = Vec::new();
        loop {
            match self.next_within(LIMIT).await {
                Some(Received::Message(message)) if message["type"] == kind => return message,
                Some(Received::Message(message)) => others.push(message),
                Some(Received::Closed(code)) => panic!("closed with {code:?} before {kind}; got {others:?}"),
                None => panic!("waited {LIMIT:?} in vain for {kind}; got {others:?}"),
            }
        }
    }

    /// Asserts that no message arrives for a while.
    pub async fn assert_silence(&mut self) {
        match self.next_within(SILENCE).await {
            None => {}
            Some(Received::Message(message)) => panic!("expected silence, got {message}"),
            Some(Received::Closed(code)) => panic!("expected silence, was closed with {code:?}"),
        }
    }

    /// Waits until the socket closes, and skips messages. Returns the close code, or `None` if the connection
    /// broke.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.next_within(LIMIT).await {
                Some(Received::Closed(code)) => return code,
                Some(Received::Message(_)) => {}
                None => panic!("waited {LIMIT:?} in vain for the socket to be closed"),
            }
        }
    }

    /// Closes the socket and waits for the server's close frame.
    pub async fn close(mut self) {
        self.stream.close(None).await.ok();
        self.closed().await;
    }

    /// Returns the next frame; `None` if none arrives in time.
    async fn next_within(&mut self, limit: Duration) -> Option<Received> {
        let next = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let message = serde_json::from_str(&text);
                        return Received::Message(message.unwrap_or_else(|_| panic!("not JSON: {text}")));
                    }
                    Some(Ok(Message::Close(frame))) => {
                        return Received::Closed(frame.map(|frame| frame.code.into()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Received::Closed(None),
                }
            }
        };
        timeout(limit, next).await.ok()
    }
}

enum Received {
    Message(Value),
    Closed(Option<u16>),
}
