//! A Socket.IO client of a few lines, on a WebSocket: what it sends and gets can be seen as it is.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use testing::LIMIT;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::app::Gateway;

const SILENCE: Duration = Duration::from_millis(300);

pub(crate) struct Stock {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The handshake of Engine.IO.
    pub open: Value,
    /// The answer to the last `CONNECT`.
    pub connected: Value,
    passed_over: VecDeque<String>,
}

/// The cause of a connection's end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed(pub Option<u16>);

impl Stock {
    pub(crate) async fn open(gateway: &Gateway) -> Self {
        Self::open_with(gateway, "").await
    }

    /// With more in the query, such as `&token=…`.
    pub(crate) async fn open_with(gateway: &Gateway, query: &str) -> Self {
        Self::try_open(&gateway.ws(""), query).await.unwrap()
    }

    /// `None` if the line is down. `base` is `ws://host:port`.
    pub(crate) async fn try_open(base: &str, query: &str) -> Option<Self> {
        let url = format!("{base}/socket.io/?EIO=4&transport=websocket{query}");
        let (stream, _) = connect_async(url).await.ok()?;
        let (open, connected) = (Value::Null, Value::Null);
        let mut stock = Self { stream, open, connected, passed_over: VecDeque::new() };
        let open = stock.text().await.ok()?;
        stock.open = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        Some(stock)
    }

    /// Joins a namespace, and waits for `connection.authorized`.
    pub(crate) async fn join(&mut self, namespace: &str, token: &str) -> Value {
        self.connect(namespace, &json!({ "token": token })).await;
        let (kind, answer) = self.answer(namespace).await;
        assert_eq!(kind, '0', "{answer}");
        self.connected = answer;
        self.event(namespace, "connection.authorized").await
    }

    /// The `data` of the refusal to join.
    pub(crate) async fn refusal(&mut self, namespace: &str, auth: &Value) -> Value {
        self.connect(namespace, auth).await;
        let (kind, answer) = self.answer(namespace).await;
        assert_eq!(kind, '4', "{answer}");
        answer
    }

    async fn connect(&mut self, namespace: &str, auth: &Value) {
        self.send(&format!("40{}{auth}", address(namespace))).await;
    }

    async fn answer(&mut self, namespace: &str) -> (char, Value) {
        let text = self.text().await.unwrap();
        let kind = text.chars().nth(1).unwrap();
        let body = text[2..].strip_prefix(&address(namespace)).unwrap();
        (kind, serde_json::from_str(body).unwrap())
    }

    pub(crate) async fn emit(&mut self, namespace: &str, name: &str, args: &[Value]) {
        let values: Vec<Value> = std::iter::once(json!(name)).chain(args.iter().cloned()).collect();
        self.send(&format!("42{}{}", address(namespace), json!(values))).await;
    }

    /// Emits and waits for the acknowledgement.
    pub(crate) async fn ask(&mut self, namespace: &str, name: &str, args: &[Value]) -> Value {
        let values: Vec<Value> = std::iter::once(json!(name)).chain(args.iter().cloned()).collect();
        self.send(&format!("42{}7{}", address(namespace), json!(values))).await;
        let start = format!("43{}7", address(namespace));
        let answer = self.until(|text| text.strip_prefix(&start).map(str::to_owned)).await;
        serde_json::from_str::<Value>(&answer).unwrap()[0].take()
    }

    /// The next event of that name: its first argument. Others before it are kept.
    pub(crate) async fn event(&mut self, namespace: &str, name: &str) -> Value {
        self.event_args(namespace, name).await[0].take()
    }

    /// All arguments of the next event of that name.
    pub(crate) async fn event_args(&mut self, namespace: &str, name: &str) -> Value {
        let start = format!("42{}[", address(namespace));
        self.until(|text| {
            text.strip_prefix(&start)?;
            let mut values: Vec<Value> = serde_json::from_str(&text[start.len() - 1..]).unwrap();
            (values.remove(0) == name).then_some(Value::Array(values))
        })
        .await
    }

    async fn until<T>(&mut self, mut wanted: impl FnMut(&str) -> Option<T>) -> T {
        if let Some((index, found)) =
            self.passed_over.iter().enumerate().find_map(|(index, text)| Some((index, wanted(text)?)))
        {
            self.passed_over.remove(index);
            return found;
        }
        loop {
            match self.text().await {
                Ok(text) => match wanted(&text) {
                    Some(found) => return found,
                    None => self.passed_over.push_back(text),
                },
                Err(closed) => panic!("{closed:?}; got {:?}", self.passed_over),
            }
        }
    }

    /// The next packet, pings answered.
    pub(crate) async fn text(&mut self) -> Result<String, Closed> {
        loop {
            let next = timeout(LIMIT, self.stream.next()).await.unwrap();
            match next {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => self.send("3").await,
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(frame))) => return Err(Closed(frame.map(|frame| frame.code.into()))),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Closed(None)),
            }
        }
    }

    /// Waits for the end; every packet before it.
    pub(crate) async fn closed(&mut self) -> (Vec<String>, Closed) {
        let mut before: Vec<String> = self.passed_over.drain(..).collect();
        loop {
            match self.text().await {
                Ok(text) => before.push(text),
                Err(closed) => return (before, closed),
            }
        }
    }

    pub(crate) async fn assert_silence(&mut self) {
        assert!(self.passed_over.is_empty(), "{:?}", self.passed_over);
        let next = timeout(SILENCE, self.text()).await;
        assert!(next.is_err(), "expected silence, got {next:?}");
    }

    pub(crate) async fn send(&mut self, packet: &str) {
        // A line that has broken is seen when the answer is read.
        self.stream.send(Message::text(packet)).await.ok();
    }

    pub(crate) async fn send_binary(&mut self, data: &[u8]) {
        self.stream.send(Message::binary(data.to_vec())).await.unwrap();
    }
}

fn address(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}
