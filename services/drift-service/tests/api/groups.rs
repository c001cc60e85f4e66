//! Groups by cause, facets, and decisions on all drifts that match.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::{App, upload, walk};

/// A plan in which each resource has a type (`a` or `b`) and a size.
fn plan(resources: &[(char, u8)]) -> Vec<u8> {
    let drift = |(index, (kind, size)): (usize, &(char, u8))| {
        json!({
            "address": format!("aws_{kind}.web[{index}]"), "mode": "managed", "type": format!("aws_{kind}"),
            "change": {
                "actions": ["update"],
                "before": {"id": format!("i-{index}"), "size": 0, "name": format!("n{index}")},
                "after": {"id": format!("i-{index}"), "size": size, "name": format!("n{index}")},
            },
        })
    };
    let drifts: Vec<Value> = resources.iter().enumerate().map(drift).collect();
    let plan = json!({
        "format_version": "1.2", "terraform_version": "1.11.4", "complete": true, "errored": false,
        "timestamp": "2026-11-20T00:00:00Z", "resource_drift": drifts,
    });
    plan.to_string().into()
}

#[rstest]
#[actix_web::test]
async fn one_change_of_many_resources_is_one_group_with_one_decision(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let many: Vec<(char, u8)> = (0..30).map(|_| ('a', 2)).chain([('a', 3), ('b', 2)]).collect();
    upload(&engineer, "stack=one", plan(&many)).await.data();
    upload(&engineer, "stack=two", plan(&[('a', 2)])).await.data();

    let groups = walk(&engineer, "/api/v1/drifts/groups?limit=1").await;
    assert_eq!(groups.len(), 3);
    let group = &groups[0];
    assert_eq!((&group["drifts"], &group["stacks"], &group["detected"]), (&json!(31), &json!(2), &json!(31)));
    assert_eq!(group["example"]["difference"][0]["path"], json!(["size"]));
    let key = group["key"].as_str().unwrap();
    let members = walk(&engineer, &format!("/api/v1/drifts?limit=100&group={key}")).await;
    assert_eq!(members.len(), 31);
    assert!(members.iter().all(|drift| drift["resourceType"] == "aws_a"));

    // One of them has a decision already. The group's decision leaves it out and says so.
    let one = format!("/api/v1/drifts/{}/reject", members[0]["id"].as_str().unwrap());
    engineer.post(&one, &json!({"reason": "no"})).await.data();
    let path = format!("/api/v1/drifts/decide?group={key}");
    let decision =
        |count: u64| json!({"action": "approve", "reason": "bigger on purpose", "expectedCount": count});
    let conflict = engineer.post(&path, &decision(31)).await.error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(conflict["details"]["count"], 30);
    let covered = engineer.post(&path, &decision(30)).await.data();
    assert_eq!(covered, json!({"decided": 30, "leftOut": {"rejected": 1}}));
    app.expect_events("drift:approved", 30).await;
    let approved = walk(&engineer, &format!("/api/v1/drifts?limit=100&group={key}&status=approved")).await;
    assert!(
        approved.iter().all(|drift| drift["approvedReason"] == "bigger on purpose" && drift["version"] == 2)
    );
    let history =
        engineer.get(&format!("/api/v1/drifts/{}/history", approved[0]["id"].as_str().unwrap())).await.data();
    assert_eq!((&history[0]["action"], &history[0]["to"]), (&json!("drift.approve"), &json!("approved")));

    // A new member joins the group without a decision.
    upload(&engineer, "stack=three", plan(&[('a', 2)])).await.data();
    let groups = walk(&engineer, &format!("/api/v1/drifts/groups?group={key}")).await;
    assert_eq!((&groups[0]["drifts"], &groups[0]["detected"]), (&json!(32), &json!(1)));
}

