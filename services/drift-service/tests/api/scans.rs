//! Sequences of scans, and their effect on the drifts of a stack.

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};

use crate::app::{App, packed, sample, upload};
use crate::ingest::counts;

const SCAN_1: &str = "fakeaws_20/scan1.plan.json";
const SCAN_2: &str = "fakeaws_20/scan2.refresh_only.json";

/// Builds a plan with one resource of this size, created at that minute.
fn plan(size: i64, minute: u32) -> Vec<u8> {
    json!({
        "format_version": "1.2",
        "resource_drift": [{
            "address": "aws_instance.web", "mode": "managed", "type": "aws_instance", "provider_name": "p",
            "change": {"actions": ["update"], "before": {"id": "i-1", "size": 1}, "after": {"id": "i-1", "size": size}},
        }],
        "timestamp": format!("2026-11-20T09:{minute:02}:00Z"),
        "complete": true,
    })
    .to_string()
    .into_bytes()
}

/// Builds a refresh-only plan without drift.
fn clean(minute: u32) -> Vec<u8> {
    let at = format!("2026-11-20T09:{minute:02}:00Z");
    json!({"format_version": "1.2", "planned_values": {}, "timestamp": at, "complete": true})
        .to_string()
        .into_bytes()
}

async fn all(app: &App) -> Vec<Value> {
    let mut drifts = app.drifts(&app.engineer()).await;
    drifts.sort_by_key(|drift| drift["createdAt"].to_string());
    drifts
}

async fn decide(caller: &Client, drift: &Value, action: &str) {
    let path = format!("/api/v1/drifts/{}/{action}", drift["id"].as_str().unwrap());
    caller.post(&path, &json!({"reason": "because"})).await.data();
}

#[rstest]
#[actix_web::test]
async fn a_repeated_scan_changes_nothing(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    app.ingest(SCAN_1, "stack=a").await.data();
    let before = all(&app).await;
    let again = app.ingest("fakeaws_20/scan1.plan.json", "stack=a&complete=true").await.data();
    assert_eq!(counts(&again), json!([0, 20, 0, 0, 0, 0]));
    for (before, after) in before.iter().zip(all(&app).await) {
        assert_eq!((&after["occurrences"], &after["version"]), (&json!(2), &before["version"]));
    }
    // The refresh-only plan of the same scan, created a second earlier.
    app.ingest("fakeaws_20/scan1.refresh_only.json", "stack=b").await.data();
    let other_form = app.ingest(SCAN_1, "stack=b").await.data();
    assert_eq!(counts(&other_form), json!([0, 20, 0, 0, 0, 0]));
    app.expect_events("drift:created", 40).await;
}

#[rstest]
#[actix_web::test]
async fn a_later_scan_resolves_drifts_only_if_it_is_complete(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values(true, false)] is_complete: bool,
) {
    let app = App::start(backend).await;
    app.ingest(SCAN_1, "stack=a").await.data();
    let report = app.ingest(SCAN_2, &format!("stack=a&complete={is_complete}")).await.data();
    let seen = report["created"].as_u64().unwrap()
        + report["unchanged"].as_u64().unwrap()
        + report["changed"].as_u64().unwrap();
    assert_eq!(seen, 15);
    let drifts = all(&app).await;
    let live = drifts.iter().filter(|drift| drift["status"] != "resolved").count() as u64;
    assert_eq!(live, if is_complete { 15 } else { 20 + report["created"].as_u64().unwrap() });
    assert_eq!(report["resolved"].as_u64().unwrap(), drifts.len() as u64 - live);
    let how = |drift: &&Value| drift["resolvedHow"] == "auto";
    assert_eq!(drifts.iter().filter(how).count() as u64, report["resolved"].as_u64().unwrap());
}

