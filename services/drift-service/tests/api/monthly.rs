//! The report of a month, compared with a history made by hand.

use chrono::{DateTime, Datelike, Months, NaiveTime, SubsecRound, TimeDelta, Utc};
use contracts::Role;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};

use crate::app::{App, walk};

/// The people and the months of a history.
struct History {
    app: App,
    alice: Client,
    bob: Client,
}

impl History {
    /// Begins half an hour after a month has begun.
    async fn begin(backend: Backend) -> Self {
        let app = App::start(backend).await;
        let person = || app.anonymous.with_token(&app.token(Role::Engineer, 86_400 * 120));
        let (alice, bob) = (person(), person());
        let history = Self { app, alice, bob };
        history.go_to(history.month(1), TimeDelta::minutes(30));
        history
    }

    fn now(&self) -> DateTime<Utc> {
        self.app.platform.clock().now()
    }

    /// Returns the beginning of a month, counted from the current one.
    fn month(&self, later: u32) -> DateTime<Utc> {
        let first = self.now().date_naive().with_day(1).unwrap() + Months::new(later);
        first.and_time(NaiveTime::MIN).and_utc()
    }

    fn go_to(&self, at: DateTime<Utc>, after: TimeDelta) {
        self.app.advance(at + after - self.now());
    }

    async fn report(&self, stack: &str, name: &str, severity: &str, size: i64) -> String {
        let body = json!({
            "resourceId": name, "resourceType": "aws_x", "stack": stack, "severity": severity, "accountId": stack,
            "expectedState": {"size": 1}, "actualState": {"size": size},
        });
        let drift = self.alice.post("/api/v1/drifts", &body).await.data();
        drift["id"].as_str().unwrap().into()
    }

    async fn read(&self, query: &str) -> Value {
        self.app.viewer().get(&format!("/api/v1/reports/monthly?{query}")).await.data()
    }
}

async fn decide(caller: &Client, id: &str, action: &str) {
    caller.post(&format!("/api/v1/drifts/{id}/{action}"), &json!({"reason": action})).await.data();
}

/// Rounds hours to a tenth: requests take some time.
fn tenths(hours: &Value) -> f64 {
    (hours.as_f64().unwrap() * 10.0).round() / 10.0
}

fn opened(critical: u64, warning: u64, info: u64) -> Value {
    json!({"critical": critical, "warning": warning, "info": info})
}

