//! Drifts that return after a scan had resolved them.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Role;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};

use crate::app::{App, upload, walk};
use crate::stacks::plan;

/// Uploads complete scans that show and do not show a drift in turn, a day apart, until it has returned that often.
async fn flap(app: &App, caller: &Client, returns: u32) {
    for minute in 1..=returns * 2 + 1 {
        app.advance(TimeDelta::days(1));
        let drifts = (minute % 2) as usize;
        upload(caller, "stack=prod&complete=true", plan(minute, drifts)).await.data();
    }
}

async fn open(caller: &Client) -> Value {
    walk(caller, "/api/v1/drifts?stack=prod&status=detected").await.remove(0)
}

#[rstest]
#[actix_web::test]
async fn a_drift_that_returns_after_each_fix_shows_its_rhythm(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (engineer, _) = app.lasting(Role::Engineer);
    let flapping = async |is_flapping: bool| {
        let path = format!("/api/v1/drifts?status=detected&flapping={is_flapping}");
        walk(&engineer, &path).await.len()
    };
    flap(&app, &engineer, 2).await;
    let drift = open(&engineer).await;
    assert_eq!((&drift["returns"], &drift["recurrence"]["returns"]), (&json!(2), &json!(2)));
    assert_eq!((flapping(true).await, flapping(false).await), (0, 1));

    upload(&engineer, "stack=prod&complete=true", plan(10, 0)).await.data();
    app.advance(TimeDelta::days(2));
    upload(&engineer, "stack=prod&complete=true", plan(11, 1)).await.data();
    let drift = open(&engineer).await;
    assert_eq!((&drift["returns"], flapping(true).await, flapping(false).await), (&json!(3), 1, 0));
    let last: DateTime<Utc> = drift["recurrence"]["lastReturnAt"].as_str().unwrap().parse().unwrap();
    assert!((app.platform.clock().now() - last).abs() < TimeDelta::minutes(5), "{last}");
    let seconds = drift["recurrence"]["medianIntervalSeconds"].as_i64().unwrap();
    assert_eq!((seconds + 3_600) / 86_400, 2, "{seconds}");

    // Another value of an approved drift is no return, and keeps the count.
    let path = format!("/api/v1/drifts/{}", drift["id"].as_str().unwrap());
    engineer.post(&format!("{path}/approve"), &json!({"reason": "known"})).await.data();
    let mut other: Value = serde_json::from_slice(&plan(12, 1)).unwrap();
    other["resource_drift"][0]["change"]["after"]["instance_type"] = json!("t3.2xlarge");
    upload(&engineer, "stack=prod&complete=true", other.to_string().into()).await.data();
    let next = open(&engineer).await;
    assert_eq!((&next["previousDriftId"], &next["returns"]), (&drift["id"], &json!(3)));

    // After more than 30 days, the count begins again.
    upload(&engineer, "stack=prod&complete=true", plan(13, 0)).await.data();
    app.advance(TimeDelta::days(31));
    upload(&engineer, "stack=prod&complete=true", plan(14, 1)).await.data();
    let late = open(&engineer).await;
    assert_eq!((&late["returns"], &late["recurrence"]), (&json!(0), &Value::Null));
    engineer.get("/api/v1/drifts?flapping=often").await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_drift_that_a_person_resolved_does_not_return(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (engineer, _) = app.lasting(Role::Engineer);
    flap(&app, &engineer, 1).await;
    let drift = open(&engineer).await;
    assert_eq!(drift["returns"], 1);
    let path = format!("/api/v1/drifts/{}/resolve", drift["id"].as_str().unwrap());
    engineer.post(&path, &json!({})).await.data();
    upload(&engineer, "stack=prod&complete=true", plan(20, 1)).await.data();
    assert_eq!(open(&engineer).await["returns"], 0);
}

#[rstest]
#[actix_web::test]
async fn a_drift_that_returns_or_has_another_value_keeps_its_assignee_ticket_and_watchers(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (engineer, id) = app.lasting(Role::Engineer);
    let (viewer, viewer_id) = app.lasting(Role::Viewer);
    upload(&engineer, "stack=prod&complete=true", plan(1, 1)).await.data();
    let path = async || format!("/api/v1/drifts/{}", open(&engineer).await["id"].as_str().unwrap());
    let ticket = "https://tickets.example.com/browse/OPS-1";
    let until = app.platform.clock().now() + TimeDelta::days(5);
    let change = json!({"assigneeId": id, "ticketUrl": ticket, "snoozedUntil": until});
    engineer.patch(&path().await, &change).await.data();
    put(&viewer, &format!("{}/watch", path().await)).await;

    let check = async || {
        let drift = engineer.get(&path().await).await.data();
        assert_eq!((&drift["assigneeId"], &drift["ticketUrl"]), (&json!(id), &json!(ticket)));
        assert_eq!(drift["snoozedUntil"], Value::Null, "a new drift is not snoozed");
        let mut watchers: Vec<String> = serde_json::from_value(drift["watchers"].clone()).unwrap();
        watchers.sort_unstable();
        let mut expected = [id.clone(), viewer_id.clone()];
        expected.sort_unstable();
        assert_eq!(watchers, expected);
    };
    upload(&engineer, "stack=prod&complete=true", plan(2, 0)).await.data();
    upload(&engineer, "stack=prod&complete=true", plan(3, 1)).await.data();
    check().await;
    engineer.post(&format!("{}/reject", path().await), &json!({"reason": "no"})).await.data();
    let mut other: Value = serde_json::from_slice(&plan(4, 1)).unwrap();
    other["resource_drift"][0]["change"]["after"]["instance_type"] = json!("t3.2xlarge");
    upload(&engineer, "stack=prod&complete=true", other.to_string().into()).await.data();
    check().await;
}

pub(crate) async fn put(caller: &Client, path: &str) -> testing::Answer {
    caller.send(caller.request(testing::Method::PUT, path)).await
}
