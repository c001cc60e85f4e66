//! Stacks: how much is known about them, and the alert if scans stop.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode, eventually};

use crate::app::{App, upload, walk};

/// A plan made with -refresh-only, `minute` minutes after a start, that shows this many drifts.
pub(crate) fn plan(minute: u32, drifts: usize) -> Vec<u8> {
    let drift = |index: usize| {
        json!({
            "address": format!("aws_instance.web[{index}]"), "mode": "managed", "type": "aws_instance", "name": "web",
            "change": {
                "actions": ["update"],
                "before": {"id": format!("i-{index}"), "instance_type": "t3.micro"},
                "after": {"id": format!("i-{index}"), "instance_type": "t3.large"},
            },
        })
    };
    let plan = json!({
        "format_version": "1.2", "terraform_version": "1.11.4", "complete": true, "errored": false,
        "timestamp": format!("2026-11-20T{:02}:{:02}:00Z", minute / 60, minute % 60),
        "resource_drift": (0..drifts).map(drift).collect::<Vec<_>>(),
    });
    plan.to_string().into()
}

async fn stack(caller: &Client, name: &str) -> Value {
    caller.get(&format!("/api/v1/stacks/{name}")).await.data()
}

async fn scan(app: &App, query: &str, minute: u32, drifts: usize) {
    upload(&app.engineer(), query, plan(minute, drifts)).await.data();
}

#[rstest]
#[actix_web::test]
async fn a_stack_shows_what_its_last_scan_was_worth(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let viewer = app.viewer();
    viewer.get("/api/v1/stacks/prod").await.error(StatusCode::NOT_FOUND, "NOT_FOUND");

    scan(&app, "stack=prod", 1, 0).await;
    let blind = stack(&viewer, "prod").await;
    assert_eq!(blind["status"], "blind");
    assert!(blind["blindReason"].as_str().unwrap().contains("add complete=true"), "{blind}");
    assert_eq!((&blind["knownAt"], &blind["cleanSince"]), (&Value::Null, &Value::Null));

    scan(&app, "stack=prod&complete=true", 2, 0).await;
    let clean = stack(&viewer, "prod").await;
    assert_eq!((&clean["status"], &clean["blindReason"]), (&json!("clean"), &Value::Null));
    assert_eq!(
        (&clean["knownAt"], &clean["cleanSince"]),
        (&json!("2026-11-20T00:02:00Z"), &clean["knownAt"])
    );
    let last = &clean["lastScan"];
    assert_eq!(
        (&last["tool"], &last["toolVersion"], &last["format"]),
        (&json!("terraform"), &json!("1.11.4"), &json!("plan"))
    );
    assert_eq!(last["completeness"], "complete");

    scan(&app, "stack=prod&complete=true", 3, 2).await;
    let drifted = stack(&viewer, "prod").await;
    assert_eq!((&drifted["status"], &drifted["detected"]), (&json!("drifted"), &json!(2)));
    assert_eq!(drifted["openBySeverity"], json!({"critical": 0, "warning": 2, "info": 0}));
    assert_eq!(drifted["oldestOpenAt"], "2026-11-20T00:03:00Z");

    let drifts = app.drifts(&app.engineer()).await;
    for (drift, action) in drifts.iter().zip(["approve", "reject"]) {
        let path = format!("/api/v1/drifts/{}/{action}", drift["id"].as_str().unwrap());
        app.engineer().post(&path, &json!({"reason": "known"})).await.data();
    }
    let decided = stack(&viewer, "prod").await;
    assert_eq!(
        (&decided["approved"], &decided["rejected"], &decided["status"]),
        (&json!(1), &json!(1), &json!("drifted"))
    );
    // The rejected one is repaired, the approved one stays.
    let mut repaired: Value = serde_json::from_slice(&plan(4, 2)).unwrap();
    repaired["resource_drift"]
        .as_array_mut()
        .unwrap()
        .retain(|drift| drifts[0]["address"] == drift["address"]);
    upload(&app.engineer(), "stack=prod&complete=true", repaired.to_string().into()).await.data();
    let clean = stack(&viewer, "prod").await;
    assert_eq!((&clean["status"], &clean["approved"]), (&json!("clean"), &json!(1)));
    assert_ne!(clean["cleanSince"], Value::Null);
}

