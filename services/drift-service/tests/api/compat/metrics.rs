use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::Backend;

use super::{start, wrong_field};
use crate::lifecycle::report;

#[rstest]
#[actix_web::test]
async fn the_old_summary_distributions_and_trend_agree_with_the_drifts(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let engineer = app.engineer();
    let now = app.platform.clock().now();
    let at = |days: i64| (now - TimeDelta::days(days)).date_naive().to_string();
    let mut paths = Vec::new();
    for (name, severity, cost, days) in [
        ("a", "critical", 10.25, 0),
        ("b", "warning", 5.0, 1),
        ("c", "info", 1.5, 1),
        ("d", "info", 100.0, 40),
    ] {
        let mut body = report(name, 2);
        body["severity"] = json!(severity);
        body["costImpactMonthly"] = json!(cost);
        body["detectedAt"] = json!((now - TimeDelta::days(days)).to_rfc3339());
        let drift = engineer.post("/api/v1/drifts", &body).await.data();
        paths.push(format!("/api/v1/drifts/{}", drift["id"].as_str().unwrap()));
    }
    let reason = json!({"reason": "0123456789"});
    engineer.post(&format!("{}/reject", paths[1]), &reason).await.data();
    engineer.post(&format!("{}/approve", paths[2]), &reason).await.data();
    let get = async |path: &str| app.anonymous.get(&format!("/api/v1/metrics/{path}")).await.data();

    assert_eq!(
        get("summary").await,
        json!({
            "drifts": {
                "total": 4,
                "byStatus": {"detected": 2, "triaged": 0, "approved": 1, "rejected": 1, "resolved": 0},
                "bySeverity": {"critical": 1, "warning": 1, "info": 2},
            },
            "alerts": {"total": 1, "unread": 1},
            "cost": {"totalMonthlyImpact": 110.25, "projectedSavings": 5.0},
        })
    );
    let week = get("summary?days=7").await;
    assert_eq!((&week["drifts"]["total"], &week["cost"]["totalMonthlyImpact"]), (&json!(3), &json!(10.25)));
    assert_eq!(
        get("severity-distribution?days=7").await,
        json!([{"severity": "critical", "count": 1}, {"severity": "warning", "count": 1}, {"severity": "info", "count": 1}])
    );
    let statuses = get("status-distribution").await;
    assert_eq!(statuses.as_array().unwrap().len(), 5);
    assert_eq!(statuses[0], json!({"status": "detected", "count": 2}));
    assert_eq!(
        get("cost-trend?days=3").await,
        json!([
            {"date": at(2), "cost": 0.0, "driftCount": 0},
            {"date": at(1), "cost": 6.5, "driftCount": 2},
            {"date": at(0), "cost": 10.25, "driftCount": 1},
        ])
    );
    let days = |trend: Value| trend.as_array().unwrap().len();
    assert_eq!((days(get("cost-trend").await), days(get("cost-trend?days=365&x=1").await)), (30, 365));
    for path in ["summary", "cost-trend", "severity-distribution", "status-distribution"] {
        for days in ["0", "366", "-1", "all"] {
            wrong_field(&app.anonymous.get(&format!("/api/v1/metrics/{path}?days={days}")).await, "days");
        }
    }
}
