//! Events reach the destinations that want them: each once, in order for each subject, again after failures.

use std::collections::HashMap;

use actix_web::HttpResponse;
use chrono::TimeDelta;
use contracts::drift::Severity;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::{App, DESTINATIONS};
use crate::events::{created, resolved, updated};
use crate::inbox::Receiver;

#[rstest]
#[actix_web::test]
async fn a_webhook_receives_the_wanted_events_once_and_signed(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let receiver = Receiver::start();
    app.drift("prod", Severity::Critical).await;
    let rules = json!({"rules": {"events": ["drift:*"], "stacks": ["prod*"], "minSeverity": "warning"}});
    let destination = app.webhook(&receiver, rules).await;
    assert!(destination["signingSecret"].as_str().unwrap().starts_with("whsec_"), "{destination}");
    assert_eq!(app.get(&destination).await["signingSecret"], Value::Null);

    app.drift("test", Severity::Critical).await;
    app.drift("prod", Severity::Info).await;
    let wanted = app.drift("prod-eu", Severity::Warning).await;
    let last = app.drift("prod", Severity::Critical).await;
    let received = receiver.wait(2).await;
    let mut ids: Vec<_> = received.iter().map(|message| message.body["data"]["id"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    assert_eq!(ids, [json!(wanted), json!(last)]);
    let message = received.iter().find(|message| message.body["data"]["id"] == json!(wanted)).unwrap();
    assert_eq!(message.body["type"], "drift:created");
    assert_eq!(message.header("webhook-id"), message.body["eventId"].as_str().unwrap());
    assert!(message.header("webhook-signature").starts_with("v1,"));
    assert_eq!(message.header("content-type"), "application/json");
    eventually("the results are stored", async || {
        let list = app
            .engineer()
            .get("/api/v1/notifications/deliveries?status=delivered")
            .await
            .expect(StatusCode::OK);
        list["data"].as_array().unwrap().len() == 2
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn deliveries_about_a_subject_keep_their_order_through_failures(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    // Every third request fails.
    let receiver = Receiver::answering(|before, _| match before % 3 {
        2 => HttpResponse::InternalServerError().finish(),
        _ => HttpResponse::Ok().finish(),
    });
    let destination = app.webhook(&receiver, json!({})).await;
    let drifts: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
    for version in 1..=6 {
        let entries = drifts.iter().map(|id| match version {
            1 => app.entry(created(*id, "prod", Severity::Warning)),
            6 => app.entry(resolved(*id)),
            version => app.entry(updated(*id, version, Severity::Warning)),
        });
        app.publish(&entries.collect::<Vec<_>>()).await;
    }
    let delivered = async || {
        let path = "/api/v1/notifications/deliveries?status=delivered&limit=100";
        app.engineer().get(path).await.expect(StatusCode::OK)["data"].as_array().unwrap().len()
    };
    eventually("all deliveries", async || {
        app.advance(TimeDelta::seconds(20));
        delivered().await == 30
    })
    .await;
    let mut seen: HashMap<String, Vec<(String, Value)>> = HashMap::new();
    for message in receiver.received() {
        let drift = message.body["data"]["id"].as_str().unwrap().to_owned();
        let id = message.header("webhook-id").to_owned();
        let events = seen.entry(drift).or_default();
        // A repeated attempt has the same id, and nothing comes between.
        if events.last().is_none_or(|(last, _)| *last != id) {
            events.push((id, message.body["type"].clone()));
        }
    }
    for events in seen.values() {
        let types: Vec<_> = events.iter().map(|(_, event_type)| event_type.as_str().unwrap()).collect();
        let expected = [
            "drift:created",
            "drift:updated",
            "drift:updated",
            "drift:updated",
            "drift:updated",
            "drift:resolved",
        ];
        assert_eq!(types, expected);
    }
    assert_eq!(app.get(&destination).await["health"], "ok");
}

#[rstest]
#[actix_web::test]
async fn a_failing_destination_gets_pauses_and_recovers(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let receiver = Receiver::answering(|before, _| match before {
        0..8 => HttpResponse::ServiceUnavailable().finish(),
        _ => HttpResponse::NoContent().finish(),
    });
    let watcher = Receiver::start();
    app.webhook(&watcher, json!({"name": "Watcher", "rules": {"events": ["notification:*"]}})).await;
    let destination = app.webhook(&receiver, json!({"rules": {"events": ["drift:*"]}})).await;
    for _ in 0..8 {
        app.drift("prod", Severity::Warning).await;
    }
    let told = watcher.wait(1).await;
    assert_eq!(told[0].body["type"], "notification:destination_failing");
    assert_eq!(told[0].body["data"]["id"], destination["id"]);
    assert_eq!(told[0].body["data"]["failure"], "status_503");
    let failing = app.get(&destination).await;
    assert_eq!((&failing["health"], &failing["lastFailure"]), (&json!("failing"), &json!("status_503")));
    eventually("the recovery", async || {
        app.advance(TimeDelta::minutes(1));
        app.get(&destination).await["health"] == "ok"
    })
    .await;
    assert_eq!(watcher.wait(2).await[1].body["type"], "notification:destination_recovered");
    eventually("all deliveries", async || {
        app.advance(TimeDelta::minutes(1));
        let ids = receiver.received().into_iter().map(|message| message.header("webhook-id").to_owned());
        ids.collect::<std::collections::HashSet<_>>().len() == 8
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn a_delivery_is_given_up_after_its_time_and_sent_again_on_request(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--notify-retry-for=1h"]).await;
    let receiver = Receiver::answering(|_, message| match message.header("x-none") {
        "" => HttpResponse::NotFound().finish(),
        _ => HttpResponse::Ok().finish(),
    });
    let destination = app.webhook(&receiver, json!({})).await;
    app.drift("prod", Severity::Warning).await;
    let path = "/api/v1/notifications/deliveries?status=dead";
    let dead = async || app.engineer().get(path).await.expect(StatusCode::OK)["data"].clone();
    eventually("the end of the attempts", async || {
        app.advance(TimeDelta::minutes(10));
        dead().await.as_array().unwrap().len() == 1
    })
    .await;
    let given_up = dead().await[0].clone();
    assert_eq!(given_up["log"][0]["status"], 404, "{given_up}");
    let before = receiver.received().len();
    let replay = format!("/api/v1/notifications/deliveries/{}/replay", given_up["id"]);
    app.engineer().post(&replay, &json!({})).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(app.admin().post(&replay, &json!({})).await.data()["deliveries"], 1);
    app.admin().post(&replay, &json!({})).await.error(StatusCode::CONFLICT, "CONFLICT");
    eventually("another attempt", async || {
        app.advance(TimeDelta::minutes(1));
        receiver.received().len() > before
    })
    .await;
    let path = format!("{DESTINATIONS}/{}", destination["id"].as_str().unwrap());
    app.admin().delete(&path).await.data();
    app.engineer().get(&path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[rstest]
#[actix_web::test]
async fn a_destination_that_asks_for_time_is_left_alone_until_then(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let receiver = Receiver::answering(|before, _| match before {
        0 => HttpResponse::TooManyRequests().insert_header(("retry-after", "60")).finish(),
        _ => HttpResponse::Ok().finish(),
    });
    let watcher = Receiver::start();
    let destination = app.webhook(&receiver, json!({})).await;
    app.webhook(&watcher, json!({"name": "Watcher"})).await;
    app.drift("prod", Severity::Warning).await;
    eventually("the pause", async || app.get(&destination).await["blockedUntil"].is_string()).await;
    app.drift("prod", Severity::Warning).await;
    watcher.wait(2).await;
    // Long enough for the usual repetition, which would come after six seconds at most.
    app.advance(TimeDelta::seconds(50));
    app.drift("prod", Severity::Warning).await;
    watcher.wait(3).await;
    assert_eq!(receiver.received().len(), 1);
    app.advance(TimeDelta::seconds(20));
    receiver.wait(4).await;
}

#[rstest]
#[actix_web::test]
async fn a_destination_hears_nothing_of_its_own_failures(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let receiver = Receiver::answering(|before, _| match before {
        0..6 => HttpResponse::ServiceUnavailable().finish(),
        _ => HttpResponse::Ok().finish(),
    });
    let watcher = Receiver::start();
    // Both want everything.
    let destination = app.webhook(&receiver, json!({})).await;
    app.webhook(&watcher, json!({"name": "Watcher"})).await;
    for _ in 0..6 {
        app.drift("prod", Severity::Warning).await;
    }
    eventually("the failure", async || app.get(&destination).await["health"] == "failing").await;
    eventually("the recovery", async || {
        app.advance(TimeDelta::minutes(1));
        app.get(&destination).await["health"] == "ok"
    })
    .await;
    let news = watcher.wait(8).await;
    let is_news = |body: &Value| body["type"].as_str().unwrap().starts_with("notification:");
    assert_eq!(news.iter().filter(|message| is_news(&message.body)).count(), 2);
    eventually("all drifts", async || {
        app.advance(TimeDelta::minutes(1));
        let path = format!(
            "/api/v1/notifications/deliveries?status=pending&destination={}",
            destination["id"].as_str().unwrap()
        );
        app.engineer().get(&path).await.expect(StatusCode::OK)["data"] == json!([])
    })
    .await;
    assert!(!receiver.received().iter().any(|message| is_news(&message.body)));
}
