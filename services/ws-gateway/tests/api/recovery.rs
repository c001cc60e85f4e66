//! Clients that were cut off come back, here or at another gateway, and get what they missed.

use contracts::events::alert::AlertClosed;
use contracts::events::auth::{EndReason, SessionDeleted};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Socket, eventually};
use uuid::Uuid;

use crate::app::{App, Gateway};
use crate::stock::Stock;

pub(crate) async fn emit(app: &App, count: usize) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let id = Uuid::new_v4();
        app.emit(AlertClosed { id }).await;
        ids.push(id);
    }
    ids
}

/// The state of a socket that a stock client keeps.
pub(crate) struct Memory {
    token: String,
    pub socket: Value,
    pub private_id: Value,
    pub offset: Value,
}

/// Joins, subscribes to alerts, and is cut off after `heard` events.
pub(crate) async fn cut_off(app: &App, token: &str, heard: usize) -> (Stock, Memory) {
    let mut stock = Stock::open(app).await;
    stock.send(&format!("40{}", json!({ "token": token }))).await;
    let connected: Value = serde_json::from_str(&stock.text().await.unwrap()[2..]).unwrap();
    let mut offset = stock.event_args("/", "connection.authorized").await[1].take();
    stock.ask("/", "subscribe:alerts", &[]).await;
    for id in emit(app, heard).await {
        let args = stock.event_args("/", "alert:closed").await;
        assert_eq!(args[0]["id"], id.to_string());
        offset = args[1].clone();
    }
    let [socket, private_id] = ["sid", "pid"].map(|name| connected[name].clone());
    (stock, Memory { token: token.into(), socket, private_id, offset })
}

/// Comes back as a stock client does; the answer to its `CONNECT`.
pub(crate) async fn come_back(gateway: &Gateway, memory: &Memory) -> (Stock, Value) {
    let mut stock = Stock::open(gateway).await;
    let auth = json!({ "token": memory.token, "pid": memory.private_id, "offset": memory.offset });
    stock.send(&format!("40{auth}")).await;
    let text = stock.text().await.unwrap();
    let answer = serde_json::from_str(text.strip_prefix("40").unwrap()).unwrap();
    (stock, answer)
}

