//! A client that does not read costs little, and nobody else anything.

use std::time::Instant;

use backplane::Entry;
use contracts::events::drift::DriftUpdated;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, Socket, eventually};
use uuid::Uuid;

use crate::app::App;

#[actix_web::test]
async fn a_client_that_stops_reading_is_closed_and_the_others_lose_nothing() {
    let app = App::start(Backend::Memory).await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(app.plain(&app.token("bob")).await);
    }
    let stalled: Socket = app.plain(&app.token("alice")).await;
    let padding = "x".repeat(16 * 1024);
    let started = Instant::now();
    let (mut sent, code) = (0, "ws_disconnects_total{code=\"4503\"}");
    while app.metric(code).await == 0.0 {
        for _ in 0..20 {
            app.publish("ws:all", None, json!({ "n": sent, "padding": padding })).await;
            sent += 1;
        }
        for other in &mut others {
            for n in sent - 20..sent {
                assert_eq!(other.next().await["payload"]["n"], n);
            }
        }
        assert!(started.elapsed().as_secs() < 60, "it was never closed");
    }
    eventually("the socket to be gone", async || app.metric("ws_connections ").await == 20.0).await;
    drop(stalled);
}

/// Appends events of 60 KB.
async fn append(app: &App, numbers: std::ops::Range<u128>) {
    let event = |number| DriftUpdated {
        id: Uuid::from_u128(number),
        subject: crate::relay::subject(),
        status: contracts::drift::Status::Detected,
        version: 2,
        cost_impact_monthly: 0.0,
        region: Some("x".repeat(60_000)),
        account_id: None,
    };
    let entries = numbers.map(|number| Entry::of(event(number), app.platform.clock()).unwrap());
    for some in entries.collect::<Vec<_>>().chunks(10) {
        app.append(some).await;
    }
}

#[rstest]
#[actix_web::test]
async fn a_client_that_reads_too_slowly_for_a_moment_reads_the_rest_from_the_log(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    const EVENTS: u128 = 300;
    let app = App::start(backend).await;
    let token = app.token("alice");
    let mut plain = app.plain(&token).await;
    let mut stock = app.stock("/", &token).await;
    plain.send(&json!({ "type": "subscribe", "room": "drifts", "id": 1 })).await;
    plain.next_event("ack").await;
    stock.ask("/", "subscribe:drifts", &[]).await;
    // 18 MB at once: more than the queue and the kernel take.
    append(&app, 0..EVENTS).await;
    for number in 0..EVENTS {
        let expected = Uuid::from_u128(number).to_string();
        assert_eq!(plain.next().await["payload"]["id"], expected);
        assert_eq!(stock.event("/", "drift:updated").await["id"], expected);
    }
    app.publish("ws:all", None, json!({})).await;
    assert_eq!(plain.next().await["type"], "ws:all");
    assert_eq!(app.counts("ws_disconnects_total"), [""; 0]);
}

#[actix_web::test]
async fn a_client_that_stops_reading_events_of_the_log_is_closed_within_ten_seconds() {
    let app = App::start(Backend::Memory).await;
    let mut stalled = app.plain(&app.token("alice")).await;
    stalled.send(&json!({ "type": "subscribe", "room": "drifts", "id": 1 })).await;
    stalled.next_event("ack").await;
    append(&app, 0..300).await;
    let started = Instant::now();
    let code = "ws_disconnects_total{code=\"4503\"}";
    eventually("the socket to be closed", async || app.metric(code).await == 1.0).await;
    assert!(started.elapsed().as_secs() <= 10);
    assert!(
        app.metric("ws_messages_dropped_total{reason=\"slow\"}").await > 0.0,
        "what was queued is counted"
    );
}
