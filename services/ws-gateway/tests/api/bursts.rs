//! More at once than anybody can take at once.

use std::time::{Duration, Instant};

use contracts::events::drift::DriftUpdated;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Socket, eventually};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::app::{App, Gateway};
use crate::stock::Stock;

/// One of these tests at a time: their clients would starve each other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// An event of about this size.
fn updated(number: usize, bytes: usize) -> DriftUpdated {
    DriftUpdated {
        id: Uuid::from_u128(number as u128),
        subject: crate::relay::subject(),
        status: contracts::drift::Status::Detected,
        version: 2,
        cost_impact_monthly: 0.0,
        region: Some("x".repeat(bytes)),
        account_id: None,
    }
}

fn number(id: &Value) -> usize {
    usize::try_from(id.as_str().unwrap().parse::<Uuid>().unwrap().as_u128()).unwrap()
}

async fn append(gateway: &Gateway, numbers: std::ops::Range<usize>, bytes: usize) {
    let clock = gateway.platform.clock();
    let entries = numbers.map(|number| backplane::Entry::of(updated(number, bytes), clock).unwrap());
    gateway.append(&entries.collect::<Vec<_>>()).await;
}

#[rstest]
#[actix_web::test]
async fn a_client_that_sends_nothing_hears_three_thousand_events_in_its_first_second(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let _alone = ALONE.lock().await;
    let app = App::start(backend).await;
    // Everybody hears what concerns their account without asking for it.
    let claims = |name: &str| contracts::Claims { account_id: Some("acme".into()), ..app.claims(name) };
    let mut plain = app.plain(&app.sign(&claims("alice"))).await;
    let mut stock = app.stock("/", &app.sign(&claims("bob"))).await;
    let started = Instant::now();
    let publish = async {
        for first in (0..3_000).step_by(100) {
            tokio::time::sleep_until((started + Duration::from_micros(300 * first)).into()).await;
            let event = |number| contracts::events::drift::DriftCreated {
                id: Uuid::from_u128(number as u128),
                region: Some("x".repeat(1_000)),
                account_id: Some("acme".into()),
                ..crate::relay::created(None)
            };
            let clock = app.platform.clock();
            let entries =
                (first..first + 100).map(|number| backplane::Entry::of(event(number), clock).unwrap());
            app.append(&entries.collect::<Vec<_>>()).await;
        }
    };
    let hear_plain = async {
        for expected in 0..3_000 {
            assert_eq!(number(&plain.next_event("drift:created").await["payload"]["id"]), expected);
        }
    };
    let hear_stock = async {
        for expected in 0..3_000 {
            assert_eq!(number(&stock.event("/", "drift:created").await["id"]), expected);
        }
    };
    tokio::join!(publish, hear_plain, hear_stock);
    assert_eq!(app.counts("ws_disconnects_total"), [""; 0]);
    plain.assert_silence().await;
}