/// The next packets must be these alerts, in this order.
pub(crate) async fn expect_alerts(stock: &mut Stock, ids: &[Uuid]) {
    for id in ids {
        let text = stock.text().await.unwrap();
        assert!(text.starts_with(&format!(r#"42["alert:closed",{{"id":"{id}"}}"#)), "{text}");
    }
}

#[rstest]
#[case(Backend::Memory, 0)]
#[case(Backend::Memory, 3)]
#[case(Backend::Real, 0)]
#[case(Backend::Real, 3)]
#[actix_web::test]
async fn a_stock_client_that_was_cut_off_gets_what_it_missed_once_and_in_order(
    #[case] backend: Backend,
    #[case] heard: usize,
) {
    let app = App::start(backend).await;
    let (stock, memory) = cut_off(&app, &app.token("alice"), heard).await;
    drop(stock);
    let missed = emit(&app, 30).await;
    let (mut back, answer) = come_back(&app, &memory).await;
    assert_eq!((&answer["sid"], &answer["pid"]), (&memory.socket, &memory.private_id));
    expect_alerts(&mut back, &missed).await;
    back.event("/", "connection.authorized").await;
    let live = emit(&app, 2).await;
    expect_alerts(&mut back, &live).await;
    back.assert_silence().await;
    assert_eq!(app.metric("ws_resumes_total{result=\"recovered\"}").await, 1.0);
}

#[rstest]
#[actix_web::test]
async fn a_session_that_has_ended_does_not_come_back(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let user_id = Uuid::new_v4();
    let claims = app.claims(&user_id.to_string());
    let (stock, memory) = cut_off(&app, &app.sign(&claims), 1).await;
    drop(stock);
    let session_id = claims.sid.unwrap();
    app.emit(SessionDeleted { user_id, session_id, reason: EndReason::Logout }).await;
    eventually("the end of the session to be known", async || {
        app.platform.tokens().revocations.ended(session_id).is_some()
    })
    .await;
    let mut back = Stock::open(&app).await;
    let auth = json!({ "token": memory.token, "pid": memory.private_id, "offset": memory.offset });
    assert_eq!(back.refusal("/", &auth).await["data"]["code"], "AUTH_FAILED");
}

#[actix_web::test]
async fn who_cannot_be_given_everything_begins_anew() {
    let app = App::start(Backend::Memory).await;
    let (stock, good) = cut_off(&app, &app.token("alice"), 1).await;
    drop(stock);
    let (epoch, _) = good.offset.as_str().unwrap().split_once(':').unwrap();
    let cases = [
        ("another user", app.token("bob"), good.private_id.clone(), good.offset.clone()),
        ("another log", good.token.clone(), good.private_id.clone(), json!("elsewhere:1")),
        ("the future", good.token.clone(), good.private_id.clone(), json!(format!("{epoch}:999"))),
        ("no offset", good.token.clone(), good.private_id.clone(), Value::Null),
        ("nonsense", good.token.clone(), good.private_id.clone(), json!("x")),
        ("a guessed id", good.token.clone(), json!(format!("{}.x", good.socket)), good.offset.clone()),
        ("an unknown id", good.token.clone(), json!("nobody.x"), good.offset.clone()),
    ];
    for (what, token, private_id, offset) in cases {
        let (stock, mut memory) = cut_off(&app, &good.token, 0).await;
        drop(stock);
        if private_id == good.private_id {
            memory = Memory { token, offset, ..memory };
        } else {
            memory = Memory { token, private_id, offset, ..memory };
        }
        let (mut fresh, answer) = come_back(&app, &memory).await;
        assert_ne!(answer["sid"], memory.socket, "{what}");
        assert_ne!(answer["pid"], memory.private_id, "{what}");
        fresh.event("/", "connection.authorized").await;
        fresh.assert_silence().await;
    }
}

#[actix_web::test]
async fn without_recovery_there_is_no_private_id_and_no_offset() {
    let app = App::start_with(Backend::Memory, &["--gateway-recovery-seconds", "0"]).await;
    let mut stock = Stock::open(&app).await;
    stock.send(&format!("40{}", json!({ "token": app.token("alice") }))).await;
    let text = stock.text().await.unwrap();
    assert!(text.starts_with("40{\"sid\":") && !text.contains("pid"), "{text}");
    assert_eq!(stock.event_args("/", "connection.authorized").await.as_array().unwrap().len(), 1);
    stock.ask("/", "subscribe:alerts", &[]).await;
    emit(&app, 1).await;
    assert_eq!(stock.event_args("/", "alert:closed").await.as_array().unwrap().len(), 1);
}

/// Where a client of `/ws` was.
async fn plain_cut_off(app: &App, token: &str) -> Value {
    plain_half_open(app, token).await.1
}

/// A client of `/ws`, and how it would resume elsewhere.
pub(crate) async fn plain_half_open(app: &App, token: &str) -> (Socket, Value) {
    let header = format!("Bearer {token}");
    let mut socket = Socket::connect_with(&app.ws("/ws"), &[("authorization", &header)]).await;
    let authorized = socket.next_event("connection.authorized").await;
    socket.send(&json!({ "type": "subscribe", "room": "alerts", "id": 1 })).await;
    socket.next_event("ack").await;
    let mut resume = json!({ "type": "resume", "id": "r", "sessionId": authorized["payload"]["sessionId"] });
    for id in emit(app, 2).await {
        let event = socket.next_event("alert:closed").await;
        assert_eq!(event["payload"]["id"], id.to_string());
        (resume["epoch"], resume["seq"]) = (event["epoch"].clone(), event["seq"].clone());
    }
    (socket, resume)
}

#[rstest]
#[actix_web::test]
async fn a_plain_client_resumes_with_its_rooms(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let token = app.token("alice");
    let resume = plain_cut_off(&app, &token).await;
    let missed = emit(&app, 5).await;
    let mut back = app.plain(&token).await;
    let while_away = emit(&app, 5).await;
    back.send(&resume).await;
    let (mut alerts, mut ack) = (Vec::new(), Value::Null);
    while alerts.len() < 10 || ack.is_null() {
        let message = back.next().await;
        match message["type"].as_str() {
            Some("ack") => ack = message,
            _ => alerts.push(message["payload"]["id"].clone()),
        }
    }
    // An event that was still on its way when the client came back is live, and follows the others.
    let expected: Vec<Value> = [missed, while_away].concat().iter().map(|id| json!(id)).collect();
    assert_eq!(alerts, expected);
    assert_eq!((&ack["id"], &ack["data"]["recovered"]), (&json!("r"), &json!(true)));
    assert_eq!(ack["data"]["rooms"], json!(["alerts"]));
    let live = emit(&app, 1).await;
    assert_eq!(back.next().await["payload"]["id"], live[0].to_string());
}

#[actix_web::test]
async fn a_plain_client_that_resumes_late_gets_nothing_twice() {
    let app = App::start(Backend::Memory).await;
    let token = app.token("alice");
    let resume = plain_cut_off(&app, &token).await;
    let missed = emit(&app, 2).await;
    let mut back = app.plain(&token).await;
    back.send(&json!({ "type": "subscribe", "room": "alerts", "id": 1 })).await;
    back.next_event("ack").await;
    let live = emit(&app, 2).await;
    for id in &live {
        assert_eq!(back.next().await["payload"]["id"], id.to_string());
    }
    back.send(&resume).await;
    for id in missed {
        assert_eq!(back.next().await["payload"]["id"], id.to_string());
    }
    assert_eq!(back.next_event("ack").await["data"]["replayed"], 2);
    back.assert_silence().await;
}

#[actix_web::test]
async fn a_plain_client_whose_hole_cannot_be_filled_is_told_and_keeps_its_rooms() {
    let app = App::start(Backend::Memory).await;
    let token = app.token("alice");
    let mut resume = plain_cut_off(&app, &token).await;
    emit(&app, 2).await;
    resume["epoch"] = json!("elsewhere");
    let mut back = app.plain(&token).await;
    back.send(&resume).await;
    assert_eq!(back.next().await["payload"], json!({ "reason": "log_lost" }));
    let ack = back.next_event("ack").await;
    assert_eq!(ack["data"], json!({ "recovered": false, "rooms": ["alerts"] }));
    let live = emit(&app, 1).await;
    assert_eq!(back.next().await["payload"]["id"], live[0].to_string());
}

#[actix_web::test]
async fn a_plain_client_whose_rooms_nobody_knows_is_told_and_not_called_recovered() {
    let app = App::start(Backend::Memory).await;
    let token = app.token("alice");
    let mut resume = plain_cut_off(&app, &token).await;
    emit(&app, 2).await;
    resume["sessionId"] = json!("forgotten");
    let mut back = app.plain(&token).await;
    back.send(&resume).await;
    assert_eq!(back.next().await["payload"], json!({ "reason": "unknown_socket" }));
    let ack = back.next_event("ack").await;
    assert_eq!(ack["data"], json!({ "recovered": false, "rooms": [] }));
    back.assert_silence().await;
}

#[actix_web::test]
async fn a_plain_client_that_says_nothing_hears_everything_all_the_same() {
    let app = App::start(Backend::Memory).await;
    let mut socket = app.plain(&app.token("alice")).await;
    app.publish("ws:user:alice", None, json!({ "hello": 1 })).await;
    assert_eq!(socket.next().await["payload"], json!({ "hello": 1 }));
}

#[actix_web::test]
async fn a_thousand_missed_events_arrive_in_order() {
    let app = App::start(Backend::Real).await;
    let (stock, memory) = cut_off(&app, &app.token("alice"), 1).await;
    drop(stock);
    let missed = emit(&app, 1_000).await;
    let (mut back, _) = come_back(&app, &memory).await;
    expect_alerts(&mut back, &missed).await;
}

#[actix_web::test]
async fn a_gateway_that_started_later_reads_the_log() {
    let mut app = App::start_with(Backend::Real, &[]).await;
    let (stock, memory) = cut_off(&app, &app.token("alice"), 1).await;
    drop(stock);
    let missed = emit(&app, 600).await;
    app.add_gateway().await;
    let (mut back, answer) = come_back(&app.gateways[1], &memory).await;
    assert_eq!(answer["pid"], memory.private_id);
    expect_alerts(&mut back, &missed).await;
}
