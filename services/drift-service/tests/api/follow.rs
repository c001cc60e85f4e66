//! Comments, assignee, ticket, snooze and watchers.

use chrono::TimeDelta;
use contracts::Role;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::{App, walk};
use crate::lifecycle::{report, reported};
use crate::returns::put;

#[rstest]
#[actix_web::test]
async fn people_comment_on_a_drift_and_delete_their_own_comments(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (engineer, id) = app.lasting(Role::Engineer);
    let drift = reported(&engineer, "i-1").await;
    let path = format!("{drift}/comments");
    let version = app.viewer().get(&drift).await.data()["version"].clone();
    let first = engineer
        .post(&path, &json!({"text": "Ask the team.\nToken: ghp_0123456789abcdefghijABCDEFGHIJ456789"}))
        .await;
    let first = first.expect(StatusCode::CREATED)["data"].take();
    assert_eq!(first["by"], id);
    let text = first["text"].as_str().unwrap();
    assert!(text.starts_with("Ask the team.") && !text.contains("ghp_"), "{text}");
    let other = app.engineer();
    for text in ["second", "third"] {
        other.post(&path, &json!({"text": text})).await.expect(StatusCode::CREATED);
        app.advance(TimeDelta::seconds(1));
    }
    let texts = async || {
        let comments = walk(&app.viewer(), &format!("{path}?limit=2")).await;
        comments.iter().map(|comment| comment["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts().await, ["third", "second", text]);
    let shown = app.viewer().get(&drift).await.data();
    assert_eq!((&shown["version"], shown["watchers"].as_array().unwrap().len()), (&version, 2));

    let own = format!("{path}/{}", first["id"].as_str().unwrap());
    other.delete(&own).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let elsewhere = reported(&engineer, "i-2").await;
    let wrong = format!("{elsewhere}/comments/{}", first["id"].as_str().unwrap());
    engineer.delete(&wrong).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    engineer.delete(&own).await.data();
    engineer.delete(&own).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let second = walk(&other, &path_with_limit(&path)).await.remove(1);
    app.admin().delete(&format!("{path}/{}", second["id"].as_str().unwrap())).await.data();
    assert_eq!(texts().await, ["third"]);

    let commented = app.expect_events("drift:commented", 3).await;
    assert_eq!(commented[0]["payload"]["commentId"], first["id"]);
    assert!(!app.published().contains("Ask the team"), "events have no text");
    app.expect_events("drift:uncommented", 2).await;
    let history = walk(&app.viewer(), &format!("{drift}/history?limit=100")).await;
    let actions: Vec<&Value> = history.iter().map(|row| &row["action"]).collect();
    assert_eq!(actions.iter().filter(|action| **action == "drift.comment").count(), 3);
    assert_eq!(actions.iter().filter(|action| **action == "drift.uncomment").count(), 2);
    assert!(!json!(history).to_string().contains("Ask the team"), "the audit has no text");

    app.admin().delete(&drift).await.data();
    assert_eq!(app.count("drift_comments").await, 0);
}

fn path_with_limit(path: &str) -> String {
    format!("{path}?limit=100")
}

#[rstest]
#[actix_web::test]
async fn a_comment_has_bounds(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let path = format!("{}/comments", reported(&engineer, "i-1").await);
    for text in [json!(""), json!("x".repeat(4_001)), json!("a\0b"), json!(1)] {
        let refused = engineer.post(&path, &json!({"text": text})).await;
        refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    let unknown = format!("/api/v1/drifts/{}/comments", Uuid::new_v4());
    engineer.post(&unknown, &json!({"text": "x"})).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    app.viewer().get(&unknown).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    for _ in 0..500 {
        engineer.post(&path, &json!({"text": "x"})).await.expect(StatusCode::CREATED);
    }
    engineer.post(&path, &json!({"text": "x"})).await.error(StatusCode::CONFLICT, "CONFLICT");
}

#[rstest]
#[actix_web::test]
async fn a_drift_has_an_assignee_and_a_ticket(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let path = reported(&engineer, "i-1").await;
    reported(&engineer, "i-2").await;
    let (_, alice) = app.lasting(Role::Engineer);
    let ticket = "https://tickets.example.com/browse/OPS-1?x=1#y";
    let changed = engineer.patch(&path, &json!({"assigneeId": alice, "ticketUrl": ticket})).await.data();
    assert_eq!((&changed["assigneeId"], &changed["ticketUrl"]), (&json!(alice), &json!(ticket)));
    assert_eq!(changed["version"], 2);
    let history = walk(&app.viewer(), &format!("{path}/history")).await;
    assert_eq!(history[0]["changedFields"], json!(["assigneeId", "ticketUrl"]));
    app.expect_events("drift:updated", 1).await;
    assert_eq!(app.viewer().get(&path).await.data()["watchers"], json!([alice]));

    let listed = async |query: &str| walk(&engineer, &format!("/api/v1/drifts?{query}")).await.len();
    assert_eq!((listed(&format!("assignee={alice}")).await, listed("assignee=none").await), (1, 1));
    assert_eq!(listed(&format!("assignee={}", Uuid::new_v4())).await, 0);

    // The same values again change nothing.
    let same = engineer.patch(&path, &json!({"assigneeId": alice})).await.data();
    assert_eq!(same["version"], 2);
    let without = engineer.patch(&path, &json!({"assigneeId": null, "ticketUrl": null})).await.data();
    assert_eq!((&without["assigneeId"], &without["ticketUrl"]), (&Value::Null, &Value::Null));
    engineer.patch(&path, &json!({})).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    engineer
        .patch(&path, &json!({"assigneeId": "alice"}))
        .await
        .error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_ticket_is_a_plain_https_page(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let path = reported(&engineer, "i-1").await;
    for url in [
        "javascript:alert(1)",
        "http://tickets.example.com/1",
        "https://user:password@tickets.example.com/1",
        "https://user@tickets.example.com/1",
        "https:///1",
        "https://tickets.example.com/a b",
        "https://tickets.example.com/\u{202e}",
        "",
        "https://tickets.example.com/1?token=ghp_0123456789abcdefghijABCDEFGHIJ456789",
        &format!("https://tickets.example.com/{}", "x".repeat(500)),
    ] {
        let error = engineer.patch(&path, &json!({"ticketUrl": url})).await;
        let error = error.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "ticketUrl", "{url}: {error}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_snoozed_drift_waits_until_its_time_and_is_announced_again(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--stack-check-interval=20ms"]).await;
    let (engineer, _) = app.lasting(Role::Engineer);
    let path = reported(&engineer, "i-1").await;
    let snooze = async |lasts: TimeDelta| {
        let until = app.platform.clock().now() + lasts;
        engineer.patch(&path, &json!({"snoozedUntil": until})).await
    };
    let listed = async |query: &str| walk(&engineer, &format!("/api/v1/drifts?{query}")).await.len();
    for lasts in [TimeDelta::zero(), TimeDelta::days(91)] {
        let error = snooze(lasts).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "snoozedUntil");
    }
    for round in 1..=2usize {
        let snoozed = snooze(TimeDelta::days(1)).await.data();
        assert_eq!(snoozed["status"], "detected");
        assert_ne!(snoozed["snoozedUntil"], Value::Null);
        assert_eq!(
            (listed("").await, listed("snoozed=false").await, listed("snoozed=true").await),
            (1, 0, 1)
        );
        let summary = engineer.get("/api/v1/metrics/summary").await.data();
        assert_eq!((&summary["open"], &summary["snoozed"]), (&json!(1), &json!(1)));
        app.expect_events("drift:updated", 2 * round - 1).await;
        app.advance(TimeDelta::days(1));
        eventually("the snooze has ended", async || listed("snoozed=false").await == 1).await;
        app.expect_events("drift:updated", 2 * round).await;
        let alerts = walk(&engineer, "/api/v1/alerts?type=snooze_ended&isRead=false").await;
        assert_eq!(alerts.len(), 1);
    }

    // Another value ends the snooze, and so does a decision.
    snooze(TimeDelta::days(1)).await.data();
    let other = engineer.post("/api/v1/drifts", &report("i-1", 3)).await.data();
    assert_eq!(other["snoozedUntil"], Value::Null);
    snooze(TimeDelta::days(1)).await.data();
    let decided = engineer.post(&format!("{path}/approve"), &json!({"reason": "fine"})).await.data();
    assert_eq!(decided["snoozedUntil"], Value::Null);
    let error = snooze(TimeDelta::days(1)).await.error(StatusCode::CONFLICT, "INVALID_TRANSITION");
    assert_eq!(error["details"]["status"], "approved");
}

#[rstest]
#[actix_web::test]
async fn everybody_with_an_account_may_watch_a_drift(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let path = reported(&engineer, "i-1").await;
    reported(&engineer, "i-2").await;
    let (viewer, id) = app.lasting(Role::Viewer);
    let watch = format!("{path}/watch");
    for _ in 0..2 {
        let view = put(&viewer, &watch).await.data();
        assert_eq!(view, json!({"watchers": [id], "isWatched": true}));
    }
    let listed = async |caller: &testing::Client, is_watched: bool| {
        walk(caller, &format!("/api/v1/drifts?watched={is_watched}")).await.len()
    };
    assert_eq!((listed(&viewer, true).await, listed(&viewer, false).await), (1, 1));
    assert_eq!((listed(&engineer, true).await, listed(&engineer, false).await), (0, 2));
    let facets = viewer.get("/api/v1/drifts/facets?watched=true").await.data();
    assert_eq!(facets["status"], json!([{"value": "detected", "count": 1}]));
    let drift = viewer.get(&path).await.data();
    assert_eq!((&drift["isWatched"], &drift["version"]), (&json!(true), &json!(1)));
    assert_eq!(engineer.get(&path).await.data()["isWatched"], false);

    // Whoever decides watches as well.
    engineer.post(&format!("{path}/approve"), &json!({"reason": "fine"})).await.data();
    assert_eq!(engineer.get(&path).await.data()["isWatched"], true);
    for _ in 0..2 {
        assert_eq!(viewer.delete(&watch).await.data()["isWatched"], false);
    }
    assert_eq!(listed(&viewer, true).await, 0);
    for _ in 0..99 {
        put(&app.viewer(), &watch).await.data();
    }
    put(&viewer, &watch).await.error(StatusCode::CONFLICT, "CONFLICT");
    let unknown = format!("/api/v1/drifts/{}/watch", Uuid::new_v4());
    put(&viewer, &unknown).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let audit = walk(&app.admin(), "/api/v1/audit?limit=100").await;
    assert!(!json!(audit).to_string().contains("watch"), "watching is not audited");
    app.admin().delete(&path).await.data();
    assert_eq!(app.count("drift_watchers").await, 0);
}

/// Without an account, nobody sees who takes care of a drift, not even by filters.
#[rstest]
#[actix_web::test]
async fn the_public_does_not_see_who_takes_care_of_a_drift_s104(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--public-reads=true"]).await;
    let (engineer, id) = app.lasting(Role::Engineer);
    let path = reported(&engineer, "i-1").await;
    engineer
        .patch(&path, &json!({"assigneeId": id, "ticketUrl": "https://tickets.example.com/1"}))
        .await
        .data();
    engineer
        .post(&format!("{path}/comments"), &json!({"text": "a comment"}))
        .await
        .expect(StatusCode::CREATED);
    let drift = app.anonymous.get(&path).await.data();
    assert_eq!(drift["status"], "detected");
    for field in ["assigneeId", "ticketUrl", "watchers", "isWatched"] {
        assert_eq!(drift[field], Value::Null, "{field}");
    }
    assert!(!drift.to_string().contains(&id), "{drift}");
    let status = app.anonymous.get(&format!("{path}/comments")).await.status;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for filter in ["assignee=none".into(), format!("assignee={id}"), "watched=false".into()] {
        for list in ["drifts", "drifts/facets", "metrics/summary"] {
            let answer = app.anonymous.get(&format!("/api/v1/{list}?{filter}")).await;
            answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        }
    }
}
