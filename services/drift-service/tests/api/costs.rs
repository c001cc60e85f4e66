//! Costs: estimated by Infracost beside a plan, given with a report, or set by a person; otherwise unknown.

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, StatusCode};

use crate::app::{App, upload};
use crate::lifecycle::report;

const PLAN: &str = include_str!("../../../../tests/samples/infracost/plan.json");
const COSTS: &str = include_str!("../../../../tests/samples/infracost/breakdown.json");

async fn send(caller: &Client, query: &str, plan: &str, costs: &str) -> Answer {
    let body = format!("{{\"plan\": {plan}, \"infracost\": {costs}}}");
    upload(caller, query, body.into_bytes()).await
}

/// Returns the cost of a drift; `None` if it is unknown.
async fn cost(app: &App, address: &str) -> Option<f64> {
    let drifts = app.drifts(&app.viewer()).await;
    let drift = drifts.iter().find(|drift| drift["address"] == address && drift["status"] != "resolved");
    let drift = drift.unwrap_or_else(|| panic!("{address} does not drift"));
    let amount = drift["costImpactMonthly"].as_f64();
    if drift["isCostKnown"] == true {
        return amount;
    }
    assert_eq!((amount, &drift["isCostKnown"]), (Some(0.0), &json!(false)));
    None
}

/// The plan, taken `minute` minutes later, with another type of the instance.
fn later(minute: u32, instance_type: &str) -> String {
    let mut plan: Value = serde_json::from_str(PLAN).unwrap();
    plan["timestamp"] = json!(format!("2026-11-20T10:{minute:02}:00Z"));
    plan["resource_drift"][0]["change"]["after"]["instance_type"] = json!(instance_type);
    plan.to_string()
}

const WEB: &str = "aws_instance.web[\"a\"]";

#[rstest]
#[actix_web::test]
async fn the_cost_of_a_drift_is_that_of_the_real_resource_without_the_declared_one(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let report = send(&app.engineer(), "stack=prod", PLAN, COSTS).await.data();
    assert_eq!((&report["created"], &report["warnings"]), (&json!(5), &json!([])));
    // 61.536 for the larger type without 8.392 for the declared one.
    assert_eq!(cost(&app, WEB).await, Some(53.14));
    assert_eq!(cost(&app, "aws_db_instance.orders").await, Some(-64.06));
    // By usage, equal on both sides, and without a price.
    for address in ["aws_lambda_function.mail", "aws_nat_gateway.main", "aws_security_group.web"] {
        assert_eq!(cost(&app, address).await, None, "{address}");
    }
    let events = app.expect_events("drift:created", 5).await;
    assert!(events.iter().any(|event| event["payload"]["costImpactMonthly"] == 53.14));

    let summary = app.viewer().get("/api/v1/metrics/summary").await.data();
    assert_eq!((&summary["hasCosts"], &summary["costImpactMonthly"]), (&json!(true), &json!(-10.92)));
    let others = "/api/v1/metrics/summary?kind=changed&severity=info";
    assert_eq!(app.viewer().get(others).await.data()["hasCosts"], false);

    let csv = app.viewer().get("/api/v1/drifts/export?format=csv&sort=costImpactMonthly").await.text;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "costImpactMonthly").unwrap();
    let cells: Vec<String> = reader.records().map(|row| row.unwrap()[column].to_owned()).collect();
    assert_eq!(cells, ["-64.06", "", "", "", "53.14"]);
}