#[rstest]
#[actix_web::test]
async fn an_incomplete_scan_resolves_nothing(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    for (index, name) in
        ["edge/targeted.plan.json", "edge/refresh_disabled.plan.json", "driftctl_20/v040.json"]
            .into_iter()
            .enumerate()
    {
        let stack = format!("stack=s{index}");
        upload(&engineer, &stack, plan(2, 0)).await.data();
        let report = app.ingest(name, &format!("{stack}&complete=true")).await.data();
        assert_eq!(report["resolved"], 0, "{name}");
        let warnings = report["warnings"].to_string();
        assert!(warnings.contains("nothing is resolved"), "{name}: {warnings}");
    }
    assert_eq!(app.ingest("edge/errored_plan.json", "stack=s0&complete=true").await.status, 422);
}

#[rstest]
#[actix_web::test]
async fn an_older_scan_changes_nothing(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    upload(&engineer, "stack=a", plan(2, 30)).await.data();
    let before = all(&app).await;
    let stale = upload(&engineer, "stack=a&complete=true", clean(29)).await;
    let error = stale.error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(error["details"]["lastScanAt"], "2026-11-20T09:30:00Z");
    assert_eq!(all(&app).await, before);
    upload(&engineer, "stack=b", plan(2, 29)).await.data();
    let future = String::from_utf8(plan(2, 0)).unwrap().replace("2026-11-20T", "2999-11-20T");
    upload(&engineer, "stack=c", future.into()).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_decision_covers_only_the_state_it_was_made_on(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values("approve", "reject")] action: &str,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    upload(&engineer, "stack=a", plan(2, 0)).await.data();
    let first = all(&app).await.remove(0);
    decide(&engineer, &first, action).await;
    let silent = upload(&engineer, "stack=a&complete=true", plan(2, 1)).await.data();
    assert_eq!(counts(&silent), json!([0, 1, 0, 0, 0, 0]));
    assert_ne!(all(&app).await[0]["status"], "detected");

    let changed = upload(&engineer, "stack=a&complete=true", plan(3, 2)).await.data();
    assert_eq!(counts(&changed), json!([0, 0, 1, 0, 0, 0]));
    let drifts = all(&app).await;
    assert_eq!((&drifts[0]["status"], &drifts[0]["resolvedHow"]), (&json!("resolved"), &json!("superseded")));
    assert_eq!((&drifts[1]["status"], &drifts[1]["previousDriftId"]), (&json!("detected"), &drifts[0]["id"]));
    app.expect_events("drift:created", 2).await;
}

#[rstest]
#[actix_web::test]
async fn an_undecided_drift_follows_the_state(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    upload(&engineer, "stack=a", plan(2, 0)).await.data();
    let changed = upload(&engineer, "stack=a", plan(3, 1)).await.data();
    assert_eq!(counts(&changed), json!([0, 0, 1, 0, 0, 0]));
    let drifts = all(&app).await;
    assert_eq!(
        (drifts.len(), &drifts[0]["actualState"]["size"], &drifts[0]["version"]),
        (1, &json!(3), &json!(2))
    );
    app.expect_events("drift:updated", 1).await;

    let gone = upload(&engineer, "stack=a&complete=true", clean(2)).await.data();
    assert_eq!(counts(&gone), json!([0, 0, 0, 1, 0, 0]));
    let back = upload(&engineer, "stack=a", plan(3, 3)).await.data();
    assert_eq!(counts(&back), json!([1, 0, 0, 0, 0, 0]));
    let drifts = all(&app).await;
    assert_eq!(drifts[1]["previousDriftId"], drifts[0]["id"]);

    // If several are resolved, the new drift continues the last one.
    upload(&engineer, "stack=a&complete=true", clean(4)).await.data();
    upload(&engineer, "stack=a", plan(3, 5)).await.data();
    let drifts = all(&app).await;
    assert_eq!((drifts.len(), &drifts[2]["previousDriftId"]), (3, &drifts[1]["id"]));
}

