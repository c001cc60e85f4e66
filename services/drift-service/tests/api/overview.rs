//! The numbers of the overview: the trend by days, and what changed since a time.

use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::App;
use crate::lifecycle::report;

async fn add(app: &App, name: &str, severity: &str, detected_at: DateTime<Utc>) -> String {
    let mut body = report(name, 1);
    body["severity"] = json!(severity);
    body["detectedAt"] = json!(detected_at);
    app.engineer().post("/api/v1/drifts", &body).await.data()["id"].as_str().unwrap().into()
}

async fn act(app: &App, id: &str, action: &str) {
    app.admin().post(&format!("/api/v1/drifts/{id}/{action}"), &json!({"reason": "because"})).await.data();
}

#[rstest]
#[actix_web::test]
async fn the_trend_has_every_day_in_the_readers_time(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let now = app.platform.clock().now();
    let today = now.date_naive().and_hms_opt(0, 0, 0).unwrap().and_utc();
    // Half an hour after midnight in UTC, which is the day before in New York and the same day in India.
    let night = today - TimeDelta::days(3) + TimeDelta::minutes(30);
    for (index, (severity, at)) in
        [("critical", night), ("info", night), ("warning", today - TimeDelta::days(40))]
            .into_iter()
            .enumerate()
    {
        add(&app, &format!("i-{index}"), severity, at).await;
    }
    let decided = add(&app, "i-decided", "warning", now - TimeDelta::seconds(5)).await;
    act(&app, &decided, "approve").await;
    let resolved = add(&app, "i-resolved", "warning", now - TimeDelta::seconds(5)).await;
    act(&app, &resolved, "resolve").await;

    let trend = async |query: &str| app.anonymous.get(&format!("/api/v1/metrics/trend?{query}")).await.data();
    let day = |days: &Value, back: i64, of: DateTime<Utc>| {
        let name = (of - TimeDelta::days(back)).date_naive().to_string();
        days["days"].as_array().unwrap().iter().find(|day| day["day"] == name).cloned().unwrap()
    };
    let utc = trend("").await;
    assert_eq!(utc["days"].as_array().unwrap().len(), 14);
    assert_eq!(utc["days"][13]["day"], now.date_naive().to_string(), "the oldest day first");
    assert_eq!(day(&utc, 3, now)["opened"], json!({"critical": 1, "warning": 0, "info": 1}));
    assert_eq!(day(&utc, 4, now)["opened"], json!({"critical": 0, "warning": 0, "info": 0}));
    let sum = |days: &Value, name: &str| {
        days["days"].as_array().unwrap().iter().map(|day| day[name].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!((sum(&utc, "decided"), sum(&utc, "resolved")), (1, 1));

    let there = now - TimeDelta::hours(5);
    let new_york = trend("days=30&offsetMinutes=-300").await;
    assert_eq!(new_york["days"].as_array().unwrap().len(), 30);
    let local_night = (night - TimeDelta::hours(5)).date_naive().to_string();
    let days = new_york["days"].as_array().unwrap();
    assert_eq!(days[29]["day"], there.date_naive().to_string());
    let that_day = days.iter().find(|day| day["day"] == local_night).unwrap();
    assert_eq!(that_day["opened"]["critical"], 1);
    let filtered = trend("days=366&severity=warning").await;
    let opened =
        |day: &Value| ["critical", "warning", "info"].map(|name| day["opened"][name].as_i64().unwrap());
    let total = filtered["days"].as_array().unwrap().iter().map(opened).fold([0; 3], |mut all, day| {
        all.iter_mut().zip(day).for_each(|(all, day)| *all += day);
        all
    });
    assert_eq!(total, [0, 3, 0]);
    for bad in ["days=0", "days=367", "offsetMinutes=841", "days=x"] {
        let path = format!("/api/v1/metrics/trend?{bad}");
        app.anonymous.get(&path).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}

#[rstest]
#[actix_web::test]
async fn the_changes_since_a_visit_are_counted_once_each(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let start = app.platform.clock().now();
    let old = add(&app, "i-old", "critical", start - TimeDelta::days(1)).await;
    let gone = add(&app, "i-gone", "info", start - TimeDelta::days(1)).await;
    app.advance(TimeDelta::hours(1));
    let visit = app.platform.clock().now();
    app.advance(TimeDelta::hours(1));
    let fresh = add(&app, "i-fresh", "warning", visit + TimeDelta::minutes(30)).await;
    act(&app, &old, "approve").await;
    act(&app, &gone, "resolve").await;
    act(&app, &fresh, "reject").await;
    act(&app, &fresh, "reopen").await;
    act(&app, &fresh, "reject").await;
    let since =
        |at: DateTime<Utc>| format!("/api/v1/metrics/changes?since={}", at.format("%Y-%m-%dT%H:%M:%SZ"));
    let changes = app.anonymous.get(&since(visit)).await.data();
    assert_eq!(changes["opened"], json!({"critical": 0, "warning": 1, "info": 0}));
    let names = ["approved", "rejected", "resolved", "reopened"];
    assert_eq!(names.map(|name| changes[name].as_i64().unwrap()), [1, 1, 1, 1]);
    let stack = &changes["stacks"][0];
    assert_eq!((&stack["opened"], &stack["resolved"]), (&json!(1), &json!(1)));
    let later = app.anonymous.get(&since(app.platform.clock().now() + TimeDelta::hours(1))).await.data();
    assert_eq!((&later["stacks"], &later["approved"]), (&json!([]), &json!(0)));
    app.anonymous.get("/api/v1/metrics/changes").await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}
