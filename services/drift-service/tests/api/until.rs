//! Approvals that last until a date.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Role;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, StatusCode, eventually};

use crate::app::{App, upload, walk};
use crate::lifecycle::{report, reported};
use crate::stacks::plan;

const OFTEN: &[&str] = &["--stack-check-interval=20ms"];
const NEVER: &[&str] = &["--stack-check-interval=1h"];

fn now(app: &App) -> DateTime<Utc> {
    app.platform.clock().now()
}

async fn approve(app: &App, caller: &Client, path: &str, lasts: TimeDelta) -> Answer {
    let body = json!({"reason": "planned", "until": now(app) + lasts});
    caller.post(&format!("{path}/approve"), &body).await
}

async fn expired(caller: &Client, path: &str) {
    eventually("the approval has expired", async || caller.get(path).await.data()["status"] == "detected")
        .await;
}

#[rstest]
#[actix_web::test]
async fn an_approval_expires_once_on_three_replicas_and_again_after_the_next_approval(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, OFTEN).await;
    let _replicas = [app.restarted(OFTEN).await, app.restarted(OFTEN).await];
    let (admin, _) = app.lasting(Role::Admin);
    let path = reported(&admin, "i-1").await;
    for round in 1..=2 {
        let approved = approve(&app, &admin, &path, TimeDelta::days(2)).await.data();
        assert_eq!(approved["status"], "approved");
        let until: DateTime<Utc> = approved["approvedUntil"].as_str().unwrap().parse().unwrap();
        assert!((until - now(&app) - TimeDelta::days(2)).abs() < TimeDelta::minutes(1), "{until}");
        let csv = admin.get("/api/v1/drifts/export?format=csv").await;
        assert!(csv.text.contains(&until.to_rfc3339()), "{}", csv.text);

        app.advance(TimeDelta::days(2));
        expired(&admin, &path).await;
        let drift = admin.get(&path).await.data();
        for field in ["approvedAt", "approvedBy", "approvedReason", "approvedUntil"] {
            assert_eq!(drift[field], Value::Null, "{field}");
        }
        let id = drift["id"].as_str().unwrap();
        let alerts = walk(&admin, "/api/v1/alerts?type=approval_expired").await;
        assert_eq!(
            (alerts.len(), &alerts[0]["driftId"], &alerts[0]["isRead"]),
            (1, &json!(id), &json!(false))
        );
        assert!(alerts[0]["title"].as_str().unwrap().starts_with("Approval expired: "), "{alerts:?}");
        let expiries = walk(&admin, "/api/v1/audit?action=drift.expire").await;
        assert_eq!(expiries.len(), round);
        let expiry = &expiries[0];
        assert_eq!((&expiry["actor"], &expiry["entityId"]), (&json!("drift-service"), &json!(id)));
        assert_eq!((&expiry["from"], &expiry["to"]), (&json!("approved"), &json!("detected")));
    }
}

#[rstest]
#[actix_web::test]
async fn an_expiry_is_published_and_leaves_the_other_approvals(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, OFTEN).await;
    let (admin, _) = app.lasting(Role::Admin);
    let (first, second) = (reported(&admin, "i-1").await, reported(&admin, "i-2").await);
    approve(&app, &admin, &first, TimeDelta::days(1)).await.data();
    approve(&app, &admin, &second, TimeDelta::days(2)).await.data();
    app.advance(TimeDelta::days(1));
    expired(&admin, &first).await;
    let updated = app.expect_events("drift:updated", 1).await;
    assert_eq!(updated[0]["payload"]["status"], "detected");
    assert!(first.ends_with(updated[0]["payload"]["id"].as_str().unwrap()));
    let created = app.expect_events("alert:created", 1).await;
    assert_eq!(created[0]["payload"]["type"], "approval_expired");
    assert_eq!(admin.get(&second).await.data()["status"], "approved");
}