#[rstest]
#[actix_web::test]
async fn a_later_scan_adds_a_cost_and_one_of_a_person_stays_until_the_value_changes(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    upload(&engineer, "stack=prod", PLAN.into()).await.data();
    let summary = app.viewer().get("/api/v1/metrics/summary").await.data();
    assert_eq!(summary["hasCosts"], false);
    assert_eq!(cost(&app, WEB).await, None);

    let unchanged = send(&engineer, "stack=prod", &later(1, "t3.large"), COSTS).await.data();
    assert_eq!(unchanged["unchanged"], 5);
    assert_eq!(cost(&app, WEB).await, Some(53.14));

    let drifts = app.drifts(&engineer).await;
    let id = drifts.iter().find(|drift| drift["address"] == WEB).unwrap()["id"].as_str().unwrap();
    let path = format!("/api/v1/drifts/{id}");
    engineer.patch(&path, &json!({"costImpactMonthly": 0})).await.data();
    assert_eq!(cost(&app, WEB).await, Some(0.0), "a person may know that a drift costs nothing");
    send(&engineer, "stack=prod", &later(2, "t3.large"), COSTS).await.data();
    assert_eq!(cost(&app, WEB).await, Some(0.0));
    upload(&engineer, "stack=prod", later(3, "t3.xlarge").into()).await.data();
    assert_eq!(cost(&app, WEB).await, Some(0.0), "the last known cost stays");
    send(&engineer, "stack=prod", &later(4, "t3.2xlarge"), COSTS).await.data();
    assert_eq!(cost(&app, WEB).await, Some(53.14));
}

#[rstest]
#[actix_web::test]
async fn costs_of_no_drift_are_a_warning(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    // Infracost finds nothing declared in a plan made with -refresh-only.
    let mut costs: Value = serde_json::from_str(COSTS).unwrap();
    costs["projects"][0]["breakdown"] = json!({"resources": null, "totalMonthlyCost": null});
    let report = send(&app.engineer(), "stack=prod", PLAN, &costs.to_string()).await.data();
    assert!(report["warnings"][0].as_str().unwrap().contains("without -refresh-only"), "{report}");
    assert_eq!(cost(&app, WEB).await, None);
}

#[rstest]
#[actix_web::test]
async fn unreadable_costs_refuse_the_upload_and_nothing_is_stored(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let costs: Value = serde_json::from_str(COSTS).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut costs = costs.clone();
        *costs.pointer_mut(pointer).unwrap() = value;
        costs.to_string()
    };
    let name = "/projects/0/breakdown/resources/0/name";
    let amount = "/projects/0/breakdown/resources/0/monthlyCost";
    let many: Vec<Value> = (0..50_001).map(|number| json!({"name": number.to_string()})).collect();
    for (costs, part) in [
        ("[]".to_owned(), "line 1, column"),
        ("{\"version\": \"0.2\"}".into(), "infracost breakdown --format json"),
        (with("/version", json!("0.3")), "the version 0.2"),
        (with("/currency", json!("EUR")), "in USD"),
        (with("/projects", json!([])), "one project"),
        (with("/projects", json!([costs["projects"][0], costs["projects"][0]])), "one project"),
        (with("/projects/0/breakdown/resources", json!(many)), "more than 50000 resources"),
        (with("/projects/0/breakdown/resources", json!({})), "line 1, column"),
        (with(name, json!("x".repeat(2049))), "a name of more than 2048 bytes"),
        (with(amount, json!("s3cret")), "is no amount"),
        (with(amount, json!("NaN")), "is no amount"),
        (with(amount, json!("1e300")), "is no amount"),
        (with(amount, json!(7)), "line 1, column"),
    ] {
        let answer = send(&engineer, "stack=prod", PLAN, &costs).await;
        let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "infracost", "{error}");
        let message = error["details"][0]["message"].as_str().unwrap();
        assert!(message.contains(part) && !message.contains("s3cret"), "{message}");
    }
    let two = format!("[{PLAN}, {}]", later(1, "t3.small"));
    let error = send(&engineer, "stack=prod/{n}", &two, COSTS).await;
    let error = error.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert!(error["details"][0]["message"].as_str().unwrap().contains("beside one plan"), "{error}");
    for table in ["drifts", "scans", "stacks"] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_report_without_a_cost_has_none(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let mut body = report("i-1", 2);
    body.as_object_mut().unwrap().remove("costImpactMonthly");
    let drift = engineer.post("/api/v1/drifts", &body).await.data();
    assert_eq!((&drift["isCostKnown"], &drift["costImpactMonthly"]), (&json!(false), &json!(0.0)));
    let known = engineer.post("/api/v1/drifts", &report("i-1", 2)).await.data();
    assert_eq!((&known["isCostKnown"], &known["costImpactMonthly"]), (&json!(true), &json!(12.5)));
    assert_eq!(known["id"], drift["id"]);
}
