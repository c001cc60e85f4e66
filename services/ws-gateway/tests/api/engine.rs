//! Engine.IO to the letter: the requests, the upgrade, and what ends a session.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, Method, eventually};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::app::App;
use crate::stock::{Closed, Stock};

const OPEN: &str = "/socket.io/?EIO=4&transport=polling";

async fn open(client: &Client) -> Value {
    let answer = client.get(OPEN).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=UTF-8");
    serde_json::from_str(answer.text.strip_prefix('0').unwrap()).unwrap()
}

async fn session(client: &Client) -> String {
    let sid = open(client).await["sid"].as_str().unwrap().to_owned();
    format!("{OPEN}&sid={sid}")
}

async fn post(client: &Client, path: &str, body: impl Into<String>) -> Answer {
    client.send(client.request(Method::POST, path).body(body.into())).await
}

#[actix_web::test]
async fn the_handshake_offers_the_upgrade_only_by_polling() {
    let app = App::start(Backend::Memory).await;
    let polling = open(&app.client).await;
    let names: Vec<&String> = polling.as_object().unwrap().keys().collect();
    assert_eq!(names, ["maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"]);
    assert_eq!(polling["upgrades"], json!(["websocket"]));
    assert_eq!(Stock::open(&app).await.open["upgrades"], json!([]));
}

#[actix_web::test]
async fn a_request_that_is_wrong_gets_the_code_of_the_protocol() {
    let app = App::start(Backend::Memory).await;
    let cases = [
        (Method::GET, "/socket.io/?EIO=4", 0),
        (Method::GET, "/socket.io/?EIO=4&transport=abc", 0),
        (Method::GET, "/socket.io/?EIO=4&transport=polling&sid=unknown", 1),
        (Method::POST, OPEN, 2),
        (Method::PUT, OPEN, 2),
        (Method::GET, "/socket.io/?EIO=4&transport=websocket", 3),
        (Method::GET, "/socket.io/?transport=polling", 5),
        (Method::GET, "/socket.io/?EIO=3&transport=polling", 5),
    ];
    for (method, path, code) in cases {
        let answer = app.client.send(app.client.request(method.clone(), path)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].as_u64()),
            (400, Some(code)),
            "{method} {path}"
        );
        assert!(answer.json()["message"].is_string());
    }
}

#[actix_web::test]
async fn packets_come_and_go_by_polling() {
    let app = App::start(Backend::Memory).await;
    let path = session(&app.client).await;
    let connect = format!("40{}", json!({ "token": app.token("alice") }));
    let posted = post(&app.client, &path, connect).await;
    assert_eq!((posted.status.as_u16(), posted.text.as_str()), (200, "ok"));
    let got = app.client.get(&path).await.text;
    let packets: Vec<&str> = got.split('\x1e').collect();
    assert!(packets[0].starts_with("40{\"sid\""), "{got}");
    assert!(packets[1].starts_with("42[\"connection.authorized\""), "{got}");
    let both = "421[\"subscribe:drifts\"]\x1e422[\"subscribe:nowhere\"]";
    assert_eq!(post(&app.client, &path, both).await.text, "ok");
    let got = app.client.get(&path).await.text;
    assert!(got.contains("431[{\"data\":{\"room\":\"drifts\"},\"success\":true}]"), "{got}");
    assert!(got.contains("432[{\"error\":"), "{got}");
}

