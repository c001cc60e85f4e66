//! A plan that is checked before it is applied.

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, Method, StatusCode};

use crate::app::{App, SECRETS, packed, sample, upload};

async fn guard(caller: &Client, query: &str, plan: impl Into<Vec<u8>>) -> Answer {
    let request = caller
        .request(Method::POST, &format!("/api/v1/guard?{query}"))
        .header("content-type", "application/json")
        .body(plan.into());
    caller.send(request).await
}

async fn report(app: &App, changes: &[Value]) -> Value {
    guard(&app.engineer(), "stack=demo", plan("resource_changes", changes)).await.data()
}

/// Builds a plan with one list of entries.
fn plan(list: &str, entries: &[Value]) -> Vec<u8> {
    let mut plan = json!({"format_version": "1.2", "resource_drift": [], "resource_changes": [],
        "complete": true, "errored": false, "timestamp": "2026-11-20T09:00:00Z"});
    plan[list] = json!(entries);
    plan.to_string().into_bytes()
}

fn entry(name: &str, actions: &[&str], before: Value, after: Value) -> Value {
    json!({"address": format!("aws_x.{name}"), "mode": "managed", "type": "aws_x", "provider_name": "p",
        "change": {"actions": actions, "before": before, "after": after}})
}

/// Returns the state of a resource of this size.
fn of_size(name: &str, size: u32) -> Value {
    json!({"id": name, "size": size, "name": "a"})
}

/// Returns the plan's entry that sets the size of a resource back to 1.
fn back(name: &str) -> Value {
    entry(name, &["update"], of_size(name, 2), of_size(name, 1))
}

/// Ingests a drift of the size of each resource, and decides on each as its name says.
async fn with_drifts(app: &App, names: &[&str]) {
    let drifts: Vec<Value> =
        names.iter().map(|name| entry(name, &["update"], of_size(name, 1), of_size(name, 2))).collect();
    upload(&app.engineer(), "stack=demo", plan("resource_drift", &drifts)).await.data();
    for drift in app.drifts(&app.engineer()).await {
        let action = match drift["resourceId"].as_str().unwrap() {
            name if name.starts_with("approved") => "approve",
            name if name.starts_with("rejected") => "reject",
            _ => continue,
        };
        let path = format!("/api/v1/drifts/{}/{action}", drift["id"].as_str().unwrap());
        app.engineer().post(&path, &json!({"reason": format!("{action} it")})).await.data();
    }
}

fn addresses(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|drift| drift["address"].as_str().unwrap()).collect()
}

#[rstest]
#[actix_web::test]
async fn a_plan_that_undoes_an_approved_drift_is_stopped(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    with_drifts(&app, &["approved", "rejected", "undecided"]).await;
    let before = app.drifts(&app.engineer()).await;
    let report = report(&app, &[back("approved"), back("rejected"), back("undecided")]).await;
    assert_eq!((&report["stack"], &report["verdict"]), (&json!("demo"), &json!("stop")));
    assert_eq!(report["warnings"], json!([]));
    let approved = before.iter().find(|drift| drift["status"] == "approved").unwrap();
    let undone = json!([{
        "id": approved["id"], "address": "aws_x.approved", "status": "approved", "severity": "warning",
        "action": "update", "paths": [["size"]], "decidedBy": approved["approvedBy"],
        "decidedAt": approved["approvedAt"], "reason": "approve it",
    }]);
    assert_eq!(report["undoes"], undone);
    assert_eq!(addresses(&report["repairs"]), ["aws_x.rejected"]);
    assert_eq!(report["repairs"][0]["reason"], "reject it");
    assert_eq!(addresses(&report["touches"]), ["aws_x.undecided"]);
    assert!(report["touches"][0].get("decidedBy").is_none());
    assert_eq!(app.drifts(&app.engineer()).await, before, "a guard stores nothing");
}

