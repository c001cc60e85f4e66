//! Receipts: an engineer has received an event if a ping after it was answered.

use std::time::Duration;

use backplane::Entry;
use chrono::Utc;
use contracts::drift::Severity;
use contracts::events::alert::{AlertCreated, AlertType};
use contracts::events::notification::{ReceiptWanted, receipt_key};
use contracts::{Claims, Envelope, Event, Role};
use rstest::rstest;
use serde_json::json;
use testing::{Backend, Socket, eventually};
use uuid::Uuid;

use crate::app::App;

const PINGS: &[&str] = &["--gateway-ping-interval-ms=300", "--gateway-ping-timeout-ms=60000"];

/// A socket that watches alerts.
async fn watching(app: &App, role: Role) -> Socket {
    let token = app.sign(&Claims { role, ..app.claims("alice") });
    let mut socket = app.plain(&token).await;
    socket.send(&json!({"type": "subscribe", "room": "alerts", "id": 1})).await;
    socket.next_event("ack").await;
    socket
}

/// Reads without end, and thereby answers pings.
fn read(mut socket: Socket) {
    tokio::task::spawn_local(async move { while socket.closed().await.is_none() {} });
}

async fn alert(app: &App) -> Uuid {
    let alert = AlertCreated {
        id: Uuid::now_v7(),
        drift_id: None,
        stack: None,
        alert_type: AlertType::StackSilent,
        severity: Severity::Critical,
        title: "silent".into(),
        message: "silent".into(),
        created_at: Utc::now(),
    };
    let entry = Entry::of(alert, app.platform.clock()).unwrap();
    app.append(std::slice::from_ref(&entry)).await;
    entry.event_id
}

/// Asks once, and returns whether a gateway answers within half a second.
async fn is_received(app: &App, event: Uuid) -> bool {
    let backplane = app.platform.backplane();
    let question = Envelope::of(ReceiptWanted { id: event }, app.platform.clock());
    let question = serde_json::to_string(&question).unwrap();
    backplane.log.broadcast(ReceiptWanted::TYPE, &question).await.unwrap();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if backplane.keys.get(&receipt_key(event)).await.unwrap().is_some() {
            return true;
        }
    }
    false
}

#[rstest]
#[actix_web::test]
async fn only_an_answering_engineer_who_was_there_has_received_an_event(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start_with(backend, PINGS).await;
    // A viewer cannot act, and this engineer's computer has fallen asleep: the socket is open and reads nothing.
    read(watching(&app, Role::Viewer).await);
    let _asleep = watching(&app, Role::Engineer).await;
    let unseen = alert(&app).await;
    let mut late = watching(&app, Role::Engineer).await;
    // Far longer than the pings that would prove it.
    let until = tokio::time::Instant::now() + Duration::from_secs(4);
    while tokio::time::Instant::now() < until {
        assert!(!is_received(&app, unseen).await);
    }

    let seen = alert(&app).await;
    late.next_event("alert:created").await;
    read(late);
    eventually("the proof", async || is_received(&app, seen).await).await;
    assert!(!is_received(&app, unseen).await, "it came before this socket");
    assert!(!is_received(&app, Uuid::now_v7()).await);
}
