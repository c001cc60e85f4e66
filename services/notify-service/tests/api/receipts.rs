//! Messages that are sent only if no engineer received the event over a socket.

use std::time::Duration;

use backplane::{FeedItem, Put};
use chrono::TimeDelta;
use contracts::Event;
use contracts::drift::Severity;
use contracts::events::notification::{ReceiptWanted, receipt_key};
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::App;
use crate::events::{created, resolved};
use crate::inbox::Receiver;

#[rstest]
#[actix_web::test]
async fn what_an_engineer_received_pages_nobody(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let receiver = Receiver::start();
    app.webhook(&receiver, json!({"schedule": {"unlessReceivedSeconds": 60}})).await;
    let (seen, unseen, over) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let entries = [seen, unseen].map(|id| app.entry(created(id, "prod", Severity::Critical)));
    let seen_event = entries[0].event_id;
    // Answers as a gateway does whose engineer received the first event.
    let backplane = app.platform.backplane().clone();
    tokio::spawn(async move {
        let mut feed = backplane.feed();
        loop {
            let FeedItem::Message(message) = feed.next().await else { continue };
            if message.channel == ReceiptWanted::TYPE
                && message.envelope.payload.get().contains(&seen_event.to_string())
            {
                let ttl = Duration::from_secs(60);
                let put = Put { key: receipt_key(seen_event), value: Some("1".into()), ttl };
                backplane.keys.put(&[put]).await.unwrap();
            }
        }
    });
    app.publish(&entries).await;
    // Only new drifts and alerts wait.
    app.publish(&[app.entry(resolved(over))]).await;
    assert_eq!(receiver.wait(1).await[0].body["data"]["id"], json!(over));
    app.advance(TimeDelta::seconds(61));
    assert_eq!(receiver.wait(2).await[1].body["data"]["id"], json!(unseen));
    eventually("the other one is finished", async || {
        let path = "/api/v1/notifications/deliveries?status=received";
        let list = app.engineer().get(path).await.expect(StatusCode::OK);
        list["data"].as_array().unwrap().iter().any(|row| row["eventId"] == json!(seen_event))
    })
    .await;
    assert_eq!(receiver.received().len(), 2);
}
