//! The ends of connections: each with its code, counted once.

use serde_json::json;
use testing::{Backend, Socket, eventually};

use crate::app::App;
use crate::stock::{Closed, Stock};

async fn ended(app: &App, code: &str) -> f64 {
    app.metric(&format!("ws_disconnects_total{{code=\"{code}\"}}")).await
}

#[actix_web::test]
async fn a_gateway_that_stops_tells_its_clients_so() {
    let app = App::start(Backend::Memory).await;
    let mut plain = app.plain(&app.token("alice")).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    app.platform.lifecycle().stop.cancel();
    assert!(plain.next_event("server.draining").await["payload"]["reconnectAfterMs"].is_u64());
    assert_eq!(plain.closed().await, Some(1001));
    let (packets, closed) = stock.closed().await;
    assert_eq!(packets, [r#"42["server.draining",{"reconnectAfterMs":0}]"#], "and no DISCONNECT");
    assert_eq!(closed, Closed(Some(1001)));
}

#[actix_web::test]
async fn a_client_that_leaves_is_answered_and_counted() {
    let app = App::start(Backend::Memory).await;
    app.plain(&app.token("alice")).await.close().await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    stock.send("1").await;
    assert_eq!(stock.closed().await.1, Closed(Some(1000)));
    eventually("both to be counted", async || ended(&app, "1005").await == 2.0).await;
    assert_eq!(app.metric("ws_connections ").await, 0.0);
}

#[actix_web::test]
async fn a_line_that_breaks_is_counted_as_broken() {
    let app = App::start(Backend::Memory).await;
    drop(app.plain(&app.token("alice")).await);
    drop(app.stock("/", &app.token("alice")).await);
    eventually("both to be counted", async || ended(&app, "1006").await == 2.0).await;
    assert_eq!(app.metric("ws_connections ").await, 0.0);
}

#[actix_web::test]
async fn a_thousand_connections_that_say_nothing_are_closed_and_disturb_nobody() {
    let app = App::start_with(Backend::Memory, &["--gateway-handshake-seconds", "1"]).await;
    let mut client = app.plain(&app.token("alice")).await;
    let mut idle = Vec::new();
    for index in 0..1_000 {
        match index % 3 {
            0 => drop(app.client.get("/socket.io/?EIO=4&transport=polling").await),
            1 => idle.push(Stock::open(&app).await),
            _ => drop(Socket::connect(&app.ws("/ws")).await),
        }
    }
    client.send(&json!({ "type": "ping", "id": 1 })).await;
    assert_eq!(client.next_event("ack").await["success"], true);
    eventually("all of them to be closed", async || {
        ended(&app, "4408").await + ended(&app, "1006").await == 1_000.0
    })
    .await;
    client.send(&json!({ "type": "ping", "id": 2 })).await;
    assert_eq!(client.next_event("ack").await["id"], 2);
    for stock in &mut idle {
        assert_eq!(stock.closed().await.1, Closed(Some(4408)));
    }
}

#[actix_web::test]
async fn bytes_that_are_no_frames_end_their_own_connection_only() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = App::start(Backend::Memory).await;
    let mut client = app.plain(&app.token("alice")).await;
    let address = app.client.base().strip_prefix("http://").unwrap().to_owned();
    let noise: [&[u8]; 6] = [
        &[0xff; 64],
        b"\x81\x05hello",
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x81\xff\0\0\0\0\x40\0\0\0\0\0\0\0 a gigabyte is to follow",
        b"\x83\x80\0\0\0\0",
        b"\x81\x82\0\0\0\0\xc3\x28",
    ];
    for bytes in noise {
        for path in ["/ws", "/socket.io/?EIO=4&transport=websocket"] {
            let mut line = tokio::net::TcpStream::connect(&address).await.unwrap();
            let request = format!(
                "GET {path} HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
            );
            line.write_all(request.as_bytes()).await.unwrap();
            line.write_all(bytes).await.unwrap();
            line.read_to_end(&mut Vec::new()).await.ok();
        }
    }
    client.send(&json!({ "type": "ping", "id": 1 })).await;
    assert_eq!(client.next_event("ack").await["success"], true);
    assert_eq!((ended(&app, "4413").await, ended(&app, "4400").await), (6.0, 6.0));
}