#[rstest]
#[actix_web::test]
async fn a_plan_is_clear_unless_it_changes_what_drifts(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    with_drifts(&app, &["approved", "rejected", "undecided"]).await;
    let renamed = |name: &str| {
        let mut after = of_size(name, 2);
        after["name"] = json!("b");
        entry(name, &["update"], of_size(name, 2), after)
    };
    let kept = entry("undecided", &["no-op"], of_size("undecided", 2), of_size("undecided", 2));
    let clear = report(&app, &[renamed("approved"), renamed("rejected"), back("other"), kept]).await;
    assert_eq!(clear["verdict"], "clear", "{clear}");
    assert_eq!(
        (&clear["undoes"], &clear["touches"], &clear["repairs"]),
        (&json!([]), &json!([]), &json!([]))
    );
    let review = report(&app, &[renamed("undecided")]).await;
    assert_eq!((&review["verdict"], &review["touches"][0]["paths"]), (&json!("review"), &json!([])));
    let repaired = report(&app, &[back("rejected")]).await;
    assert_eq!(
        (&repaired["verdict"], addresses(&repaired["repairs"])),
        (&json!("clear"), vec!["aws_x.rejected"])
    );
    // The approved size is 2. Nobody has decided on 3.
    let later = entry("approved", &["update"], of_size("approved", 3), of_size("approved", 1));
    let later = report(&app, &[later]).await;
    assert_eq!((&later["verdict"], &later["touches"][0]["status"]), (&json!("review"), &json!("approved")));
}

#[rstest]
#[actix_web::test]
async fn a_plan_that_removes_or_replaces_the_resource_undoes_its_drift(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    with_drifts(&app, &["approved1", "approved2", "approved3"]).await;
    let size = |name| of_size(name, 2);
    // The size is not known before the third plan is applied.
    let unknown = entry("approved3", &["update"], size("approved3"), json!({"id": "approved3", "name": "b"}));
    let report = report(
        &app,
        &[
            entry("approved1", &["delete"], size("approved1"), Value::Null),
            entry("approved2", &["create", "delete"], size("approved2"), size("approved2")),
            unknown,
        ],
    )
    .await;
    assert_eq!(report["verdict"], "stop");
    let actions: Vec<&Value> =
        report["undoes"].as_array().unwrap().iter().map(|drift| &drift["action"]).collect();
    assert_eq!(actions, ["delete", "replace", "update"]);
}

#[rstest]
#[actix_web::test]
async fn a_guard_names_what_it_cannot_know(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let unknown = report(&app, &[back("x")]).await;
    assert_eq!(unknown["verdict"], "clear");
    assert!(unknown["warnings"][0].as_str().unwrap().contains("no scan of this stack"), "{unknown}");
    let refresh_only = sample("fakeaws_1/refresh_only.json");
    let refresh_only = guard(&app.engineer(), "stack=demo", refresh_only).await.data();
    assert!(refresh_only["warnings"].to_string().contains("no `resource_changes`"), "{refresh_only}");
    with_drifts(&app, &["approved"]).await;
    let unread = report(&app, &[entry("approved", &["explode"], of_size("approved", 2), Value::Null)]).await;
    assert_eq!(unread["verdict"], "review");
    assert!(unread["warnings"][0].as_str().unwrap().contains("aws_x.approved: skipped"), "{unread}");
}

#[rstest]
#[actix_web::test]
async fn a_guard_reads_one_plan_of_an_engineer_within_the_bounds_of_a_scan(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    app.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    let packed = guard(&engineer, "stack=demo", packed("fakeaws_20/scan1.plan.json")).await.data();
    assert_eq!(addresses(&packed["touches"]).len(), 20);
    assert_eq!(packed["touches"][0]["severity"], "critical");
    assert_eq!(packed["touches"][19]["severity"], "info");
    for secret in SECRETS.lines() {
        assert!(!packed.to_string().contains(secret), "{secret}");
    }

    let plan = || plan("resource_changes", &[]);
    guard(&app.viewer(), "stack=demo", plan()).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    guard(&app.anonymous, "stack=demo", plan()).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    for query in ["", "stack=", "stack=demo&complete=true", "stack=demo&accountId=a%20b"] {
        guard(&engineer, query, plan()).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    let two = [plan(), sample("fakeaws_1/plan.json")].concat();
    for unusable in [
        two,
        sample("driftctl_20/v040.json"),
        sample("edge/ui_stream_not_a_plan.jsonl"),
        sample("edge/errored_plan.json"),
    ] {
        guard(&engineer, "stack=demo", unusable)
            .await
            .error(StatusCode::UNPROCESSABLE_ENTITY, "UNPROCESSABLE");
    }
    let large = vec![b' '; scan::MAX_BYTES + 1];
    assert_eq!(guard(&engineer, "stack=demo", large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let text = engineer.request(Method::POST, "/api/v1/guard?stack=demo").body("x");
    assert_eq!(engineer.send(text).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