#[rstest]
#[actix_web::test]
async fn an_upload_that_was_refused_makes_its_stack_blind(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let viewer = app.viewer();
    // A refused upload creates no stack.
    assert_eq!(app.ingest("edge/errored_plan.json", "stack=prod").await.status, 422);
    viewer.get("/api/v1/stacks/prod").await.error(StatusCode::NOT_FOUND, "NOT_FOUND");

    scan(&app, "stack=prod&complete=true", 1, 0).await;
    assert_eq!(app.ingest("edge/errored_plan.json", "stack=prod&dryRun=true").await.status, 422);
    assert_eq!(stack(&viewer, "prod").await["status"], "clean");
    assert_eq!(app.ingest("edge/errored_plan.json", "stack=prod&complete=true").await.status, 422);
    let blind = stack(&viewer, "prod").await;
    assert_eq!((&blind["status"], &blind["knownAt"]), (&json!("blind"), &json!("2026-11-20T00:01:00Z")));
    assert!(blind["blindReason"].as_str().unwrap().contains("errored"), "{blind}");
    let scans = walk(&viewer, "/api/v1/scans?completeness=failed").await;
    assert_eq!((scans.len(), &scans[0]["takenAt"]), (1, &Value::Null));
    let stored = app.expect_events("scan:stored", 2).await;
    assert_eq!(stored[1]["payload"]["completeness"], "failed");

    for (sample, expected) in [("targeted.plan", "targeted"), ("refresh_disabled.plan", "-refresh=false")] {
        app.ingest(&format!("edge/{sample}.json"), &format!("stack={sample}&complete=true")).await.data();
        let blind = stack(&viewer, sample).await;
        assert_eq!(blind["status"], "blind");
        assert!(blind["blindReason"].as_str().unwrap().contains(expected), "{blind}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_stack_that_stops_sending_is_reported_once_by_all_replicas_and_through_a_restart(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let quick = "--stack-check-interval=50ms";
    let app = App::with(backend, &[quick]).await;
    let status = async |app: &App, name: &str| stack(&app.viewer(), name).await["status"].take();
    for hour in 0..4 {
        scan(&app, "stack=prod&complete=true", hour * 60, 0).await;
        app.advance(TimeDelta::hours(1));
    }
    let learned = stack(&app.viewer(), "prod").await;
    assert_eq!((&learned["cadenceSeconds"], &learned["isCadenceSet"]), (&json!(3600), &json!(false)));

    // An hour after the last scan, it is due; a tenth more, and it is overdue.
    let replicas = [app.restarted(&[quick]).await, app.restarted(&[quick]).await];
    app.advance(TimeDelta::minutes(6));
    eventually("the silence is reported", async || status(&app, "prod").await == "silent").await;
    drop(replicas);
    let restarted = app.restarted(&[quick]).await;
    app.advance(TimeDelta::hours(10));
    // A stack that falls silent later shows that this process has looked since its start.
    let cadence = json!({"cadenceSeconds": 60});
    scan(&app, "stack=later&complete=true", 300, 0).await;
    app.engineer().patch("/api/v1/stacks/later", &cadence).await.data();
    app.advance(TimeDelta::seconds(66));
    eventually("later", async || status(&restarted, "later").await == "silent").await;

    let alerts = walk(&app.viewer(), "/api/v1/alerts?type=stack_silent").await;
    let of_prod: Vec<_> = alerts.iter().filter(|alert| alert["stack"] == "prod").collect();
    assert_eq!((of_prod.len(), &of_prod[0]["severity"]), (1, &json!("critical")));

    // The next scan ends the silence and closes the alert for everybody.
    scan(&app, "stack=prod&complete=true", 301, 0).await;
    let back = stack(&app.viewer(), "prod").await;
    assert_eq!((&back["status"], &back["silentSince"]), (&json!("clean"), &Value::Null));
    let alerts = walk(&app.viewer(), "/api/v1/alerts?type=stack_silent&isRead=true").await;
    assert_eq!((alerts.len(), &alerts[0]["stack"]), (1, &json!("prod")));
}

#[rstest]
#[actix_web::test]
async fn a_person_sets_the_cadence_the_owner_and_the_labels(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    scan(&app, "stack=prod&complete=true", 1, 0).await;
    scan(&app, "stack=dev&complete=true", 1, 1).await;
    scan(&app, "stack=test", 1, 0).await;
    let change =
        json!({"owner": "platform", "labels": {"team": "core", "tier": "1"}, "cadenceSeconds": 21_600});
    let changed = engineer.patch("/api/v1/stacks/prod", &change).await.data();
    assert_eq!((&changed["owner"], &changed["cadenceSeconds"]), (&json!("platform"), &json!(21_600)));
    assert_eq!((&changed["labels"], &changed["isCadenceSet"]), (&change["labels"], &json!(true)));
    assert_ne!(changed["dueAt"], Value::Null);
    let unchanged = engineer.patch("/api/v1/stacks/prod", &json!({"owner": null})).await.data();
    assert_eq!((&unchanged["owner"], &unchanged["labels"]), (&Value::Null, &change["labels"]));
    let history = walk(&app.admin(), "/api/v1/audit?action=stack.update").await;
    assert_eq!((history.len(), &history[0]["entity"]), (2, &json!("stack")));
    assert_eq!(history[1]["changedFields"], json!(["owner", "labels", "cadenceSeconds"]));

    for (body, field) in [
        (json!({"cadenceSeconds": 59}), "cadenceSeconds"),
        (json!({"cadenceSeconds": 31_622_401}), "cadenceSeconds"),
        (json!({"owner": ""}), "owner"),
        (json!({"owner": "x".repeat(256)}), "owner"),
        (json!({"labels": {"a b": "c"}}), "labels"),
        (json!({"labels": {"a": "\""}}), "labels"),
    ] {
        let error = engineer
            .patch("/api/v1/stacks/prod", &body)
            .await
            .error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field, "{error}");
    }

    let names = async |query: &str| {
        let stacks = walk(&engineer, &format!("/api/v1/stacks?limit=1&{query}")).await;
        stacks.iter().map(|stack| stack["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["test", "dev", "prod"], "worst first");
    assert_eq!(names("status=clean,drifted").await, ["dev", "prod"]);
    assert_eq!(names("label=team=core").await, ["prod"]);
    assert_eq!(names("label=team=cor").await, Vec::<String>::new());
    assert_eq!(names("q=ES").await, ["test"]);
    engineer.get("/api/v1/stacks?label=team").await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_deleted_stack_takes_its_scans_with_it_and_resolves_its_drifts(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--stack-check-interval=50ms"]).await;
    scan(&app, "stack=prod&complete=true", 1, 2).await;
    app.engineer().patch("/api/v1/stacks/prod", &json!({"cadenceSeconds": 60})).await.data();
    app.advance(TimeDelta::seconds(66));
    let silent = app.expect_events("stack:silent", 1).await;
    assert_eq!(silent[0]["payload"]["stack"], "prod");
    app.admin().delete("/api/v1/stacks/prod").await.data();
    app.viewer().get("/api/v1/stacks/prod").await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_eq!(walk(&app.viewer(), "/api/v1/scans?limit=100").await, Vec::<Value>::new());
    let drifts = app.drifts(&app.viewer()).await;
    assert!(drifts.iter().all(|drift| drift["status"] == "resolved" && drift["resolvedHow"] == "manual"));
    let alerts = walk(&app.viewer(), "/api/v1/alerts?type=stack_silent&isRead=false").await;
    assert_eq!(alerts, Vec::<Value>::new());
    app.expect_events("alert:closed", 1).await;
    app.expect_events("stack:deleted", 1).await;
    app.expect_events("drift:resolved", 2).await;
}

#[rstest]
#[actix_web::test]
async fn each_account_of_a_stack_counts_for_itself(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let viewer = app.viewer();
    scan(&app, "stack=prod&accountId=a&complete=true", 1, 0).await;
    scan(&app, "stack=prod&accountId=b", 2, 0).await;
    assert_eq!(stack(&viewer, "prod").await["status"], "blind");
    scan(&app, "stack=prod&accountId=a&complete=true", 3, 0).await;
    let still = stack(&viewer, "prod").await;
    assert_eq!((&still["status"], &still["knownAt"]), (&json!("blind"), &Value::Null));
    assert_eq!(still["scopes"].as_array().unwrap().len(), 2);
    scan(&app, "stack=prod&accountId=b&complete=true", 4, 0).await;
    let clean = stack(&viewer, "prod").await;
    assert_eq!((&clean["status"], &clean["knownAt"]), (&json!("clean"), &json!("2026-11-20T00:03:00Z")));
}