#[rstest]
#[actix_web::test]
async fn resumes_under_six_megabytes_a_second_complete_every_time(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    const BYTES: usize = 20_000;
    const PER_BATCH: usize = 30;
    let _alone = ALONE.lock().await;
    let app = App::start(backend).await;
    let token = app.token("alice");
    let mut first = app.plain(&token).await;
    first.send(&json!({ "type": "subscribe", "room": "drifts", "id": 1 })).await;
    first.next_event("ack").await;
    let publishing = std::cell::Cell::new(true);
    let publish = async {
        let (mut number, mut due) = (0, Instant::now());
        while publishing.get() {
            append(&app, number..number + PER_BATCH, BYTES).await;
            number += PER_BATCH;
            // 6 MB in a second, if the machine allows; what it did not allow is not made up for.
            due = due.max(Instant::now()) + Duration::from_secs_f64((PER_BATCH * BYTES) as f64 / 6e6);
            tokio::time::sleep_until(due.into()).await;
        }
    };
    let resume = async {
        let event = first.next_event("drift:updated").await;
        let (mut seen, mut at) = (number(&event["payload"]["id"]), json!([event["epoch"], event["seq"]]));
        let mut session = Value::Null;
        drop(first);
        for attempt in 0..20 {
            let mut socket = Socket::connect(&app.ws(&format!("/ws?token={token}"))).await;
            let authorized = socket.next_event("connection.authorized").await;
            let mut resume = json!({ "type": "resume", "id": attempt, "epoch": at[0], "seq": at[1] });
            if !session.is_null() {
                resume["sessionId"] = session;
            }
            session = authorized["payload"]["sessionId"].clone();
            socket.send(&resume).await;
            socket.send(&json!({ "type": "subscribe", "room": "drifts", "id": "s" })).await;
            let (mut live, mut is_done) = (0, false);
            while live < 50 || !is_done {
                let message = socket.next().await;
                match message["type"].as_str() {
                    Some("drift:updated") if attempt > 0 => {
                        let next = number(&message["payload"]["id"]);
                        assert_eq!(next, seen + 1, "attempt {attempt}");
                        (seen, at) = (next, json!([message["epoch"], message["seq"]]));
                        live += 1;
                    }
                    Some("drift:updated") => {
                        (seen, at) =
                            (number(&message["payload"]["id"]), json!([message["epoch"], message["seq"]]));
                        live += 1;
                    }
                    Some("ack") if message["id"] == attempt => {
                        assert_eq!(message["data"]["recovered"], true, "attempt {attempt}: {message}");
                        is_done = true;
                    }
                    Some("ack" | "rate_limit.warning") => {}
                    other => panic!("attempt {attempt}: {other:?}"),
                }
            }
        }
        publishing.set(false);
    };
    tokio::join!(publish, resume);
    assert_eq!(app.metric("ws_resumes_total{result=\"recovered\"}").await, 20.0);
}

#[actix_web::test]
async fn a_burst_of_messages_that_are_not_logged_reaches_every_socket_in_order() {
    const SOCKETS: usize = 2_000;
    const MESSAGES: usize = 100_000;
    let _alone = ALONE.lock().await;
    let app = App::start(Backend::Real).await;
    let mut sockets = Vec::new();
    for chunk in (0..SOCKETS).collect::<Vec<_>>().chunks(100) {
        sockets.extend(
            join_all(chunk.iter().map(async |n| app.plain(&app.token(&format!("user-{n}"))).await)).await,
        );
    }
    let messages = (0..MESSAGES).map(|number| {
        let envelope = json!({ "eventId": Uuid::now_v7(), "type": "news", "timestamp": "2026-01-01T00:00:00Z",
            "payload": { "n": number / SOCKETS } });
        (format!("ws:user:user-{}", number % SOCKETS), envelope.to_string())
    });
    let publish = app.stores.redis().publish_all(messages);
    let hear = join_all(sockets.iter_mut().map(async |socket| {
        for expected in 0..MESSAGES / SOCKETS {
            assert_eq!(socket.next_event("news").await["payload"]["n"], expected);
        }
    }));
    tokio::join!(publish, hear);
    assert_eq!(app.metric("ws_messages_sent_total{type=\"ws:user:*\"}").await, MESSAGES as f64);
    assert_eq!(app.counts("ws_messages_dropped_total"), [""; 0]);
    assert_eq!(app.counts("ws_disconnects_total"), [""; 0]);
}

#[actix_web::test]
async fn messages_that_cannot_wait_are_counted_and_their_sockets_told_to_load_again() {
    const SIZE: usize = 400_000;
    let _alone = ALONE.lock().await;
    let app = App::start(Backend::Memory).await;
    let mut plain = app.plain(&app.token("alice")).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    // For nobody, and published in one go: the relay has no turn in between.
    let body = json!({ "eventId": Uuid::now_v7(), "type": "news", "timestamp": app.platform.clock().now(),
        "payload": "x".repeat(SIZE) })
    .to_string();
    for _ in 0..200 {
        futures_util::FutureExt::now_or_never(
            app.platform.backplane().log.broadcast("ws:user:nobody", &body),
        )
        .unwrap()
        .unwrap();
    }
    let told = plain.next_event("resync").await;
    assert_eq!(told["payload"], json!({ "reason": "overflow" }));
    assert_eq!(stock.event("/", "resync").await, json!({ "reason": "overflow" }));
    let lost = app.metric("ws_messages_dropped_total{reason=\"overflow\"}").await;
    assert!((100.0..140.0).contains(&lost), "{lost} of 160 MB with room for 64");
}