#[rstest]
#[actix_web::test]
async fn the_numbers_of_a_month_are_those_of_its_history_and_stay(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let history = History::begin(backend).await;
    let (alice, bob) = (&history.alice, &history.bob);
    let first = history.month(0);
    let a1 = history.report("a", "a1", "critical", 2).await;
    let a2 = history.report("a", "a2", "warning", 2).await;
    let b1 = history.report("b", "b1", "info", 2).await;
    let b2 = history.report("b", "b2", "critical", 2).await;
    let deleted = history.report("d", "d1", "info", 2).await;
    let start = history.now();
    history.go_to(start, TimeDelta::hours(2));
    decide(alice, &a1, "approve").await;
    history.go_to(start, TimeDelta::hours(4));
    decide(alice, &a2, "reject").await;
    decide(alice, &deleted, "approve").await;
    history.app.admin().delete(&format!("/api/v1/drifts/{deleted}")).await.data();
    history.go_to(start, TimeDelta::hours(10));
    decide(bob, &b2, "approve").await;
    decide(bob, &b2, "reopen").await;
    history.go_to(start, TimeDelta::hours(25));
    decide(bob, &b1, "approve").await;
    history.go_to(start, TimeDelta::hours(30));
    decide(bob, &b1, "resolve").await;

    let during = history.read("").await;
    let names: Vec<String> = (0..3).map(|later| history.month(later).format("%Y-%m").to_string()).collect();
    assert_eq!(during["month"], names[0]);
    assert_eq!(during["openAtEnd"], opened(1, 0, 0));
    let refused = history.app.viewer().get(&format!("/api/v1/reports/monthly?month={}", names[1])).await;
    refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");

    // The next month changes nothing in the numbers of the first one.
    history.go_to(history.month(1), TimeDelta::hours(5));
    decide(&history.app.admin(), &a1, "reopen").await;
    let until = (history.now() + TimeDelta::days(60)).trunc_subsecs(0);
    let limited = json!({"reason": "for now", "until": until});
    bob.post(&format!("/api/v1/drifts/{b2}/approve"), &limited).await.data();
    let accepted = history.read("").await["accepted"].as_array().unwrap().clone();
    assert_eq!((&accepted[0]["id"], &accepted[0]["until"]), (&json!(b2), &json!(until)));
    history.report("a", "a2", "warning", 3).await;
    history.report("c", "c1", "info", 2).await;

    let report = history.read(&format!("month={}", names[0])).await;
    assert_eq!(report["opened"], opened(2, 1, 1));
    assert_eq!(report["resolved"], json!({"manual": 1, "auto": 0, "superseded": 0, "ignored": 0}));
    assert_eq!(report["openAtEnd"], opened(1, 0, 0));
    let end = report["to"].as_str().unwrap();
    let path = format!(
        "/api/v1/drifts?limit=100&detectedFrom={}&detectedTo={end}",
        report["from"].as_str().unwrap()
    );
    assert_eq!(walk(&history.app.viewer(), &path).await.len(), 4, "the list has the drifts that opened");

    let decided = report["decided"].as_array().unwrap();
    assert_eq!(decided.len(), 2);
    assert_eq!((&decided[0]["approved"], &decided[0]["rejected"]), (&json!(2), &json!(1)));
    assert_eq!((&decided[1]["approved"], &decided[1]["rejected"]), (&json!(1), &json!(0)));
    assert_eq!((tenths(&decided[0]["medianHours"]), tenths(&decided[1]["medianHours"])), (3.0, 25.0));
    let times = &report["timeToDecide"];
    assert_eq!(
        (tenths(&times["medianHours"]), tenths(&times["p90Hours"]), &times["n"]),
        (4.0, 25.0, &json!(3))
    );

    let accepted = report["accepted"].as_array().unwrap();
    assert_eq!((accepted.len(), &report["acceptedCount"]), (1, &json!(1)));
    let approval = &accepted[0];
    assert_eq!((&approval["id"], &approval["stack"]), (&json!(a1), &json!("a")));
    assert_eq!(
        (&approval["approvedBy"], &approval["approvedReason"]),
        (&decided[0]["by"], &json!("approve"))
    );
    assert_eq!((&approval["severity"], &approval["until"]), (&json!("critical"), &Value::Null));
    assert_eq!(
        report["stacks"],
        json!([
            {"stack": "b", "opened": 2, "resolved": 1, "openAtEnd": 1},
            {"stack": "a", "opened": 2, "resolved": 0, "openAtEnd": 0},
        ])
    );
    assert_eq!(report["stackCount"], 2);

    let next = history.read(&format!("month={}", names[1])).await;
    assert_eq!((&next["opened"], &next["openAtEnd"]), (&opened(0, 1, 1), &opened(1, 1, 1)));
    assert_eq!(next["resolved"], json!({"manual": 0, "auto": 0, "superseded": 1, "ignored": 0}));
    assert_eq!((&next["accepted"][0]["id"], &next["acceptedCount"]), (&json!(b2), &json!(1)));
    assert_eq!(next["decided"].as_array().unwrap().len(), 1);

    for filter in ["stack=a", "accountId=a"] {
        let of_a = history.read(&format!("month={}&{filter}", names[0])).await;
        assert_eq!((&of_a["opened"], &of_a["openAtEnd"]), (&opened(1, 1, 0), &opened(0, 0, 0)), "{filter}");
        assert_eq!(of_a["decided"][0]["approved"], 1, "without the drift that was deleted");
        assert_eq!((&of_a["acceptedCount"], &of_a["stackCount"]), (&json!(1), &json!(1)));
    }
    // Half past midnight in UTC was the month before, an hour further west.
    let before = (first - TimeDelta::days(1)).format("%Y-%m").to_string();
    let west = history.read(&format!("month={before}&offsetMinutes=-60")).await;
    assert_eq!((&west["opened"], &west["openAtEnd"]), (&opened(2, 1, 1), &opened(2, 1, 1)));
    let empty = history.read(&format!("month={before}")).await;
    assert_eq!(
        (&empty["opened"], &empty["stacks"], &empty["decided"]),
        (&opened(0, 0, 0), &json!([]), &json!([]))
    );
    assert_eq!(empty["timeToDecide"], json!({"medianHours": null, "p90Hours": null, "n": 0}));
    assert_eq!(history.read("month=1970-01&offsetMinutes=840").await["accepted"], json!([]));
}

#[rstest]
#[actix_web::test]
async fn a_month_that_does_not_exist_is_refused(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    for query in
        ["month=2026-13", "month=2026", "month=9999-12", "month=2026-11-01", "offsetMinutes=841", "day=1"]
    {
        let refused = app.viewer().get(&format!("/api/v1/reports/monthly?{query}")).await;
        refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}
