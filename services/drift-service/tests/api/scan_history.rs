//! The list of scans, and the badge of a stack.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::{App, sample, upload, walk};

#[rstest]
#[actix_web::test]
async fn every_upload_is_in_the_history_with_its_provenance(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--public-reads=true"]).await;
    let engineer = app.engineer();
    let run = "https%3A%2F%2Fci.example.com%2Fruns%2F7";
    let query = format!("stack=demo&complete=true&runUrl={run}&commit=0123abc");
    upload(&engineer, &query, sample("fakeaws_20/scan1.refresh_only.json")).await.data();
    app.advance(TimeDelta::seconds(1));
    app.ingest("fakeaws_20/scan2.refresh_only.json", "stack=demo&complete=true").await.data();
    app.ingest("fakeaws_20/scan2.refresh_only.json", "stack=demo&dryRun=true").await.data();
    app.ingest("driftctl_20/v040.json", "stack=ctl").await.data();

    let scans = walk(&engineer, "/api/v1/scans?limit=1&stack=demo").await;
    assert_eq!(scans.len(), 2);
    let (second, first) = (&scans[0], &scans[1]);
    assert_eq!((&first["created"], &first["commit"]), (&json!(20), &json!("0123abc")));
    assert_eq!(first["runUrl"], "https://ci.example.com/runs/7");
    assert!(first["sentBy"].is_string() && first["durationMillis"].as_i64().unwrap() >= 0);
    assert!(second["created"].as_i64().unwrap() + second["changed"].as_i64().unwrap() > 0);
    let path = format!("/api/v1/scans/{}", first["id"].as_str().unwrap());
    assert_eq!(&engineer.get(&path).await.data(), first);
    let ctl = walk(&engineer, "/api/v1/scans?stack=ctl").await;
    assert_eq!((&ctl[0]["tool"], &ctl[0]["format"]), (&json!("driftctl"), &json!("driftctl")));

    // Without an account, a scan has no names, links or warnings.
    let public = app.anonymous.get(&path).await.data();
    for hidden in ["sentBy", "runUrl", "commit", "warnings"] {
        assert_eq!(public.get(hidden), None, "{public}");
    }
    // An alert names the scan that raised it.
    let alerts = walk(&engineer, "/api/v1/alerts?limit=100").await;
    assert!(alerts.iter().any(|alert| alert["scanId"] == first["id"] && alert["stack"] == "demo"));
    let unknown = format!("/api/v1/scans/{}", Uuid::new_v4());
    engineer.get(&unknown).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");

    for query in ["runUrl=javascript:alert(1)", "runUrl=https%3A%2F%2Fa%20b", "commit=xyz", "commit=1234567g"]
    {
        let field = query.split('=').next().unwrap();
        let answer = upload(&engineer, &format!("stack=demo&{query}"), b"{}".into()).await;
        let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field, "{error}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_token_in_the_link_to_a_ci_run_is_not_stored(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    let query = format!("stack=demo&runUrl=https%3A%2F%2Fci.example.com%2F%3Ftoken%3D{secret}");
    upload(&app.engineer(), &query, sample("fakeaws_20/scan1.refresh_only.json")).await.data();
    let scans = walk(&app.admin(), "/api/v1/scans?stack=demo").await;
    assert!(scans[0]["runUrl"].as_str().unwrap().starts_with("https://ci.example.com/"), "{scans:?}");
    assert!(!json!(scans).to_string().contains(secret), "{scans:?}");
}

#[rstest]
#[actix_web::test]
async fn old_scans_are_deleted_except_the_last_one(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    for name in ["scan1", "scan2"] {
        app.ingest(&format!("fakeaws_20/{name}.refresh_only.json"), "stack=demo").await.data();
        app.advance(TimeDelta::seconds(1));
    }
    app.advance(TimeDelta::days(91));
    // A process deletes old scans when it starts.
    let later = app.replica().await;
    eventually("the deletion", async || walk(&later.viewer(), "/api/v1/scans").await.len() == 1).await;
    let stack = later.viewer().get("/api/v1/stacks/demo").await.data();
    assert!(stack["lastScan"]["changed"].is_number(), "{stack}");
}

#[rstest]
#[actix_web::test]
async fn a_badge_needs_its_key_or_an_account(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &["--public-reads=false"]).await;
    let name = "live/eu west/ümlaut <b>&\"'.%2F";
    let encoded = "live%2Feu%20west%2F%C3%BCmlaut%20%3Cb%3E%26%22%27.%252F";
    app.ingest("fakeaws_20/scan1.refresh_only.json", &format!("stack={encoded}&complete=true")).await.data();
    let stack = app.viewer().get(&format!("/api/v1/stacks/{encoded}")).await.data();
    assert_eq!((&stack["name"], &stack["status"]), (&json!(name), &json!("drifted")));

    let path = stack["badgePath"].as_str().unwrap();
    let badge = app.anonymous.get(path).await;
    assert_eq!((badge.status, badge.header("content-type")), (StatusCode::OK, "image/svg+xml"));
    let image = &badge.text;
    assert!(image.starts_with("<svg ") && image.contains("20 open") && !image.contains("<b>"), "{image}");
    let bare = path.split('?').next().unwrap();
    app.anonymous.get(bare).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    app.anonymous.get(&format!("{bare}?key=0123")).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert_eq!(app.viewer().get(bare).await.status, StatusCode::OK);
    // The key of one stack opens no other one.
    let key = path.split("key=").nth(1).unwrap();
    app.ingest("fakeaws_20/scan1.refresh_only.json", "stack=other").await.data();
    let foreign = app.anonymous.get(&format!("/api/v1/stacks/other/badge.svg?key={key}")).await;
    foreign.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    let public = App::with(backend, &["--public-reads=true"]).await;
    public.ingest("fakeaws_20/scan1.refresh_only.json", "stack=demo").await.data();
    assert_eq!(public.anonymous.get("/api/v1/stacks/demo/badge.svg").await.status, StatusCode::OK);
    let listed: Value = public.anonymous.get("/api/v1/stacks").await.data();
    assert_eq!((listed[0].get("owner"), listed[0].get("badgePath")), (None, None));
}