/// Fifty tabs that connect and subscribe at once, as pages do: without waiting for an answer.
async fn fifty_tabs(gateway: &Gateway, token: &str) {
    let mut tabs = join_all((0..50).map(async |_| {
        let mut stock = Stock::open(gateway).await;
        stock.join("/", token).await;
        for room in ["drifts", "alerts"] {
            stock.emit("/", &format!("subscribe:{room}"), &[]).await;
        }
        stock
    }))
    .await;
    eventually("all of them to be subscribed", async || {
        let sockets = gateway.admin().get("/api/realtime/users/alice/connections").await.data();
        let sockets = sockets["connections"].as_array().unwrap().clone();
        sockets.iter().filter(|socket| socket["rooms"].as_array().unwrap().len() == 6).count() == 50
    })
    .await;
    append(gateway, 0..3, 100).await;
    for tab in &mut tabs {
        for expected in 0..3 {
            assert_eq!(number(&tab.event("/", "drift:updated").await["id"]), expected);
        }
    }
    join_all(tabs.iter_mut().map(async |tab| tab.assert_silence().await)).await;
}

#[actix_web::test]
async fn fifty_tabs_of_a_user_come_back_at_once_after_a_restart_and_hear_everything() {
    let _alone = ALONE.lock().await;
    let mut app = App::start_with(Backend::Real, &[]).await;
    let token = app.token("alice");
    let tabs = join_all((0..50).map(async |_| app.stock("/", &token).await)).await;
    app.add_gateway().await;
    app.gateways[0].platform.lifecycle().stop.cancel();
    join_all(tabs.into_iter().map(async |mut tab| tab.closed().await)).await;
    fifty_tabs(&app.gateways[1], &token).await;
}

#[actix_web::test]
async fn fifty_tabs_of_a_user_come_back_at_once_after_a_crash_and_hear_everything() {
    let _alone = ALONE.lock().await;
    let app = App::start_with(Backend::Real, &[]).await;
    // A gateway that was killed leaves the slots of its sockets behind, and its name.
    let dead = Uuid::new_v4();
    app.publish("gateway:control", None, json!({ "kind": "alive", "replica": dead, "new": false })).await;
    let slot = |n| backplane::Hold { key: "ws:user:alice".into(), holder: format!("{dead}-{n}") };
    let slots = (0..50).map(slot).collect::<Vec<_>>();
    app.platform.backplane().keys.hold(&slots, Duration::from_secs(90)).await.unwrap();
    fifty_tabs(&app, &app.token("alice")).await;
    let mut one_more = Stock::open(&app).await;
    let fresh = app.stock("/", &app.token("bob")).await;
    drop(fresh);
    one_more.join("/", &app.token("bob")).await;
}

#[actix_web::test]
async fn the_limit_of_sockets_holds_for_many_that_come_at_once() {
    let _alone = ALONE.lock().await;
    let app = App::start_with(Backend::Real, &["--gateway-sockets-per-user", "10"]).await;
    let token = app.token("alice");
    let auth = json!({ "token": token });
    let let_in = join_all((0..40).map(async |_| {
        let mut stock = Stock::open(&app).await;
        stock.send(&format!("40{auth}")).await;
        let answer = stock.text().await.unwrap();
        (answer.starts_with("40"), stock)
    }))
    .await;
    assert_eq!(let_in.iter().filter(|(is_in, _)| *is_in).count(), 10);
}
