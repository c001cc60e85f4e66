//! The checks of the public suites of the protocols, on the echo server that they need.

use std::time::{Duration, Instant};

use clap::Parser;
use contracts::Clock;
use futures_util::{SinkExt, StreamExt};
use http::{Http, Server};
use platform::Platform;
use testing::{Client, Method};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use ws_gateway::conformance::Suite;
use ws_gateway::{Config, State};

const INTERVAL: Duration = Duration::from_millis(300);
const TIMEOUT: Duration = Duration::from_millis(200);

struct Echo {
    platform: Platform,
    client: Client,
    path: &'static str,
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.platform.lifecycle().stop.cancel();
    }
}

impl Echo {
    async fn start(suite: Suite, path: &'static str) -> Self {
        let arguments = [
            "echo",
            "--host",
            "127.0.0.1",
            "--workers",
            "1",
            "--redis-url",
            "memory:",
            "--jwt-access-secret",
            "unused",
            "--gateway-ping-interval-ms",
            "300",
            "--gateway-ping-timeout-ms",
            "200",
            "--gateway-recovery-seconds",
            "0",
        ];
        let Config { process, http, keys, settings, redis_url, .. } = Config::parse_from(arguments);
        let platform =
            Platform::connect("echo", process, &keys, &redis_url, vec![], Clock::system()).unwrap();
        let http = Http::new(http, &platform).unwrap();
        let state = State::for_conformance(platform.clone(), settings, suite).unwrap();
        platform.spawn(
            "ws-gateway",
            ws_gateway::run_background(state.clone(), platform.lifecycle().served.clone()),
        );
        let server = Server::bind(platform.clone(), http, 0, ws_gateway::routes(state)).unwrap();
        let client = Client::new(format!("http://{}", server.address()));
        tokio::task::spawn_local(server.run());
        Self { platform, client, path }
    }

    fn url(&self, transport: &str) -> String {
        format!("{}?EIO=4&transport={transport}", self.path)
    }

    async fn session(&self) -> String {
        let open = self.client.get(&self.url("polling")).await.text;
        let open: serde_json::Value = serde_json::from_str(&open[1..]).unwrap();
        format!("{}&sid={}", self.url("polling"), open["sid"].as_str().unwrap())
    }

    async fn post(&self, session: &str, body: &'static str) -> String {
        self.client.send(self.client.request(Method::POST, session).body(body)).await.text
    }

    /// Sends on a WebSocket and gives as many answers as are asked for, pings aside.
    async fn exchange(&self, messages: Vec<Message>, answers: usize) -> Vec<Message> {
        let url = format!("{}{}", self.client.base(), self.url("websocket")).replace("http://", "ws://");
        let (mut socket, _) = connect_async(url).await.unwrap();
        socket.next().await.unwrap().unwrap();
        for message in messages {
            socket.send(message).await.unwrap();
        }
        let mut got = Vec::new();
        while got.len() < answers {
            let message = socket.next().await.unwrap().unwrap();
            if message != Message::text("2") {
                got.push(message);
            }
        }
        got
    }
}

#[actix_web::test]
async fn messages_are_echoed_on_both_transports() {
    let echo = Echo::start(Suite::EngineIo, "/engine.io/").await;
    for payload in ["4hello", "4test1\u{1e}4test2\u{1e}4test3", "4hello\u{1e}bAQIDBA==", "4€"] {
        let session = echo.session().await;
        assert_eq!(echo.post(&session, payload).await, "ok");
        assert_eq!(echo.client.get(&session).await.text, payload);
    }
    let messages = vec![Message::text("4hello"), Message::binary(vec![1, 2, 3, 4])];
    assert_eq!(echo.exchange(messages.clone(), 2).await, messages);
}

#[actix_web::test]
async fn a_session_that_does_not_answer_ends_when_its_client_was_told() {
    let echo = Echo::start(Suite::EngineIo, "/engine.io/").await;
    let session = echo.session().await;
    let opened = Instant::now();
    assert_eq!(echo.client.get(&session).await.text, "2");
    assert!(opened.elapsed() >= INTERVAL - Duration::from_millis(20), "{:?}", opened.elapsed());
    while echo.post(&session, "6").await == "ok" {}
    let lived = opened.elapsed();
    assert!(lived >= INTERVAL + TIMEOUT - Duration::from_millis(50), "{lived:?}");
    assert_eq!(echo.client.get(&session).await.json()["code"], 1);
}

