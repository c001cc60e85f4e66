//! After any sequence of calls, the summary equals a recount of the rows and a fold over the audit log.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client};

use crate::app::{App, walk};
use crate::lifecycle::report;

const SEQUENCES: usize = 4;

/// One call. Numbers choose among the existing rows.
#[derive(Clone, Debug)]
enum Call {
    Report { name: u8, size: u8, severity: u8, cents: i32 },
    Decide { which: u8, action: &'static str },
    Correct { which: u8, severity: u8, cents: i32 },
    Delete { which: u8 },
    ReadAlert { which: u8 },
    DeleteAlert { which: u8 },
    ReadAll,
    Scan { size: u8, is_complete: bool },
}

fn any_call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (0u8..6, 2u8..4, 0u8..3, -500i32..5000)
            .prop_map(|(name, size, severity, cents)| Call::Report { name, size, severity, cents }),
        6 => (any::<u8>(), prop::sample::select(vec!["approve", "reject", "resolve", "reopen"]))
            .prop_map(|(which, action)| Call::Decide { which, action }),
        2 => (any::<u8>(), 0u8..3, -500i32..5000)
            .prop_map(|(which, severity, cents)| Call::Correct { which, severity, cents }),
        1 => any::<u8>().prop_map(|which| Call::Delete { which }),
        2 => any::<u8>().prop_map(|which| Call::ReadAlert { which }),
        1 => any::<u8>().prop_map(|which| Call::DeleteAlert { which }),
        1 => Just(Call::ReadAll),
        2 => (2u8..4, any::<bool>()).prop_map(|(size, is_complete)| Call::Scan { size, is_complete }),
    ]
}

const SEVERITIES: [&str; 3] = ["info", "warning", "critical"];

async fn make(call: &Call, admin: &Client) {
    match call {
        Call::Report { name, size, severity, cents } => {
            let mut body = report(&format!("i-{name}"), i64::from(*size));
            body["severity"] = json!(SEVERITIES[usize::from(*severity)]);
            body["costImpactMonthly"] = json!(f64::from(*cents) / 100.0);
            admin.post("/api/v1/drifts", &body).await.data();
        }
        Call::Decide { which, action } => {
            if let Some(path) = choose(admin, "/api/v1/drifts", *which).await {
                admin.post(&format!("{path}/{action}"), &json!({"reason": "x"})).await;
            }
        }
        Call::Correct { which, severity, cents } => {
            if let Some(path) = choose(admin, "/api/v1/drifts", *which).await {
                let severity = SEVERITIES[usize::from(*severity)];
                let body = json!({"severity": severity, "costImpactMonthly": f64::from(*cents) / 100.0});
                admin.patch(&path, &body).await;
            }
        }
        Call::Delete { which } => {
            if let Some(path) = choose(admin, "/api/v1/drifts", *which).await {
                admin.delete(&path).await.data();
            }
        }
        Call::ReadAlert { which } => {
            if let Some(path) = choose(admin, "/api/v1/alerts", *which).await {
                admin.post(&format!("{path}/read"), &json!({})).await.data();
            }
        }
        Call::DeleteAlert { which } => {
            if let Some(path) = choose(admin, "/api/v1/alerts", *which).await {
                admin.delete(&path).await.data();
            }
        }
        Call::ReadAll => {
            admin.post("/api/v1/alerts/read-all", &json!({})).await.data();
        }
        Call::Scan { size, is_complete } => {
            let change = json!({"actions": ["update"], "before": {"id": "i-1", "acl": 1}, "after": {"id": "i-1", "acl": size}});
            let entry = json!({"address": "a.b", "type": "aws_instance", "change": change});
            let plan = json!({"format_version": "1.2", "resource_drift": [entry]});
            let query = format!("stack=hand&region=eu-west-1&complete={is_complete}");
            crate::app::upload(admin, &query, plan.to_string().into_bytes()).await.data();
        }
    }
}

async fn choose(caller: &Client, list: &str, which: u8) -> Option<String> {
    let rows = walk(caller, &format!("{list}?limit=100")).await;
    let row = rows.get(usize::from(which) % rows.len().max(1))?;
    Some(format!("{list}/{}", row["id"].as_str().unwrap()))
}

fn count(rows: &[Value], key: &str, value: &str) -> usize {
    rows.iter().filter(|row| row[key] == value).count()
}

fn cents(amount: &Value) -> i64 {
    (amount.as_f64().unwrap() * 100.0).round() as i64
}

async fn assert_recounts(admin: &Client) {
    let summary = admin.get("/api/v1/metrics/summary").await.data();
    let drifts = walk(admin, "/api/v1/drifts?limit=100").await;
    let alerts = walk(admin, "/api/v1/alerts?limit=100").await;
    let open: Vec<Value> = drifts.iter().filter(|drift| drift["status"] == "detected").cloned().collect();
    assert_eq!((&summary["total"], &summary["open"]), (&json!(drifts.len()), &json!(open.len())));
    for status in ["detected", "approved", "rejected", "resolved"] {
        assert_eq!(summary["byStatus"][status], count(&drifts, "status", status), "{status}");
    }
    for severity in SEVERITIES {
        assert_eq!(summary["bySeverity"][severity], count(&open, "severity", severity), "{severity}");
    }
    let cost: i64 = open.iter().map(|drift| cents(&drift["costImpactMonthly"])).sum();
    assert_eq!(cents(&summary["costImpactMonthly"]), cost);
    assert_eq!(summary["unreadAlerts"], alerts.iter().filter(|alert| alert["isRead"] == false).count());
    let oldest = open.iter().filter_map(|drift| drift["firstSeenAt"].as_str()).min();
    assert_eq!(summary["oldestOpenAt"].as_str(), oldest);

    let folded = fold(&walk(admin, "/api/v1/audit?limit=100").await);
    for status in ["detected", "approved", "rejected", "resolved"] {
        let folded = folded.get(&("drift".to_owned(), status.to_owned())).copied().unwrap_or_default();
        assert_eq!(summary["byStatus"][status], folded, "{status} by the audit");
    }
}

/// Returns the number of entities in each status, computed from the audit log alone.
fn fold(audit: &[Value]) -> BTreeMap<(String, String), i64> {
    let mut statuses = BTreeMap::new();
    for row in audit {
        let entity = row["entity"].as_str().unwrap();
        let moved = row["from"] != row["to"];
        for (status, by) in [(&row["from"], -1), (&row["to"], 1)] {
            if let (Some(status), true) = (status.as_str(), moved) {
                *statuses.entry((entity.to_owned(), status.to_owned())).or_default() += by;
            }
        }
    }
    statuses
}

#[rstest]
#[actix_web::test]
async fn after_any_calls_the_summary_equals_a_recount_and_the_fold_of_the_audit(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(any_call(), 40);
    for _ in 0..SEQUENCES {
        let calls = strategy.new_tree(&mut runner).unwrap().current();
        let app = App::start(backend).await;
        let admin = app.admin();
        for call in &calls {
            make(call, &admin).await;
        }
        assert_recounts(&admin).await;
    }
}

#[rstest]
#[actix_web::test]
async fn cents_add_up_exactly(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    for index in 0..300 {
        let mut body = report(&format!("i-{index}"), 2);
        body["costImpactMonthly"] = json!(0.1);
        engineer.post("/api/v1/drifts", &body).await.data();
    }
    let summary = app.anonymous.get("/api/v1/metrics/summary").await.data();
    assert_eq!(summary["costImpactMonthly"], 30.0);
}
