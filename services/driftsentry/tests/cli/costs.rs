//! Costs that Infracost estimates, sent beside a plan.

use std::fs;

use serde_json::{Value, json};

use crate::infrastructure::Infrastructure;
use crate::{App, said, sample};

/// Returns the known costs, by stack and address.
async fn costs(app: &App) -> Vec<(String, String, f64)> {
    let drifts = app.client.get("/api/v1/drifts?limit=100").await.data();
    let known = drifts.as_array().unwrap().iter().filter(|drift| drift["isCostKnown"] == true);
    let text = |drift: &Value, name: &str| drift[name].as_str().unwrap().to_owned();
    let mut costs: Vec<_> = known
        .map(|drift| {
            (text(drift, "stack"), text(drift, "address"), drift["costImpactMonthly"].as_f64().unwrap())
        })
        .collect();
    costs.sort_by(|one, other| one.1.cmp(&other.1));
    costs
}

#[tokio::test]
async fn ingest_sends_the_costs_beside_one_plan() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let plan = sample("infracost/plan.json");
    let file = sample("infracost/breakdown.json").display().to_string();
    let sent = app.ingest(&plan, &["--infracost", &file, "--json"], &token);
    assert_eq!(sent.status.code(), Some(2), "{}", said(&sent));
    let expected = [("aws_db_instance.orders", -64.06), ("aws_instance.web[\"a\"]", 53.14)];
    let demo = |(address, cost): (&str, f64)| ("demo".to_owned(), address.to_owned(), cost);
    assert_eq!(costs(&app).await, expected.map(demo));

    let two = app.ingest(&plan, &["--infracost", &file, &file], &token);
    assert!(said(&two).contains("--infracost belongs to one plan"), "{}", said(&two));
    for (plan, costs, part) in [
        (plan.clone(), sample("README.md"), "infracost breakdown --format json"),
        (sample("README.md"), sample("infracost/breakdown.json"), "terraform show -json"),
        (plan.clone(), plan.clone(), "infracost: cannot be read"),
    ] {
        let refused = app.ingest(&plan, &["--infracost", costs.to_str().unwrap()], &token);
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains(part), "{part}: {}", said(&refused));
    }
}

#[tokio::test]
async fn scan_takes_the_costs_in_the_folder_of_a_module() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let infra = Infrastructure::new(&["bare", "priced"]);
    for module in ["bare", "priced"] {
        infra.set(module, "plan.json", &fs::read_to_string(sample("infracost/plan.json")).unwrap());
    }
    let breakdown = fs::read_to_string(sample("infracost/breakdown.json")).unwrap();
    infra.set("priced", "infracost.json", &breakdown);
    let scan = || infra.scan(app.client.base(), &token, &["--infracost", "infracost.json", "--json"]);
    let scanned = scan();
    assert_eq!(scanned.status.code(), Some(2), "{}", said(&scanned));
    let stacks: Vec<String> = costs(&app).await.into_iter().map(|(stack, ..)| stack).collect();
    assert_eq!(stacks, ["priced", "priced"]);

    infra.set("priced", "infracost.json", "no costs");
    let failed = scan();
    let report: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!((failed.status.code(), &report["failed"]), (Some(1), &json!(["priced"])));
}