#[actix_web::test]
async fn a_session_that_answers_lives() {
    let echo = Echo::start(Suite::EngineIo, "/engine.io/").await;
    let session = echo.session().await;
    for _ in 0..3 {
        assert_eq!(echo.client.get(&session).await.text, "2");
        assert_eq!(echo.post(&session, "3").await, "ok");
    }
}

#[actix_web::test]
async fn an_upgrade_releases_the_waiting_get_and_closes_the_other_ways_in() {
    let echo = Echo::start(Suite::EngineIo, "/engine.io/").await;
    let session = echo.session().await;
    let url = format!("{}{session}", echo.client.base()).replace("http://", "ws://");
    let url = url.replace("transport=polling", "transport=websocket");
    let (mut socket, _) = connect_async(&url).await.unwrap();
    socket.send(Message::text("2probe")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("3probe"));
    assert_eq!(echo.client.get(&session).await.text, "6");
    socket.send(Message::text("5")).await.unwrap();
    socket.send(Message::text("4hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("4hello"));
    assert_eq!(echo.client.get(&session).await.status, 400);
    assert_eq!(echo.client.send(echo.client.request(Method::POST, &session).body("4x")).await.status, 400);
    let (mut second, _) = connect_async(&url).await.unwrap();
    second.send(Message::text("2probe")).await.unwrap();
    let answer = second.next().await.unwrap().unwrap();
    assert!(matches!(answer, Message::Close(Some(frame)) if u16::from(frame.code) == 1000));
    socket.send(Message::text("4still here")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("4still here"));
}

#[actix_web::test]
async fn socket_io_packets_are_answered_to_the_letter() {
    let echo = Echo::start(Suite::SocketIo, "/socket.io/").await;
    let texts = async |messages: &[&str]| {
        let sent = messages.iter().map(|text| Message::text(*text)).collect();
        let got = echo.exchange(sent, messages.len() + 1).await;
        got.into_iter().map(|message| message.into_text().unwrap().to_string()).collect::<Vec<_>>()
    };
    for (connect, accepted, auth) in [
        ("40", "40{\"sid\":", "42[\"auth\",{}]"),
        ("40{\"token\":\"123\"}", "40{\"sid\":", "42[\"auth\",{\"token\":\"123\"}]"),
        ("40/custom,", "40/custom,{\"sid\":", "42/custom,[\"auth\",{}]"),
        ("40/custom", "40/custom,{\"sid\":", "42/custom,[\"auth\",{}]"),
    ] {
        let got = texts(&[connect]).await;
        assert!(got[0].starts_with(accepted) && !got[0].contains("pid"), "{got:?}");
        assert_eq!(got[1], auth);
    }
    for (message, answer) in [
        ("42[\"message\",1,\"2\",{\"3\":[true]}]", "42[\"message-back\",1,\"2\",{\"3\":[true]}]"),
        ("42456[\"message-with-ack\",1,\"2\"]", "43456[1,\"2\"]"),
    ] {
        assert_eq!(texts(&["40", message]).await[2], answer);
    }
    let refused = echo.exchange(vec![Message::text("40/random")], 1).await;
    assert_eq!(refused, [Message::text("44/random,{\"message\":\"Invalid namespace\"}")]);
    let left = texts(&["40", "40/custom", "41/custom", "42[\"message\",\"to main\"]"]).await;
    assert_eq!(left[4], "42[\"message-back\",\"to main\"]");
}

#[actix_web::test]
async fn binary_events_and_acks_come_back_with_their_attachments() {
    let echo = Echo::start(Suite::SocketIo, "/socket.io/").await;
    let places = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    for (sent, expected) in [
        (format!("452-[\"message\",{places}"), format!("452-[\"message-back\",{places}")),
        (format!("452-789[\"message-with-ack\",{places}"), format!("462-789[{places}")),
    ] {
        let data = [Message::binary(vec![1, 2, 3]), Message::binary(vec![4, 5, 6])];
        let messages = [vec![Message::text("40"), Message::text(sent)], data.to_vec()].concat();
        let got = echo.exchange(messages, 5).await;
        assert_eq!(got[2], Message::text(expected));
        assert_eq!(got[3..], data);
    }
}
