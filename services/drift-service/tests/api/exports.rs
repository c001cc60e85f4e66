//! Exports of lists of drifts.

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::{App, sample, upload, walk};

#[rstest]
#[actix_web::test]
async fn an_export_has_exactly_the_drifts_of_the_list(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    upload(&app.engineer(), "stack=big", sample("fakeaws_2000/scan1.plan.json")).await.data();
    app.ingest("fakeaws_20/scan1.refresh_only.json", "stack=small").await.data();
    for caller in [app.viewer(), app.engineer()] {
        for query in [
            "stack=small",
            "severity=critical,info&sort=-severity",
            "status=approved",
            "q=%5B1&sort=createdAt",
        ] {
            let listed = walk(&caller, &format!("/api/v1/drifts?limit=100&{query}")).await;
            let json = caller.get(&format!("/api/v1/drifts/export?format=json&{query}")).await;
            assert_eq!(json.header("content-type"), "application/json");
            let exported: Vec<Value> = serde_json::from_str(&json.text).unwrap();
            assert_eq!(exported, listed, "{query}");
            let csv = caller.get(&format!("/api/v1/drifts/export?format=csv&{query}")).await;
            assert_eq!(csv.header("content-disposition"), "attachment; filename=\"drifts.csv\"");
            let mut reader = csv::Reader::from_reader(csv.text.as_bytes());
            let ids: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
            assert_eq!(ids, listed.iter().map(|drift| drift["id"].as_str().unwrap()).collect::<Vec<_>>());
            let sarif = caller.get(&format!("/api/v1/drifts/export?format=sarif&{query}")).await;
            let sarif: Value = serde_json::from_str(&sarif.text).unwrap();
            let results = sarif["runs"][0]["results"].as_array().unwrap();
            assert_eq!(results.len(), listed.len());
            for (result, drift) in results.iter().zip(&listed) {
                assert_eq!(
                    result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
                    drift["address"]
                );
                assert_eq!(result["partialFingerprints"]["driftId/v1"], drift["id"]);
            }
        }
    }
    let refused = app.engineer().get("/api/v1/drifts/export?format=xlsx").await;
    refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_spreadsheet_executes_nothing_and_shows_no_secret(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let drift = json!({
        "resourceId": "=cmd|' /C calc'!A0", "resourceType": "@SUM(1)", "address": "+1,\"two\"\nlines", "stack": "-2+3",
        "expectedState": {"=a": 1, "password": "hunter2hunter2"}, "actualState": {"=a": 2, "password": "hunter3hunter3"},
        "costImpactMonthly": -12.5,
    });
    let id = engineer.post("/api/v1/drifts", &drift).await.data()["id"].as_str().unwrap().to_owned();
    let reason = json!({"reason": "=HYPERLINK(\"http://x\")"});
    engineer.post(&format!("/api/v1/drifts/{id}/approve"), &reason).await.data();
    let csv = engineer.get("/api/v1/drifts/export?format=csv").await.text;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    let cell = |name: &str| &row[names.iter().position(|column| column == name).unwrap()];
    assert_eq!(cell("resourceId"), "'=cmd|' /C calc'!A0");
    assert_eq!((cell("resourceType"), cell("stack")), ("'@SUM(1)", "'-2+3"));
    assert_eq!(cell("address"), "'+1,\"two\"\nlines");
    assert_eq!((cell("costImpactMonthly"), cell("reason")), ("-12.5", "'=HYPERLINK(\"http://x\")"));
    assert_eq!(cell("changedPaths"), "'=a\npassword");
    let json = engineer.get("/api/v1/drifts/export?format=json").await.text;
    assert!(!csv.contains("hunter") && !json.contains("hunter"), "{json}");
}

#[rstest]
#[actix_web::test]
async fn an_export_of_the_audit_has_exactly_the_rows_of_the_list(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    // More than a page, most of them written at the same time.
    upload(&app.engineer(), "stack=big", sample("fakeaws_2000/scan1.plan.json")).await.data();
    upload(&app.engineer(), "stack=small", sample("fakeaws_20/scan1.plan.json")).await.data();
    let decider = app.engineer();
    for drift in &walk(&decider, "/api/v1/drifts?stack=small").await {
        let path = format!("/api/v1/drifts/{}/reject", drift["id"].as_str().unwrap());
        decider.post(&path, &json!({"reason": "=1+1, \"no\"\nline"})).await.data();
    }
    let admin = app.admin();
    let all = walk(&admin, "/api/v1/audit?limit=100").await;
    assert!(all.len() > 2_000, "{}", all.len());
    let rejection = &all[0];
    let text = |name: &str| rejection[name].as_str().unwrap();
    let mine = format!("actor={}&action=drift.reject", text("actor"));
    let one = format!("entityId={}", text("entityId"));
    for query in ["", "action=alert.create", "actor=nobody", &mine, &one] {
        let listed = walk(&admin, &format!("/api/v1/audit?limit=100&{query}")).await;
        let json = admin.get(&format!("/api/v1/audit/export?format=json&{query}")).await;
        assert_eq!(json.header("content-disposition"), "attachment; filename=\"audit.json\"");
        let exported: Vec<Value> = serde_json::from_str(&json.text).unwrap();
        assert_eq!(exported, listed, "{query}");
        let csv = admin.get(&format!("/api/v1/audit/export?format=csv&{query}")).await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let mut reader = csv::Reader::from_reader(csv.text.as_bytes());
        let names = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), listed.len());
        let cell = |row: &csv::StringRecord, name: &str| {
            row[names.iter().position(|column| column == name).unwrap()].to_owned()
        };
        for (row, listed) in rows.iter().zip(&listed) {
            for name in ["id", "actor", "action", "entity", "entityId", "from", "to", "requestId"] {
                assert_eq!(cell(row, name), listed[name].as_str().unwrap_or_default(), "{name}");
            }
            if listed["action"] == "drift.reject" {
                assert_eq!(cell(row, "reason"), "'=1+1, \"no\"\nline");
                assert_eq!(cell(row, "changedFields"), "status");
            }
        }
    }
    for query in ["format=sarif", "", "format=csv&limit=1", "format=csv&entityId=x"] {
        let refused = admin.get(&format!("/api/v1/audit/export?{query}")).await;
        refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}
