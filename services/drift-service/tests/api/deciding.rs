//! Everybody sees who is deciding on a drift.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};

use crate::app::App;
use crate::lifecycle::report;

#[rstest]
#[actix_web::test]
async fn everybody_at_every_replica_sees_who_is_deciding(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let other = match backend {
        Backend::Memory => None,
        Backend::Real => Some(app.replica().await),
    };
    let other = other.as_ref().unwrap_or(&app);
    let id = app.engineer().post("/api/v1/drifts", &report("i-1", 1)).await.data()["id"].clone();
    let drift = format!("/api/v1/drifts/{}", id.as_str().unwrap());
    let deciding = format!("{drift}/deciding");
    let (ana, viewer) = (app.engineer(), other.viewer());
    let people = async || viewer.get(&drift).await.data()["deciding"].as_array().unwrap().len();
    assert_eq!(people().await, 0);
    viewer.put(&deciding, &Value::Null).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    for _ in 0..2 {
        ana.put(&deciding, &Value::Null).await.expect(StatusCode::OK);
    }
    eventually("somebody decides", async || people().await == 1).await;
    let event = app.expect_events("drift:deciding", 2).await.remove(1);
    assert_eq!(event["payload"]["id"], id);
    assert!(event.get("seq").is_none_or(Value::is_null), "{event}");
    let shown = viewer.get(&drift).await.data()["deciding"][0].clone();
    assert_eq!((&shown["by"], &shown["until"]), (&event["payload"]["by"], &event["payload"]["until"]));
    assert!(other.anonymous.get(&drift).await.data().get("deciding").is_none(), "strangers see no people");
    assert!(viewer.get("/api/v1/drifts").await.expect(StatusCode::OK)["data"][0].get("deciding").is_none());

    app.engineer().put(&deciding, &Value::Null).await.expect(StatusCode::OK);
    eventually("two decide", async || people().await == 2).await;
    ana.delete(&deciding).await.expect(StatusCode::OK);
    eventually("one is left", async || people().await == 1).await;
    other.advance(TimeDelta::seconds(31));
    eventually("nobody is left", async || people().await == 0).await;

    ana.post(&format!("{drift}/resolve"), &json!({"reason": "fixed"})).await.data();
    ana.put(&deciding, &Value::Null).await.error(StatusCode::CONFLICT, "INVALID_TRANSITION");
    let unknown = format!("/api/v1/drifts/{}/deciding", uuid::Uuid::new_v4());
    ana.put(&unknown, &Value::Null).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[rstest]
#[actix_web::test]
async fn one_person_cannot_flood_everybody_with_announcements(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let id = app.engineer().post("/api/v1/drifts", &report("i-1", 1)).await.data()["id"].clone();
    let deciding = format!("/api/v1/drifts/{}/deciding", id.as_str().unwrap());
    let ana = app.engineer();
    for _ in 0..60 {
        ana.put(&deciding, &Value::Null).await.expect(StatusCode::OK);
        ana.delete(&deciding).await.expect(StatusCode::OK);
    }
    ana.put(&deciding, &Value::Null).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    ana.delete(&deciding).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    app.engineer().put(&deciding, &Value::Null).await.expect(StatusCode::OK);
    app.expect_events("drift:deciding", 121).await;
}
