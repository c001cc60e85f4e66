//! Input that is wrong in every way: a documented refusal or close code, counted, and nobody else disturbed.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;
use testing::{Backend, Method, Socket, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::app::App;
use crate::client::Transport;
use crate::stock::{Closed, Stock};

const WEB_SOCKETS: [&str; 2] = ["/ws", "/socket.io/?EIO=4&transport=websocket"];
/// Many messages of one user are not what is tested here.
const UNLIMITED: [&str; 2] = ["--gateway-messages-per-second", "100000"];

/// Others at the same gateway, who must notice nothing.
struct Bystanders {
    plain: Socket,
    stock: Stock,
}

impl Bystanders {
    async fn of(app: &App) -> Self {
        let (plain, stock) = (app.plain(&app.token("bob")).await, app.stock("/", &app.token("bob")).await);
        Self { plain, stock }
    }

    async fn notice_nothing(mut self, app: &App) {
        app.publish("ws:user:bob", None, json!({ "still": "here" })).await;
        assert_eq!(self.plain.next().await["payload"], json!({ "still": "here" }));
        assert_eq!(self.stock.text().await, Ok(r#"42["ws:user:bob",{"still":"here"}]"#.into()));
        assert_eq!(self.stock.ask("/", "subscribe:drifts", &[]).await["success"], true);
        self.plain.assert_silence().await;
        self.stock.assert_silence().await;
    }
}

async fn ended(app: &App, code: u16) -> f64 {
    app.metric(&format!("ws_disconnects_total{{code=\"{code}\"}}")).await
}

/// A line on which a WebSocket was asked for, to be written to byte by byte.
async fn raw(app: &App, path: &str) -> TcpStream {
    let address = app.client.base().strip_prefix("http://").unwrap().to_owned();
    let mut line = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
    );
    line.write_all(request.as_bytes()).await.unwrap();
    line
}

/// A masked frame; the mask is zero.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    if let Ok(short @ 0..126) = u8::try_from(payload.len()) {
        frame.push(0x80 | short);
    } else {
        frame.push(0x80 | 126);
        frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[actix_web::test]
async fn random_bytes_end_their_own_connection_only() {
    let app = App::start_with(Backend::Memory, &UNLIMITED).await;
    let bystanders = Bystanders::of(&app).await;
    let mut runner = TestRunner::deterministic();
    let noise = prop::collection::vec(any::<u8>(), 1..400);
    for round in 0..200 {
        let mut line = raw(&app, WEB_SOCKETS[round % 2]).await;
        let bytes = noise.new_tree(&mut runner).unwrap().current();
        line.write_all(&bytes).await.ok();
        line.shutdown().await.ok();
        line.read_to_end(&mut Vec::new()).await.ok();
    }
    let counted = async || ended(&app, 1006).await + ended(&app, 4400).await + ended(&app, 4413).await;
    eventually("all to be counted", async || counted().await + ended(&app, 1005).await == 200.0).await;
    bystanders.notice_nothing(&app).await;
}

#[actix_web::test]
async fn random_text_ends_its_own_connection_only() {
    let app = App::start_with(Backend::Memory, &UNLIMITED).await;
    let bystanders = Bystanders::of(&app).await;
    let mut runner = TestRunner::deterministic();
    // What begins well gets furthest.
    let texts = r#"(4?[0-6]?[0-9]{0,2}-?(/[a-z]{0,9},)?[0-9]{0,3})?[\[\{"a-z:,0-9\]\}\\]{0,30}"#;
    let texts = prop::string::string_regex(texts).unwrap();
    let token = app.token("alice");
    for round in 0..200 {
        let transport = Transport::ALL[round % 3];
        let mut client = transport.join(&app, &token).await;
        for _ in 0..3 {
            client.say(&texts.new_tree(&mut runner).unwrap().current()).await;
        }
        client.say("not this either: neither a packet nor a message").await;
        client.ended().await;
    }
    let counted = async || ended(&app, 4400).await + ended(&app, 1005).await;
    eventually("all to be counted", async || counted().await == 200.0).await;
    bystanders.notice_nothing(&app).await;
}

#[actix_web::test]
async fn a_frame_that_is_cut_short_is_a_broken_line() {
    let app = App::start(Backend::Memory).await;
    let bystanders = Bystanders::of(&app).await;
    let whole = frame(0x81, &[b'4'; 300]);
    for (round, length) in [1, 2, 3, 5, 8, 9, 100, 307].into_iter().enumerate() {
        let mut line = raw(&app, WEB_SOCKETS[round % 2]).await;
        line.write_all(&whole[..length]).await.unwrap();
        line.shutdown().await.unwrap();
        line.read_to_end(&mut Vec::new()).await.ok();
    }
    eventually("all to be counted", async || ended(&app, 1006).await == 8.0).await;
    bystanders.notice_nothing(&app).await;
}

#[actix_web::test]
async fn fragments_count_together_for_the_limit() {
    let app = App::start(Backend::Memory).await;
    let bystanders = Bystanders::of(&app).await;
    for path in WEB_SOCKETS {
        let mut line = raw(&app, path).await;
        line.write_all(&frame(0x01, &[b'4'; 60_000])).await.unwrap();
        line.write_all(&frame(0x00, &[b'4'; 60_000])).await.ok();
        line.read_to_end(&mut Vec::new()).await.ok();
    }
    eventually("both to be counted", async || ended(&app, 4413).await == 2.0).await;
    bystanders.notice_nothing(&app).await;
}

#[actix_web::test]
async fn json_that_is_too_deep_is_a_bad_message() {
    let app = App::start(Backend::Memory).await;
    let bystanders = Bystanders::of(&app).await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let token = app.token("alice");
    for transport in Transport::ALL {
        let messages = match transport {
            Transport::Plain => vec![
                deep.clone(),
                format!(r#"{{"type":"ping","id":{deep}}}"#),
                format!(r#"{{"type":"ping","more":{deep}}}"#),
            ],
            _ => vec![
                format!("42[\"x\",{deep}]"),
                format!("431{deep}"),
                format!("40/dashboard,{{\"a\":{deep}}}"),
            ],
        };
        for message in messages {
            let mut client = transport.join(&app, &token).await;
            client.say(&message).await;
            let code = client.ended().await;
            assert_eq!(code, (transport != Transport::Polling).then_some(4400), "{transport:?}");
        }
    }
    assert_eq!(ended(&app, 4400).await, 9.0);
    bystanders.notice_nothing(&app).await;
}

#[actix_web::test]
async fn an_ack_that_nobody_asked_for_is_nothing_and_one_that_is_none_ends_the_connection() {
    let app = App::start_with(Backend::Memory, &UNLIMITED).await;
    let bystanders = Bystanders::of(&app).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    for ack in ["430[]", "437[1]", "4318446744073709551615[]", "460-3[]"] {
        stock.send(ack).await;
    }
    stock.send("461-3[{\"_placeholder\":true,\"num\":0}]").await;
    stock.send_binary(&[1]).await;
    assert_eq!(stock.ask("/", "subscribe:drifts", &[]).await["success"], true);
    for ack in
        ["43", "43[]", "431", "431{}", "4318446744073709551616[]", "43/elsewhere,1[]", "461-[]", "46-1[]"]
    {
        let mut stock = app.stock("/", &app.token("alice")).await;
        stock.send(ack).await;
        assert_eq!(stock.closed().await.1, Closed(Some(4400)), "{ack}");
    }
    assert_eq!(ended(&app, 4400).await, 8.0);
    bystanders.notice_nothing(&app).await;
}

#[actix_web::test]
async fn ten_megabytes_by_polling_are_refused_whether_they_say_so_or_not() {
    let app = App::start(Backend::Memory).await;
    let bystanders = Bystanders::of(&app).await;
    let mut client = Transport::Polling.join(&app, &app.token("alice")).await;
    let crate::client::Client::Polling(http, path) = &client else { unreachable!() };
    let announced = http.send(http.request(Method::POST, path).body("4".repeat(10 << 20))).await;
    assert_eq!(announced.status, 413);

    let address = app.client.base().strip_prefix("http://").unwrap();
    let mut line = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ntransfer-encoding: chunked\r\n\r\n");
    line.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, "4".repeat(1 << 16));
    for _ in 0..160 {
        // It may have hung up already.
        if line.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = [0; 12];
    line.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");

    assert_eq!(app.metric("ws_messages_dropped_total{reason=\"too_large\"}").await, 2.0);
    client.say_goodbye().await;
    client.ended().await;
    bystanders.notice_nothing(&app).await;
}

#[actix_web::test]
async fn binary_where_text_is_due_is_a_bad_message() {
    let app = App::start(Backend::Memory).await;
    let bystanders = Bystanders::of(&app).await;
    let mut plain = app.plain(&app.token("alice")).await;
    plain.send_raw(Message::binary(b"{\"type\":\"ping\"}".to_vec())).await;
    assert_eq!(plain.closed().await, Some(4400));
    let mut stock = app.stock("/", &app.token("alice")).await;
    stock.send("451-[\"x\",{\"_placeholder\":true,\"num\":0}]").await;
    stock.send("42[\"text before the attachment\"]").await;
    assert_eq!(stock.closed().await.1, Closed(Some(4400)));
    assert_eq!(ended(&app, 4400).await, 2.0);
    bystanders.notice_nothing(&app).await;
}