#[actix_web::test]
async fn a_waiting_get_is_answered_by_an_event() {
    let app = App::start(Backend::Memory).await;
    let path = session(&app.client).await;
    post(&app.client, &path, format!("40{}", json!({ "token": app.token("alice") }))).await;
    app.client.get(&path).await;
    let waiting = app.client.clone();
    let get = tokio::task::spawn_local(async move { waiting.get(&path).await });
    app.publish("auth:user.login", Some("alice"), json!({ "userId": "alice" })).await;
    assert_eq!(get.await.unwrap().text, r#"42["auth:user.login",{"userId":"alice"}]"#);
}

#[actix_web::test]
async fn a_second_get_ends_the_first_and_the_session() {
    let app = App::start(Backend::Memory).await;
    let path = session(&app.client).await;
    let (one, two) = tokio::join!(app.client.get(&path), app.client.get(&path));
    let (first, second) = if one.status == 200 { (one, two) } else { (two, one) };
    assert_eq!((first.text.as_str(), second.status.as_u16()), ("1", 400));
    assert_eq!(app.client.get(&path).await.json()["code"], 1);
}

#[actix_web::test]
async fn what_may_not_come_by_polling_ends_the_session() {
    let app = App::start(Backend::Memory).await;
    for body in ["abc", "", "4\x1e", "b!!!", "2", "5", "42[\"x\"]", "4", "40/dashboard,[]"] {
        let path = session(&app.client).await;
        post(&app.client, &path, body).await;
        assert_eq!(app.client.get(&path).await.json()["code"], 1, "{body:?}");
    }
    let code = "ws_disconnects_total{code=\"4400\"}";
    assert_eq!(app.metric(code).await, 9.0);
}

#[actix_web::test]
async fn a_body_over_the_limit_is_413() {
    let app = App::start(Backend::Memory).await;
    let path = session(&app.client).await;
    let answer = post(&app.client, &path, "4".repeat(10 * 1024 * 1024)).await;
    assert_eq!(answer.status, 413);
}

#[actix_web::test]
async fn a_client_that_says_goodbye_is_gone() {
    let app = App::start(Backend::Memory).await;
    // Which of the two requests comes first is chance.
    eventually("a noop to end the waiting GET", async || {
        let path = session(&app.client).await;
        let (waiting, _) = tokio::join!(app.client.get(&path), post(&app.client, &path, "1"));
        assert_eq!(app.client.get(&path).await.status, 400);
        (waiting.status.as_u16(), waiting.text.as_str()) == (200, "6")
    })
    .await;
}

#[actix_web::test]
async fn a_connection_that_joins_nothing_is_closed_s49() {
    let app = App::start_with(Backend::Memory, &["--gateway-handshake-seconds", "0"]).await;
    let mut stock = Stock::open(&app).await;
    assert_eq!(stock.closed().await, (vec![], Closed(Some(4408))));
}

#[actix_web::test]
async fn a_polling_session_that_was_never_authorized_is_removed_with_its_end_s65() {
    let app = App::start_with(Backend::Memory, &["--gateway-handshake-seconds", "0"]).await;
    let path = session(&app.client).await;
    let code = "ws_disconnects_total{code=\"4408\"}";
    eventually("the end", async || app.metric(code).await == 1.0).await;
    assert_eq!(app.client.get(&path).await.json()["code"], 1);
}

#[actix_web::test]
async fn a_connection_that_leaves_its_last_namespace_is_closed_s49() {
    let app = App::start_with(Backend::Memory, &["--gateway-handshake-seconds", "1"]).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    stock.join("/dashboard", &app.token("alice")).await;
    stock.send("41").await;
    stock.send("41/dashboard,").await;
    assert_eq!(stock.closed().await, (vec![], Closed(Some(4408))));
}

#[actix_web::test]
async fn a_second_probe_ends_its_web_socket_and_polling_goes_on_s65() {
    let app = App::start(Backend::Memory).await;
    let path = session(&app.client).await;
    let upgrade = path.replace("transport=polling", "transport=websocket");
    let (mut probing, _) = connect_async(app.ws(&upgrade)).await.unwrap();
    let probe = || Message::text("2probe");
    probing.send(probe()).await.unwrap();
    assert_eq!(probing.next().await.unwrap().unwrap(), Message::text("3probe"));
    probing.send(probe()).await.unwrap();
    let rest: Vec<Message> = probing.filter_map(async |next| next.ok()).collect().await;
    assert!(!rest.iter().any(Message::is_text), "{rest:?}");
    post(&app.client, &path, format!("40{}", json!({ "token": app.token("alice") }))).await;
    assert!(app.client.get(&path).await.text.contains("connection.authorized"));
}

#[actix_web::test]
async fn a_client_that_does_not_answer_pings_is_closed() {
    let arguments = ["--gateway-ping-interval-ms", "100", "--gateway-ping-timeout-ms", "100"];
    let app = App::start_with(Backend::Memory, &arguments).await;
    let path = session(&app.client).await;
    post(&app.client, &path, format!("40{}", json!({ "token": app.token("alice") }))).await;
    app.client.get(&path).await;
    assert_eq!(app.client.get(&path).await.text, "2");
    assert_eq!(app.client.get(&path).await.text, "1");
    assert_eq!(app.client.get(&path).await.status, 400);

    let mut answering = app.stock("/", &app.token("alice")).await;
    answering.assert_silence().await;
}

#[actix_web::test]
async fn pings_come_at_the_interval_also_where_the_timeout_is_longer() {
    let timeout = Duration::from_secs(10);
    let arguments = ["--gateway-ping-interval-ms", "200", "--gateway-ping-timeout-ms", "10000"];
    let app = App::start_with(Backend::Memory, &arguments).await;
    let started = Instant::now();
    let path = session(&app.client).await;
    post(&app.client, &path, format!("40{}", json!({ "token": app.token("alice") }))).await;
    app.client.get(&path).await;
    let url = app.ws("/ws?token=") + &app.token("alice");
    let (mut plain, _) = connect_async(url).await.unwrap();
    for _ in 0..5 {
        assert_eq!(app.client.get(&path).await.text, "2");
        post(&app.client, &path, "3").await;
        // Its pong goes out with the next read.
        while !plain.next().await.unwrap().unwrap().is_ping() {}
    }
    assert!(started.elapsed() < timeout, "{:?}", started.elapsed());
}

#[actix_web::test]
async fn what_may_not_come_on_a_web_socket_closes_it() {
    let app = App::start(Backend::Memory).await;
    let token = app.token("alice");
    for packet in [
        "",
        "abc",
        "2",
        "0",
        "5",
        "4",
        "4x",
        "42",
        "42[]",
        "42{}",
        "42[\"connect\"]",
        "44{}",
        "40",
        "451-[\"a\",{\"_placeholder\":true,\"num\":1}]",
        "4511-[\"a\"]",
        "45x-[]",
        "42abc[\"x\"]",
        "43[]",
        "42/dashboard,[\"x\"]",
        "4299999999999999999999[\"x\"]",
    ] {
        let mut stock = app.stock("/", &token).await;
        stock.send(packet).await;
        assert_eq!(stock.closed().await.1, Closed(Some(4400)), "{packet:?}");
    }
    let mut stock = app.stock("/", &token).await;
    stock.send_binary(b"nobody announced this").await;
    assert_eq!(stock.closed().await.1, Closed(Some(4400)));
    let mut stock = app.stock("/", &token).await;
    stock.send(&"4".repeat(100_000)).await;
    assert_eq!(stock.closed().await.1, Closed(Some(4413)));
}

#[actix_web::test]
async fn binary_events_are_read_with_their_attachments() {
    let app = App::start(Backend::Memory).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    stock.send("452-9[\"upload\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]").await;
    stock.send_binary(&[1, 2, 3]).await;
    stock.send_binary(&[]).await;
    let answer = stock.text().await.unwrap();
    assert!(answer.starts_with("439[{\"error\":{\"code\":\"UNKNOWN_EVENT\""), "{answer}");
}

#[actix_web::test]
async fn one_connection_carries_several_namespaces() {
    let app = App::start(Backend::Memory).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    stock.join("/dashboard", &app.token("alice")).await;
    app.publish("auth:user.login", Some("alice"), json!({ "userId": "alice" })).await;
    stock.event("/", "auth:user.login").await;
    stock.event("/dashboard", "auth:user.login").await;
    stock.send("41").await;
    assert_eq!(stock.ask("/dashboard", "subscribe:drifts", &[]).await["success"], true);
    app.publish("auth:user.login", Some("alice"), json!({ "userId": "alice" })).await;
    stock.event("/dashboard", "auth:user.login").await;
    stock.assert_silence().await;
    stock.join("/", &app.token("alice")).await;
}
