use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::{App, sample, upload};

#[rstest]
#[actix_web::test]
async fn a_plan_becomes_drifts_alerts_and_events(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let report = app.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    assert_eq!(counts(&report), json!([20, 0, 0, 0, 0, 0]));

    let drifts = app.drifts(&app.engineer()).await;
    assert_eq!(drifts.len(), 20);
    let of = |key: &str, value: &str| drifts.iter().filter(|drift| drift[key] == value).count();
    assert_eq!((of("severity", "critical"), of("severity", "warning"), of("severity", "info")), (13, 4, 3));
    assert_eq!((of("kind", "changed"), of("kind", "missing"), of("status", "detected")), (19, 1, 20));
    assert!(
        drifts.iter().all(|drift| drift["stack"] == "demo" && drift["detectedAt"] == "2026-11-20T09:47:40Z")
    );

    let created = app.expect_events("drift:created", 20).await;
    let keys: Vec<&String> = created[0]["payload"].as_object().unwrap().keys().collect();
    let payload = [
        "address",
        "costImpactMonthly",
        "detectedAt",
        "fingerprint",
        "id",
        "region",
        "resourceId",
        "resourceType",
        "severity",
        "stack",
        "status",
        "version",
    ];
    assert_eq!(keys, payload);
    assert_eq!(created[0]["accountId"], "123456789012");
    app.expect_events("alert:created", 13).await;
    let alerts = app.anonymous.get("/api/v1/alerts?limit=100&type=drift_detected").await.data();
    assert_eq!(alerts.as_array().unwrap().len(), 13);
}

#[rstest]
#[actix_web::test]
async fn source_changes_reads_the_other_list(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let none = app.ingest("terraform_data_20/plan.json", "stack=a").await.data();
    assert_eq!(counts(&none), json!([0, 0, 0, 0, 0, 0]));
    let all = app.ingest("terraform_data_20/plan.json", "stack=a&source=changes").await.data();
    assert_eq!(counts(&all), json!([20, 0, 0, 0, 0, 0]));
}

#[rstest]
#[actix_web::test]
async fn bad_uploads_are_refused_and_change_nothing(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    for (name, hint) in
        [("edge/state_not_a_plan.json", "a state, not a plan"), ("edge/errored_plan.json", "errored")]
    {
        let error =
            app.ingest(name, "stack=a").await.error(StatusCode::UNPROCESSABLE_ENTITY, "UNPROCESSABLE");
        assert!(error["message"].as_str().unwrap().contains(hint), "{error}");
    }
    let engineer = app.engineer();
    upload(&engineer, "stack=a", b"{".into()).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let no_stack = upload(&engineer, "", b"{}".into()).await;
    assert_eq!(no_stack.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR")["details"][0]["field"], "stack");
    upload(&engineer, "stack=a&nonsense=1", b"{}".into())
        .await
        .error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    upload(&app.viewer(), "stack=a", b"{}".into()).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    upload(&app.anonymous, "stack=a", b"{}".into()).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert_eq!(app.drifts(&engineer).await, Vec::<Value>::new());
}

#[rstest]
#[actix_web::test]
async fn two_thousand_drifts_are_ingested_at_once(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let plan = sample("fakeaws_2000/scan1.plan.json");
    let report = upload(&app.engineer(), "stack=big", plan.clone()).await.data();
    assert_eq!(counts(&report), json!([2000, 0, 0, 0, 0, 0]));
    let again = upload(&app.engineer(), "stack=big", plan).await.data();
    assert_eq!(counts(&again), json!([0, 2000, 0, 0, 0, 0]));
    app.expect_events("drift:created", 2000).await;
}

/// Created, unchanged, changed, resolved, ignored, skipped.
pub(crate) fn counts(report: &Value) -> Value {
    json!(["created", "unchanged", "changed", "resolved", "ignored", "skipped"].map(|name| &report[name]))
}