#[rstest]
#[actix_web::test]
async fn a_decision_on_all_that_match_is_checked(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    upload(&engineer, "stack=one", plan(&[('a', 1), ('a', 2), ('b', 3)])).await.data();
    let decide = async |caller: &testing::Client, query: &str, body: Value| {
        caller.post(&format!("/api/v1/drifts/decide?{query}"), &body).await
    };
    let approve = json!({"action": "approve", "reason": "all of it", "expectedCount": 2});
    let answer = decide(&app.viewer(), "stack=one", approve.clone()).await;
    answer.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let no_reason = json!({"action": "reject", "expectedCount": 2});
    decide(&engineer, "stack=one", no_reason).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let many = json!({"action": "resolve", "expectedCount": 2_001});
    decide(&engineer, "stack=one", many).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    decide(&engineer, "group=x", approve.clone()).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    decide(&engineer, "stack=two", approve.clone()).await.error(StatusCode::CONFLICT, "CONFLICT");
    let covered = decide(&engineer, "resourceType=aws_a", approve).await.data();
    assert_eq!(covered, json!({"decided": 2, "leftOut": {}}));
    // Reopening follows the rules for a single drift.
    let reopen = json!({"action": "reopen", "expectedCount": 2});
    decide(&app.engineer(), "stack=one", reopen.clone()).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let reopened = decide(&engineer, "stack=one", reopen).await.data();
    assert_eq!(reopened, json!({"decided": 2, "leftOut": {"detected": 1}}));
    let drifts = app.drifts(&engineer).await;
    assert!(drifts.iter().all(|drift| drift["status"] == "detected" && drift["approvedBy"] == Value::Null));
}

#[rstest]
#[actix_web::test]
async fn a_facet_counts_what_each_choice_would_show(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    upload(&engineer, "stack=one&region=eu", plan(&[('a', 1), ('a', 2), ('b', 3)])).await.data();
    upload(&engineer, "stack=two", plan(&[('b', 1)])).await.data();
    let facets = async |query: &str| engineer.get(&format!("/api/v1/drifts/facets?{query}")).await.data();
    let all = facets("").await;
    assert_eq!(all["stack"], json!([{"value": "one", "count": 3}, {"value": "two", "count": 1}]));
    assert_eq!(all["resourceType"], json!([{"value": "aws_a", "count": 2}, {"value": "aws_b", "count": 2}]));
    assert_eq!(all["status"], json!([{"value": "detected", "count": 4}]));
    assert_eq!(all["region"], json!([{"value": "eu", "count": 3}, {"value": "", "count": 1}]));
    let of_b = facets("resourceType=aws_b&stack=one").await;
    assert_eq!(of_b["resourceType"], json!([{"value": "aws_a", "count": 2}, {"value": "aws_b", "count": 1}]));
    assert_eq!(of_b["stack"], json!([{"value": "one", "count": 1}, {"value": "two", "count": 1}]));
    engineer.get("/api/v1/drifts/facets?limit=1").await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

/// For any drifts and any filter, each matching drift is in exactly one group, and each group has what it counts.
#[rstest]
#[actix_web::test]
async fn groups_partition_the_filtered_list(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let resource = (prop::sample::select(vec!['a', 'b', 'c']), 1..4u8);
    let stacks = prop::collection::vec(prop::collection::vec(resource, 0..12), 3);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for round in 0..6 {
        let stacks = stacks.new_tree(&mut runner).unwrap().current();
        for (index, resources) in stacks.iter().enumerate() {
            upload(&engineer, &format!("stack=r{round}s{index}"), plan(resources)).await.data();
        }
        for filter in ["", "resourceType=aws_a", "stack=r0s0,r1s1,r2s2", "q=web%5B3", "status=resolved"] {
            let listed = walk(&engineer, &format!("/api/v1/drifts?limit=100&{filter}")).await;
            let groups = walk(&engineer, &format!("/api/v1/drifts/groups?limit=2&{filter}")).await;
            let mut ids = Vec::new();
            for group in &groups {
                let key = group["key"].as_str().unwrap();
                let members =
                    walk(&engineer, &format!("/api/v1/drifts?limit=100&group={key}&{filter}")).await;
                assert_eq!(group["drifts"], members.len());
                ids.extend(members.into_iter().map(|drift| drift["id"].to_string()));
            }
            let mut expected: Vec<String> = listed.into_iter().map(|drift| drift["id"].to_string()).collect();
            ids.sort_unstable();
            expected.sort_unstable();
            assert_eq!(ids, expected, "{filter}");
        }
    }
}