#[rstest]
#[actix_web::test]
async fn an_approval_that_ended_while_no_service_ran_expires_at_the_start(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, NEVER).await;
    let (admin, _) = app.lasting(Role::Admin);
    let path = reported(&admin, "i-1").await;
    let other = reported(&admin, "i-2").await;
    approve(&app, &admin, &path, TimeDelta::hours(1)).await.data();
    approve(&app, &admin, &other, TimeDelta::hours(3)).await.data();
    app.advance(TimeDelta::hours(2));
    let restarted = app.restarted(OFTEN).await;
    expired(&admin, &path).await;
    assert_eq!(admin.get(&other).await.data()["status"], "approved");
    drop(restarted);
}

#[rstest]
#[actix_web::test]
async fn the_end_of_an_approval_is_within_two_years_and_only_for_approvals(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, NEVER).await;
    let (engineer, _) = app.lasting(Role::Engineer);
    let path = reported(&engineer, "i-1").await;
    let id = path.rsplit('/').next().unwrap();
    let day = now(&app) + TimeDelta::days(1);
    let refused = async |path: &str, body: Value| {
        let error = engineer.post(path, &body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "until", "{body}: {error}");
    };
    for until in [json!(now(&app)), json!(now(&app) + TimeDelta::days(732)), json!("tomorrow")] {
        let body = json!({"reason": "planned", "until": until});
        if until == "tomorrow" {
            let answer = engineer.post(&format!("{path}/approve"), &body).await;
            answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
            continue;
        }
        refused(&format!("{path}/approve"), body).await;
        let body = json!({"action": "approve", "ids": [id], "reason": "planned", "until": until});
        refused("/api/v1/drifts/bulk", body).await;
        let body = json!({"action": "approve", "expectedCount": 1, "reason": "planned", "until": until});
        refused("/api/v1/drifts/decide", body).await;
    }
    for action in ["reject", "resolve", "reopen"] {
        let body = json!({"action": action, "ids": [id], "reason": "planned", "until": day});
        refused("/api/v1/drifts/bulk", body).await;
        let body = json!({"action": action, "expectedCount": 1, "reason": "planned", "until": day});
        refused("/api/v1/drifts/decide", body).await;
    }
    let unknown = engineer.post(&format!("{path}/reject"), &json!({"reason": "no", "until": day})).await;
    unknown.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");

    let body = json!({"action": "approve", "ids": [id], "reason": "planned", "until": day});
    assert_eq!(engineer.post("/api/v1/drifts/bulk", &body).await.data()[0]["status"], 200);
    assert_ne!(engineer.get(&path).await.data()["approvedUntil"], Value::Null);
    let other = reported(&engineer, "i-2").await;
    let body = json!({"action": "approve", "expectedCount": 1, "reason": "planned", "until": day});
    engineer.post("/api/v1/drifts/decide?resourceId=i-2", &body).await.data();
    assert_ne!(engineer.get(&other).await.data()["approvedUntil"], Value::Null);
}

#[rstest]
#[actix_web::test]
async fn another_value_or_a_repaired_resource_ends_an_approval_before_its_date(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, NEVER).await;
    let (admin, _) = app.lasting(Role::Admin);
    let path = reported(&admin, "i-1").await;
    approve(&app, &admin, &path, TimeDelta::days(9)).await.data();
    let next = admin.post("/api/v1/drifts", &report("i-1", 3)).await.data();
    assert_eq!((&next["status"], &next["approvedUntil"]), (&json!("detected"), &Value::Null));
    let old = admin.get(&path).await.data();
    assert_eq!((&old["resolvedHow"], &old["approvedUntil"]), (&json!("superseded"), &Value::Null));

    upload(&admin, "stack=prod&complete=true", plan(1, 1)).await.data();
    let drift = walk(&admin, "/api/v1/drifts?stack=prod").await.remove(0);
    let path = format!("/api/v1/drifts/{}", drift["id"].as_str().unwrap());
    approve(&app, &admin, &path, TimeDelta::days(9)).await.data();
    upload(&admin, "stack=prod&complete=true", plan(2, 1)).await.data();
    assert_eq!(admin.get(&path).await.data()["status"], "approved");
    upload(&admin, "stack=prod&complete=true", plan(3, 0)).await.data();
    let gone = admin.get(&path).await.data();
    assert_eq!((&gone["resolvedHow"], &gone["approvedUntil"]), (&json!("auto"), &Value::Null));

    // A withdrawn approval leaves no end behind.
    let path = format!("/api/v1/drifts/{}", next["id"].as_str().unwrap());
    approve(&app, &admin, &path, TimeDelta::days(9)).await.data();
    admin.post(&format!("{path}/reopen"), &json!({})).await.data();
    let again = admin.post(&format!("{path}/approve"), &json!({"reason": "for good"})).await.data();
    assert_eq!((&again["status"], &again["approvedUntil"]), (&json!("approved"), &Value::Null));
}

