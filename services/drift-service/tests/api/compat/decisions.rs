use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};
use uuid::Uuid;

use super::{start, wrong_field};
use crate::lifecycle::{report, reported};

const LIST_KEYS: [&str; 22] = [
    "alertCount",
    "approvalReason",
    "approvedAt",
    "approvedBy",
    "canApprove",
    "canReject",
    "costImpactMonthly",
    "createdAt",
    "detectedAt",
    "detectedBy",
    "id",
    "region",
    "rejectedAt",
    "rejectedBy",
    "rejectionReason",
    "resolvedAt",
    "resolvedHow",
    "resourceId",
    "resourceType",
    "severity",
    "status",
    "updatedAt",
];

fn keys(drift: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = drift.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[rstest]
#[actix_web::test]
async fn an_old_drift_has_every_field_and_shows_each_caller_no_more_than_the_current_one(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let engineer = app.engineer();
    let mut body = report("i-1", 2);
    body.as_object_mut().unwrap().remove("region");
    body["severity"] = json!("critical");
    let id = engineer.post("/api/v1/drifts", &body).await.data()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/drifts/{id}");
    let decided =
        engineer.post(&format!("{path}/approve"), &json!({"reason": "as planned in CHG-1"})).await.data();
    assert_eq!(
        (&decided["status"], &decided["approvalReason"]),
        (&json!("approved"), &json!("as planned in CHG-1"))
    );

    let (viewer, public) = (app.viewer().get(&path).await.data(), app.anonymous.get(&path).await.data());
    let mut with_states = LIST_KEYS.to_vec();
    with_states.extend(["actualState", "difference", "expectedState"]);
    with_states.sort_unstable();
    for seen in [&decided, &viewer, &public] {
        assert_eq!(keys(seen), with_states);
        assert_eq!((&seen["region"], &seen["alertCount"]), (&json!("unknown"), &json!(1)));
        assert_eq!((&seen["canApprove"], &seen["canReject"]), (&json!(false), &json!(false)));
        assert!(seen["approvedAt"].is_string());
    }
    assert_eq!(decided["actualState"], json!({"size": 2, "token": "(sensitive value)"}));
    assert_eq!(decided["difference"], json!({"size": {"expected": 1, "actual": 2}}));
    assert_eq!((&viewer["actualState"], &viewer["expectedState"]), (&Value::Null, &Value::Null));
    assert_eq!(viewer["difference"], json!({"size": {"expected": null, "actual": null}}));
    assert_eq!((&viewer["detectedBy"], viewer["approvedBy"].is_string()), (&json!("manual"), true));
    for hidden in ["actualState", "expectedState", "approvedBy", "approvalReason", "detectedBy"] {
        assert_eq!(public[hidden], Value::Null, "{hidden}");
    }
    assert_eq!(public["difference"], json!({}));
    let listed = app.anonymous.get("/api/v1/drifts").await.data();
    assert_eq!(keys(&listed["items"][0]), LIST_KEYS);
    assert_eq!(listed["items"][0]["approvalReason"], Value::Null);
    assert_eq!(
        app.viewer().get("/api/v1/drifts").await.data()["items"][0]["approvalReason"],
        "as planned in CHG-1"
    );
}

#[rstest]
#[actix_web::test]
async fn an_old_decision_needs_an_engineer_and_ten_characters(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let engineer = app.engineer();
    let path = reported(&engineer, "i-1").await;
    let reason = json!({"reason": "0123456789", "notify": true});
    for action in ["approve", "reject"] {
        let path = format!("{path}/{action}");
        app.anonymous.post(&path, &reason).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
        app.viewer().post(&path, &reason).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
        for short in [json!({"reason": "012345678"}), json!({}), json!({"reason": 5})] {
            wrong_field(&engineer.post(&path, &short).await, "reason");
        }
    }
    let rejected = engineer.post(&format!("{path}/reject"), &reason).await.data();
    assert_eq!(
        (&rejected["status"], &rejected["rejectionReason"]),
        (&json!("rejected"), &json!("0123456789"))
    );
    let again = engineer.post(&format!("{path}/approve"), &reason).await;
    assert_eq!(again.error(StatusCode::CONFLICT, "INVALID_TRANSITION")["details"]["status"], "rejected");
    app.expect_events("drift:rejected", 1).await;
}

#[rstest]
#[actix_web::test]
async fn an_old_decision_is_audited_published_and_executed_once_as_a_current_one(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let engineer = app.engineer();
    let mut body = report("i-1", 2);
    body["severity"] = json!("critical");
    let id = engineer.post("/api/v1/drifts", &body).await.data()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/drifts/{id}");
    let keyed = engineer.with_header("idempotency-key", "one");
    let reason = json!({"reason": "password=hunter2 planned"});
    let first = keyed.post(&format!("{path}/approve"), &reason).await;
    let again = keyed.post(&format!("{path}/approve"), &reason).await;
    assert_eq!((&first.text, again.header("idempotency-replayed")), (&again.text, "true"));
    assert!(!first.text.contains("hunter2"), "{}", first.text);
    app.expect_events("drift:approved", 1).await;
    app.expect_events("alert:closed", 1).await;

    let timeline = app.viewer().get(&format!("{path}/timeline?limit=1")).await.data();
    let entry = &timeline["items"][0];
    assert_eq!((&entry["action"], &entry["driftId"]), (&json!("drift.approve"), &json!(id)));
    assert_eq!(
        (&entry["oldValue"]["status"], &entry["newValue"]["status"]),
        (&json!("detected"), &json!("approved"))
    );
    assert_eq!(timeline["pagination"]["total"], 2);
    let created = app.viewer().get(&format!("{path}/timeline?page=2&limit=1")).await.data();
    assert_eq!(
        (&created["items"][0]["action"], &created["pagination"]["hasMore"]),
        (&json!("drift.create"), &json!(false))
    );
    // The public sees no actors and no reasons.
    app.anonymous.get(&format!("{path}/timeline")).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_malformed_id_is_an_unknown_one_in_the_old_contract(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let engineer = app.engineer();
    let reason = json!({"reason": "0123456789"});
    for id in ["42", "not-a-uuid", &Uuid::new_v4().to_string()] {
        for path in [format!("drifts/{id}"), format!("drifts/{id}/timeline")] {
            engineer.get(&format!("/api/v1/{path}")).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
        }
        for path in
            [format!("drifts/{id}/approve"), format!("drifts/{id}/reject"), format!("alerts/{id}/mark-read")]
        {
            engineer
                .post(&format!("/api/v1/{path}"), &reason)
                .await
                .error(StatusCode::NOT_FOUND, "NOT_FOUND");
        }
    }
}
