//! Restarts, replicas, replays, and a log that was lost: nothing is missed, or it is said.

use std::collections::HashSet;

use chrono::TimeDelta;
use contracts::drift::Severity;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::{App, DESTINATIONS};
use crate::events::created;
use crate::inbox::Receiver;

fn ids(receiver: &Receiver) -> HashSet<String> {
    receiver.received().iter().map(|message| message.header("webhook-id").to_owned()).collect()
}

#[rstest]
#[actix_web::test]
async fn replicas_share_the_work_and_deliver_each_event_once(#[values(Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let replicas = [app.replica().await, app.replica().await];
    let receivers: Vec<_> = (0..10).map(|_| Receiver::start()).collect();
    for receiver in &receivers {
        app.webhook(receiver, json!({})).await;
    }
    for _ in 0..10 {
        let entries = (0..10).map(|_| app.entry(created(Uuid::now_v7(), "prod", Severity::Info)));
        replicas[0].publish(&entries.collect::<Vec<_>>()).await;
    }
    for receiver in &receivers {
        receiver.wait(100).await;
    }
    eventually("the results are stored", async || {
        let path = "/api/v1/notifications/deliveries?status=pending";
        app.engineer().get(path).await.expect(StatusCode::OK)["data"] == json!([])
    })
    .await;
    for receiver in &receivers {
        assert_eq!((receiver.received().len(), ids(receiver).len()), (100, 100));
    }
}

#[actix_web::test]
async fn events_of_a_time_without_the_service_are_delivered_after_the_start() {
    let app = App::start(Backend::Real).await;
    let receiver = Receiver::start();
    app.webhook(&receiver, json!({})).await;
    let first = app.drift("prod", Severity::Info).await;
    receiver.wait(1).await;
    app.platform.lifecycle().served.cancel();
    let missed = app.drift("prod", Severity::Info).await;
    let _restarted = app.replica().await;
    let received = receiver.wait(2).await;
    let drifts: Vec<_> = received.iter().map(|message| message.body["data"]["id"].clone()).collect();
    assert_eq!(drifts, [json!(first), json!(missed)]);
}

#[actix_web::test]
async fn a_lost_log_is_reported_once_and_what_follows_is_delivered() {
    let app = App::start(Backend::Real).await;
    let receiver = Receiver::start();
    app.webhook(&receiver, json!({"rules": {"events": ["drift:*"]}})).await;
    app.drift("prod", Severity::Info).await;
    receiver.wait(1).await;
    app.lose_redis();
    let after = app.drift("prod", Severity::Info).await;
    let received = receiver.wait(3).await;
    let types: Vec<_> = received.iter().map(|message| message.body["type"].clone()).collect();
    assert_eq!(types.iter().filter(|kind| **kind == "notification:events_missed").count(), 1, "{types:?}");
    assert!(received.iter().any(|message| message.body["data"]["id"] == json!(after)));
    let missed =
        received.iter().find(|message| message.body["type"] == "notification:events_missed").unwrap();
    assert!(missed.body["data"]["since"].is_string(), "{missed:?}");
}

/// Also if no event was ever read before.
#[rstest]
#[actix_web::test]
async fn a_log_that_no_longer_reaches_back_is_reported(#[values(true, false)] has_read: bool) {
    let app = App::start(Backend::Real).await;
    let receiver = Receiver::start();
    app.webhook(&receiver, json!({})).await;
    if has_read {
        app.drift("prod", Severity::Info).await;
        receiver.wait(1).await;
    }
    app.platform.lifecycle().served.cancel();
    for _ in 0..3 {
        app.drift("prod", Severity::Info).await;
    }
    app.trim_log();
    let before = receiver.received().len();
    let restarted = app.replica().await;
    assert_eq!(receiver.wait(before + 1).await[before].body["type"], "notification:events_missed");
    let after = restarted.drift("prod", Severity::Info).await;
    assert_eq!(receiver.wait(before + 2).await[before + 1].body["data"]["id"], json!(after));
}

#[rstest]
#[actix_web::test]
async fn events_are_sent_again_from_a_position_and_from_a_time(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let receiver = Receiver::start();
    let destination = app.webhook(&receiver, json!({"rules": {"stacks": ["prod"]}})).await;
    app.drift("prod", Severity::Info).await;
    let head = app.platform.backplane().log.head().await.unwrap();
    let (_other, second) = (app.drift("test", Severity::Info).await, app.drift("prod", Severity::Info).await);
    receiver.wait(2).await;
    let path = format!("{DESTINATIONS}/{}/replay", destination["id"].as_str().unwrap());
    let answer = app.admin().post(&path, &json!({"position": head.to_string()})).await;
    assert_eq!(answer.data()["deliveries"], 1);
    let again = receiver.wait(3).await;
    assert_eq!(again[2].body["data"]["id"], json!(second));
    assert_eq!(ids(&receiver).len(), 2, "a repeated message has the same id");

    let since = app.platform.clock().now() - TimeDelta::hours(1);
    eventually("all are finished", async || {
        app.admin().post(&path, &json!({"since": since})).await.data()["deliveries"] == 2
    })
    .await;
    receiver.wait(5).await;
    for bad in [json!({}), json!({"position": head.to_string(), "since": since}), json!({"position": "x"})] {
        app.admin().post(&path, &bad).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    let unknown = json!({"position": "other:1"});
    app.admin().post(&path, &unknown).await.error(StatusCode::CONFLICT, "CONFLICT");
}

#[rstest]
#[actix_web::test]
async fn events_about_a_deleted_user_are_erased(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    use contracts::events::auth::{UserDeleted, UserRegistered};

    let app = App::start(backend).await;
    let receiver = Receiver::start();
    app.webhook(&receiver, json!({"rules": {"events": ["auth:*"]}})).await;
    let user_id = Uuid::new_v4();
    app.publish(&[app.entry(UserRegistered { user_id, email: "ann@example.com".into() })]).await;
    let list = "/api/v1/notifications/deliveries?status=delivered";
    let delivered =
        async || app.engineer().get(list).await.expect(StatusCode::OK)["data"].as_array().unwrap().len();
    eventually("the delivery", async || delivered().await == 1).await;
    assert_eq!(app.count("notify_events").await, 1);
    app.publish(&[app.entry(UserDeleted { user_id })]).await;
    receiver.wait(2).await;
    assert_eq!(receiver.received()[0].body["data"]["email"], "ann@example.com");
    assert_eq!(app.count("notify_events").await, 1, "the event about the deletion itself");
    let events = app.engineer().get("/api/v1/notifications/events").await.data();
    assert_eq!(events, json!([]), "events about users are for admins");
}
