use rstest::rstest;
use serde_json::json;
use testing::Backend;

use crate::app::{App, SECRETS, upload};
use crate::logs;

const SAMPLES: [&str; 7] = [
    "fakeaws_1/plan.json",
    "fakeaws_20/scan1.plan.json",
    "edge/delete_unicode_shifted_mark.refresh_only.json",
    "edge/moved_noop.plan.json",
    "terraform_data_20/plan.json",
    "driftctl_20/v039_deep.json",
    "driftctl_20/v040.json",
];

#[rstest]
#[actix_web::test]
async fn no_secret_of_a_sample_is_revealed_s52(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    for (index, name) in SAMPLES.into_iter().enumerate() {
        for source in ["drift", "changes"] {
            let report = app.ingest(name, &format!("stack={index}-{source}&source={source}")).await;
            assert_clean("a report", &report.text);
        }
    }
    // Refused uploads, which error messages must not quote.
    let engineer = app.engineer();
    for broken in [
        r#"{"format_version": "hunter2"}"#,
        r#"{"errored": "hunter2"}"#,
        r#"{"resource_drift": ["hunter2"]}"#,
    ] {
        assert_clean("a refusal", &upload(&engineer, "stack=x", broken.into()).await.text);
    }
    let report = json!({
        "resourceId": "x", "resourceType": "t", "region": "r",
        "expectedState": {"db_password": "hunter2", "nested": [{"apiKey": "hunter2"}]},
        "actualState": {"db_password": "hunter2-rotated"},
    });
    assert_clean("a report", &engineer.post("/api/v1/drifts", &report).await.text);
    for caller in [app.anonymous.clone(), app.viewer(), app.engineer(), app.admin()] {
        assert_clean("drifts", &json!(app.drifts(&caller).await).to_string());
        for path in ["/api/v1/alerts?limit=100", "/api/v1/audit?limit=100", "/api/v1/metrics/summary"] {
            assert_clean(path, &caller.get(path).await.text);
        }
    }
    app.expect_events("drift:created", app.drifts(&app.viewer()).await.len()).await;
    assert_clean("the events", &app.published());
    assert_clean("the database", &dump(&app).await);
    let log = logs::collected();
    assert!(log.contains("/api/v1/drifts/ingest"), "the log contains the requests");
    assert_clean("the log", &log);
}

fn assert_clean(what: &str, text: &str) {
    for secret in SECRETS.lines() {
        assert!(!text.contains(secret), "{what} contains {secret}");
    }
}

/// Returns all texts that the database stores.
async fn dump(app: &App) -> String {
    use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

    let db = Database::connect(&app.database_url).await.unwrap();
    let mut dump = String::new();
    for table in ["drifts", "alerts", "drift_audit", "answered_requests", "outbox"] {
        let row = match db.get_database_backend() {
            DbBackend::Postgres => format!("SELECT \"{table}\"::text AS line FROM \"{table}\""),
            _ => match table {
                "drifts" => "SELECT quote(\"expectedState\") || quote(\"actualState\") || quote(\"difference\") || quote(\"searchText\") || quote(\"address\") AS line FROM drifts".into(),
                "alerts" => "SELECT quote(\"title\") || quote(\"message\") AS line FROM alerts".into(),
                "drift_audit" => "SELECT quote(\"reason\") || quote(\"changedFields\") AS line FROM drift_audit".into(),
                "answered_requests" => "SELECT quote(\"body\") AS line FROM answered_requests".into(),
                _ => "SELECT quote(\"envelope\") AS line FROM outbox".into(),
            },
        };
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), row)).await.unwrap();
        for row in rows {
            dump.push_str(&row.try_get::<String>("", "line").unwrap());
        }
    }
    assert!(dump.contains("(sensitive value)"), "the dump holds the states");
    dump
}
