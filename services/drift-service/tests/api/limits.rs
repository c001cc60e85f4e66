//! Bounds of input: times, lists, parameters and keys.

use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::{App, upload, walk};
use crate::trust::plan;

#[rstest]
#[actix_web::test]
async fn implausible_times_are_refused_s67(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    for time in
        ["-4800-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "%2B12000-01-01T00:00:00Z"]
    {
        for path in ["drifts", "metrics/summary"] {
            let answer = app.anonymous.get(&format!("/api/v1/{path}?detectedFrom={time}")).await;
            answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        }
        let time = time.replace("%2B", "+");
        let old = String::from_utf8(plan(0, &[])).unwrap().replace("2026-11-20T09:00:00Z", &time);
        let answer = upload(&app.engineer(), "stack=a", old.into()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{time}");
        let report = json!({"resourceId": "x", "resourceType": "t", "region": "r", "detectedAt": time});
        app.engineer()
            .post("/api/v1/drifts", &report)
            .await
            .error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    let backwards = "detectedFrom=2026-11-02T00:00:00Z&detectedTo=2026-11-01T00:00:00Z";
    for path in ["drifts", "metrics/summary"] {
        let answer = app.anonymous.get(&format!("/api/v1/{path}?{backwards}")).await;
        assert_eq!(
            answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR")["details"][0]["field"],
            "detectedFrom"
        );
    }
}

#[rstest]
#[actix_web::test]
async fn lists_in_queries_are_bounded_s72(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    for name in ["region", "status", "severity", "kind", "resourceType", "accountId", "stack"] {
        for commas in [50, 7_000] {
            let answer = app.anonymous.get(&format!("/api/v1/drifts?{name}={}", ",".repeat(commas))).await;
            answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        }
    }
    let long = app.anonymous.get(&format!("/api/v1/drifts?region={}", "x".repeat(9_000))).await;
    long.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    app.anonymous.get(&format!("/api/v1/drifts?region={}", "x,".repeat(49))).await.data();
}

#[rstest]
#[actix_web::test]
async fn the_summary_accepts_the_filters_of_the_list(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    app.ingest("fakeaws_20/scan1.plan.json", "stack=one").await.data();
    app.ingest("fakeaws_1/plan.json", "stack=two").await.data();
    for filter in [
        "stack=two",
        "severity=critical",
        "region=eu-west-1,us-east-1",
        "q=aws_s3",
        "kind=missing",
        "accountId=none",
    ] {
        let listed = walk(&app.anonymous, &format!("/api/v1/drifts?limit=100&{filter}")).await.len();
        let summary = app.anonymous.get(&format!("/api/v1/metrics/summary?{filter}")).await.data();
        assert_eq!(summary["total"], listed, "{filter}");
    }
}

#[rstest]
#[actix_web::test]
async fn an_audit_row_has_an_id_that_no_client_chose_s86(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer().with_header("x-request-id", "chosen-by-the-client");
    let report = json!({"resourceId": "x", "resourceType": "t"});
    engineer.post("/api/v1/drifts", &report).await.data();
    engineer.post("/api/v1/drifts", &json!({"resourceId": "y", "resourceType": "t"})).await.data();
    let audit = app.admin().get("/api/v1/audit").await.data();
    let own: Vec<&str> = (0..2).map(|row| audit[row]["ownRequestId"].as_str().unwrap()).collect();
    assert!(own.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()) && own[0] != own[1], "{own:?}");
    assert!((0..2).all(|row| audit[row]["requestId"] == "chosen-by-the-client"));
}

#[rstest]
#[actix_web::test]
async fn invented_idempotency_keys_do_not_grow_the_table_s85(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let viewer = app.viewer();
    for index in 0..1_020 {
        let caller = viewer.with_header("idempotency-key", &format!("key-{index}"));
        caller.post("/api/v1/alerts/read-all", &json!({})).await.data();
    }
    let kept = app.count("answered_requests").await;
    assert!(kept <= 1_000, "{kept}");
    // The newest responses are still repeated.
    let again =
        viewer.with_header("idempotency-key", "key-1019").post("/api/v1/alerts/read-all", &json!({})).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[rstest]
#[actix_web::test]
async fn reads_are_public_in_development_only_s63(#[values("development", "production")] environment: &str) {
    let secret = "0123456789abcdef0123456789abcdef-of-the-tests";
    let app = App::with(
        Backend::Memory,
        &[
            &format!("--environment={environment}"),
            "--jwt-access-secret",
            secret,
            "--drift-hash-secret",
            secret,
        ],
    )
    .await;
    let status = app.anonymous.get("/api/v1/drifts").await.status;
    assert_eq!(status == StatusCode::OK, environment == "development", "{status}");
}