/// What a person or the clock does to a drift.
#[derive(Clone, Debug)]
enum Step {
    Approve(Option<i64>),
    Act(&'static str),
    Advance(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => prop::option::weighted(0.8, 1..100i64).prop_map(Step::Approve),
        3 => prop::sample::select(vec!["reject", "reopen", "reopen", "reopen", "reopen", "resolve"]).prop_map(Step::Act),
        6 => (1..60i64).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..30)
}

/// The status machine with ends of approvals, as it is specified.
struct Machine {
    status: &'static str,
    until: Option<DateTime<Utc>>,
}

impl Machine {
    /// Returns whether the action is allowed.
    fn act(&mut self, action: &str, until: Option<DateTime<Utc>>) -> bool {
        let to = match (self.status, action) {
            ("detected", "approve") => "approved",
            ("detected", "reject") => "rejected",
            ("detected" | "approved" | "rejected", "resolve") => "resolved",
            ("approved" | "rejected", "reopen") => "detected",
            _ => return false,
        };
        (self.status, self.until) = (to, until);
        true
    }

    fn tell_time(&mut self, now: DateTime<Utc>) {
        if self.status == "approved" && self.until.is_some_and(|until| until <= now) {
            (self.status, self.until) = ("detected", None);
        }
    }
}

/// For any decisions at any times, a drift has the status of the specified machine.
#[rstest]
#[actix_web::test]
async fn the_status_machine_with_ends_of_approvals_is_right_under_any_clock(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, OFTEN).await;
    let (admin, _) = app.lasting(Role::Admin);
    let sentinel = reported(&admin, "sentinel").await;
    let mut runner = TestRunner::deterministic();
    let mut expiries = 0;
    for round in 0..16 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let path = reported(&admin, &format!("i-{round}")).await;
        let mut machine = Machine { status: "detected", until: None };
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Approve(lasts) => {
                    let until = lasts.map(|minutes| now(&app) + TimeDelta::minutes(minutes));
                    let body = json!({"reason": "planned", "until": until});
                    let answer = admin.post(&format!("{path}/approve"), &body).await;
                    assert_eq!(answer.status == StatusCode::OK, machine.act("approve", until), "{steps:?}");
                }
                Step::Act(action) => {
                    let answer = admin.post(&format!("{path}/{action}"), &json!({"reason": "planned"})).await;
                    assert_eq!(answer.status == StatusCode::OK, machine.act(action, None), "{steps:?}");
                }
                Step::Advance(minutes) => {
                    // Approvals end in the order of their ends, and that of the sentinel is the last one.
                    let by = TimeDelta::minutes(*minutes);
                    approve(&app, &admin, &sentinel, by).await.data();
                    app.advance(by);
                    expired(&admin, &sentinel).await;
                    let before = machine.status;
                    machine.tell_time(now(&app));
                    expiries += usize::from(before != machine.status);
                }
            }
            let drift = admin.get(&path).await.data();
            assert_eq!(drift["status"], machine.status, "after step {index} of {steps:?}");
            assert_eq!(drift["approvedUntil"], json!(machine.until.map(stored)), "after step {index}");
        }
    }
    assert!(expiries > 5, "{expiries}");
}

/// The time as databases store it.
fn stored(at: DateTime<Utc>) -> DateTime<Utc> {
    use chrono::SubsecRound;
    at.trunc_subsecs(6)
}