#[rstest]
#[actix_web::test]
async fn a_scan_does_not_affect_another_stack_or_account(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    // The second scan of the stack `a` names its account. The last scan is of another account.
    for (scope, expected) in [
        ("stack=a", json!([1, 0, 0, 0, 0, 0])),
        ("stack=b", json!([1, 0, 0, 0, 0, 0])),
        ("stack=a&accountId=1", json!([0, 1, 0, 0, 0, 0])),
        ("stack=a&accountId=2", json!([1, 0, 0, 0, 0, 0])),
    ] {
        assert_eq!(counts(&upload(&engineer, scope, plan(2, 0)).await.data()), expected, "{scope}");
    }
    let report = upload(&engineer, "stack=a&accountId=1&complete=true", clean(1)).await.data();
    assert_eq!(report["resolved"], 1);
    let report = upload(&engineer, "stack=b&complete=true", clean(1)).await.data();
    assert_eq!(report["resolved"], 1);
    assert_eq!(all(&app).await.iter().filter(|drift| drift["status"] == "detected").count(), 1);
}

#[rstest]
#[actix_web::test]
async fn a_dry_run_reports_and_stores_nothing(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let dry = app.ingest(SCAN_1, "stack=a&dryRun=true").await.data();
    assert_eq!((counts(&dry), &dry["dryRun"]), (json!([20, 0, 0, 0, 0, 0]), &json!(true)));
    assert!(all(&app).await.is_empty());
    // An older scan is then not refused as stale, because the dry run left no trace.
    app.ingest("fakeaws_20/scan1.refresh_only.json", "stack=a").await.data();
    app.expect_events("drift:created", 20).await;
}

#[rstest]
#[actix_web::test]
async fn gzip_is_accepted(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let post = |content_type: &'static str, encoding: Option<&'static str>| {
        let engineer = app.engineer();
        async move {
            let mut request = engineer
                .request(testing::Method::POST, "/api/v1/drifts/ingest?stack=a")
                .header("content-type", content_type)
                .body(packed(SCAN_1));
            if let Some(encoding) = encoding {
                request = request.header("content-encoding", encoding);
            }
            engineer.send(request).await
        }
    };
    assert_eq!(post("application/json", Some("gzip")).await.data()["created"], 20);
    assert_eq!(post("application/gzip", None).await.data()["unchanged"], 20);
    for (content_type, encoding) in [("text/plain", None), ("application/json", Some("br"))] {
        let answer = post(content_type, encoding).await;
        answer.error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    }
}

#[rstest]
#[actix_web::test]
async fn driftctl_reports_are_ingested(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let deep = app.ingest("driftctl_20/v039_deep.json", "stack=a&region=eu-west-1").await.data();
    assert_eq!(counts(&deep), json!([21, 0, 0, 0, 0, 2]));
    let all_of_it =
        app.ingest("driftctl_20/v039_deep.json", "stack=a&region=eu-west-1&unmanaged=true").await.data();
    assert_eq!(counts(&all_of_it), json!([2, 21, 0, 0, 0, 0]));
    let short = app.ingest("driftctl_20/v040.json", "stack=b").await.data();
    assert_eq!(counts(&short), json!([1, 0, 0, 0, 0, 2]));
    let drift = app.engineer().get("/api/v1/drifts?stack=a&kind=changed&limit=1").await.data();
    assert_eq!((&drift[0]["region"], &drift[0]["severity"]), (&json!("eu-west-1"), &json!("critical")));
    assert_eq!(drift[0]["actualState"]["password"], "(sensitive value)");
}

#[rstest]
#[actix_web::test]
async fn the_rules_file_decides_what_is_noise(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let rules = std::env::temp_dir().join(format!("rules-{}.toml", uuid::Uuid::new_v4()));
    std::fs::write(
        &rules,
        "ignore = [\"aws_s3_bucket.*.tags\", \"aws_security_group.sg[0]\"]\nalert_threshold = \"warning\"",
    )
    .unwrap();
    let app = App::with(backend, &[&format!("--drift-rules={}", rules.display())]).await;
    std::fs::remove_file(&rules).unwrap();
    let report = upload(&app.engineer(), "stack=a", sample(SCAN_1)).await.data();
    assert_eq!(counts(&report), json!([16, 0, 0, 0, 4, 0]));
    app.expect_events("alert:created", 16).await;
}
