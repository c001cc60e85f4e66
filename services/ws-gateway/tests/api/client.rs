//! A client on any of the three transports, as far as its coming and going needs it.

use serde_json::{Value, json};
use testing::{Method, Socket, eventually};
use tokio_tungstenite::tungstenite::Message;

use crate::app::Gateway;
use crate::stock::{Closed, Stock};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// `/ws`.
    Plain,
    WebSocket,
    Polling,
}

pub(crate) enum Client {
    Plain(Socket),
    WebSocket(Stock),
    Polling(testing::Client, String),
}

impl Transport {
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::WebSocket, Self::Polling];

    /// As metrics name it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::WebSocket => "websocket",
            Self::Polling => "polling",
        }
    }

    /// A client that has shown no token yet.
    pub(crate) async fn open(self, gateway: &Gateway) -> Client {
        match self {
            Self::Plain => Client::Plain(Socket::connect(&gateway.ws("/ws")).await),
            Self::WebSocket => Client::WebSocket(Stock::open(gateway).await),
            Self::Polling => {
                let path = "/socket.io/?EIO=4&transport=polling";
                let open = gateway.client.get(path).await.text;
                let open: Value = serde_json::from_str(&open[1..]).unwrap();
                Client::Polling(
                    gateway.client.clone(),
                    format!("{path}&sid={}", open["sid"].as_str().unwrap()),
                )
            }
        }
    }

    /// A client that was let in.
    pub(crate) async fn join(self, gateway: &Gateway, token: &str) -> Client {
        let mut client = self.open(gateway).await;
        client.show(token).await;
        match &mut client {
            Client::Plain(socket) => drop(socket.next_event("connection.authorized").await),
            Client::WebSocket(stock) => drop(stock.event("/", "connection.authorized").await),
            Client::Polling(http, path) => {
                eventually("connection.authorized", async || {
                    http.get(path).await.text.contains("connection.authorized")
                })
                .await;
            }
        }
        client
    }
}

impl Client {
    /// Shows a token; the answer is not waited for.
    pub(crate) async fn show(&mut self, token: &str) {
        let auth = json!({ "token": token });
        match self {
            Self::Plain(socket) => socket.send(&json!({ "type": "auth", "token": token })).await,
            Self::WebSocket(stock) => stock.send(&format!("40{auth}")).await,
            Self::Polling(..) => self.say(&format!("40{auth}")).await,
        }
    }

    /// Sends text as it is; after the end it finds nobody.
    pub(crate) async fn say(&mut self, text: &str) {
        match self {
            Self::Plain(socket) => drop(socket.try_send_raw(Message::text(text)).await),
            Self::WebSocket(stock) => stock.send(text).await,
            Self::Polling(http, path) => {
                http.send(http.request(Method::POST, path).body(text.to_owned())).await;
            }
        }
    }

    /// Sends a message that means nothing but counts.
    pub(crate) async fn chat(&mut self) {
        let text = match self {
            Self::Plain(_) => r#"{"type":"ping"}"#,
            Self::WebSocket(_) | Self::Polling(..) => r#"42["nothing"]"#,
        };
        self.say(text).await;
    }

    pub(crate) async fn say_goodbye(&mut self) {
        match self {
            Self::Plain(socket) => socket.send_raw(Message::Close(None)).await,
            Self::WebSocket(_) | Self::Polling(..) => self.say("1").await,
        }
    }

    /// Reads to the end: the close code, which polling does not have.
    pub(crate) async fn ended(&mut self) -> Option<u16> {
        match self {
            Self::Plain(socket) => socket.closed().await,
            Self::WebSocket(stock) => {
                let (_, Closed(code)) = stock.closed().await;
                code
            }
            Self::Polling(http, path) => {
                eventually("the end of the session", async || {
                    let answer = http.get(path).await;
                    answer.status == 400 || answer.text.ends_with('1')
                })
                .await;
                None
            }
        }
    }

    /// The code of a refusal: that of a `connect_error`, or the close code.
    pub(crate) async fn refusal(&mut self) -> String {
        let packet = match self {
            Self::Plain(socket) => return socket.closed().await.unwrap().to_string(),
            Self::WebSocket(stock) => stock.text().await.unwrap(),
            Self::Polling(http, path) => http.get(path).await.text,
        };
        let error = packet.strip_prefix("44").unwrap_or_else(|| panic!("no refusal: {packet}"));
        let error: Value = serde_json::from_str(error).unwrap();
        error["data"]["code"].as_str().unwrap().into()
    }
}
