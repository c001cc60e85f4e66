use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};

use super::{start, wrong_field};

async fn items(caller: &Client, query: &str) -> (Vec<Value>, Value) {
    let data = caller.get(&format!("/api/v1/alerts?{query}")).await.data();
    (data["items"].as_array().unwrap().clone(), data["pagination"].clone())
}

async fn unread(caller: &Client) -> Value {
    caller.get("/api/v1/alerts/unread-count").await.data()["count"].take()
}

#[rstest]
#[actix_web::test]
async fn old_alerts_are_listed_filtered_and_sorted(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let engineer = app.engineer();
    for (severity, title) in [("info", "first"), ("critical", "second"), ("warning", "third")] {
        let alert =
            json!({"type": "approval_needed", "severity": severity, "title": title, "message": "Look at it"});
        engineer.post("/api/v1/alerts", &alert).await.data();
        app.advance(chrono::TimeDelta::seconds(1));
    }
    let titles = async |query: &str| {
        let (items, _) = items(&app.anonymous, query).await;
        items.iter().map(|alert| alert["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles("severity=all&status=all&type=all").await, ["third", "second", "first"]);
    assert_eq!(titles("sortOrder=asc").await, ["first", "second", "third"]);
    assert_eq!(titles("sortBy=severity").await, ["second", "third", "first"]);
    assert_eq!(titles("severity=warning").await, ["third"]);
    assert_eq!(titles("search=SECOND").await, ["second"]);
    assert_eq!(titles("search=look%20AT&limit=2&page=2").await, ["first"]);
    assert_eq!(titles("type=drift_detected").await, Vec::<String>::new());
    for (query, field) in
        [("status=new", "status"), ("type=x", "type"), ("isRead=1", "isRead"), ("sortBy=title", "sortBy")]
    {
        wrong_field(&app.anonymous.get(&format!("/api/v1/alerts?{query}")).await, field);
    }
    let (first, about) = items(&app.anonymous, "limit=2").await;
    assert_eq!(about, json!({"total": 3, "page": 1, "pageSize": 2, "totalPages": 2, "hasMore": true}));
    let mut keys: Vec<&String> = first[0].as_object().unwrap().keys().collect();
    keys.sort_unstable();
    // Without an account, nobody learns who has read an alert.
    let shown = [
        "createdAt",
        "driftId",
        "id",
        "isRead",
        "message",
        "readAt",
        "severity",
        "title",
        "type",
        "updatedAt",
    ];
    assert_eq!(keys, shown);
}

#[rstest]
#[actix_web::test]
async fn marking_an_old_alert_as_read_concerns_only_the_caller(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    app.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    let (one, other) = (app.viewer(), app.viewer());
    assert_eq!((unread(&one).await, unread(&app.anonymous).await), (json!(13), json!(13)));
    let id = items(&one, "limit=1").await.0[0]["id"].as_str().unwrap().to_owned();
    let mark = format!("/api/v1/alerts/{id}/mark-read");
    for _ in 0..2 {
        let marked = one.post(&mark, &json!({"anything": 1})).await.data();
        assert_eq!((&marked["isRead"], &marked["updatedAt"]), (&json!(true), &marked["readAt"]));
    }
    assert_eq!((unread(&one).await, unread(&other).await), (json!(12), json!(13)));
    assert_eq!(items(&one, "status=unread").await.1["total"], 12);
    assert_eq!(items(&one, "status=read").await.0[0]["id"], id.as_str());
    assert_eq!(items(&one, "isRead=false").await.1["total"], 12);
    assert_eq!(one.post("/api/v1/alerts/mark-all-read", &json!({})).await.data(), json!({"markedCount": 12}));
    assert_eq!(one.post("/api/v1/alerts/mark-all-read", &json!({})).await.data(), json!({"markedCount": 0}));
    assert_eq!(
        (unread(&one).await, unread(&other).await, unread(&app.anonymous).await),
        (json!(0), json!(13), json!(13))
    );
    app.expect_events("alert:read", 1).await;
    app.expect_events("alert:all_read", 1).await;
    // Everybody could do this in the old stack.
    app.anonymous.post(&mark, &json!({})).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    let all = app.anonymous.post("/api/v1/alerts/mark-all-read", &json!({})).await;
    all.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}
