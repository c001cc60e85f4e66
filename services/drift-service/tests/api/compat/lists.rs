use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client};

use super::{start, wrong_field};
use crate::lifecycle::{report, reported};

async fn seed(engineer: &Client, count: usize) {
    for index in 0..count {
        let mut body = report(&format!("i-{index:02}"), 2);
        body["severity"] = json!(["info", "warning", "critical"][index % 3]);
        body["region"] = json!(["eu-west-1", "us-east-1"][index % 2]);
        body["costImpactMonthly"] = json!(index as f64);
        body["detectedAt"] = json!(format!("2026-11-{:02}T00:00:00Z", 1 + index));
        engineer.post("/api/v1/drifts", &body).await.data();
    }
}

async fn page(caller: &Client, query: &str) -> (Vec<String>, Value) {
    let data = caller.get(&format!("/api/v1/drifts?{query}")).await.data();
    let items = data["items"].as_array().unwrap().iter();
    let ids = items.map(|drift| drift["resourceId"].as_str().unwrap().to_owned()).collect();
    (ids, data["pagination"].clone())
}

#[rstest]
#[actix_web::test]
async fn old_lists_have_pages_and_a_total(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = start(backend).await;
    seed(&app.engineer(), 7).await;
    let (first, about) = page(&app.anonymous, "page=1&limit=3").await;
    assert_eq!(first, ["i-06", "i-05", "i-04"]);
    assert_eq!(about, json!({"total": 7, "page": 1, "pageSize": 3, "totalPages": 3, "hasMore": true}));
    let (last, about) = page(&app.anonymous, "page=3&pageSize=3").await;
    assert_eq!((last, about["hasMore"].clone()), (vec!["i-00".to_owned()], json!(false)));
    let (beyond, about) = page(&app.anonymous, "page=4&limit=3").await;
    assert_eq!((beyond, &about["total"], &about["hasMore"]), (vec![], &json!(7), &json!(false)));
    let (all, about) = page(&app.anonymous, "").await;
    assert_eq!((all.len(), &about["pageSize"]), (7, &json!(20)));
}

#[rstest]
#[actix_web::test]
async fn old_lists_are_filtered_sorted_and_searched(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let engineer = app.engineer();
    seed(&engineer, 6).await;
    let path = reported(&engineer, "zebra").await;
    let reason = json!({"reason": "planned maintenance"});
    engineer.post(&format!("{path}/approve"), &reason).await.data();
    let ids = async |query: &str| page(&app.anonymous, query).await.0;

    assert_eq!(ids("severity=all&status=all&search=&sortBy=&region=").await.len(), 7);
    assert_eq!(ids("severity=critical").await, ["i-05", "i-02"]);
    assert_eq!(
        ids("severity=critical,info&sortBy=costImpactMonthly&sortOrder=asc").await,
        ["i-00", "i-02", "i-03", "i-05"]
    );
    assert_eq!(ids("status=approved").await, ["zebra"]);
    assert_eq!(ids("status=detected&region=us-east-1&sortOrder=asc").await, ["i-01", "i-03", "i-05"]);
    assert_eq!(
        ids("resourceType=aws_instance&sortBy=resourceId&sortOrder=ASC&limit=2").await,
        ["i-00", "i-01"]
    );
    assert_eq!(ids("search=ZEB").await, ["zebra"]);
    // No drift has this status of the old stack.
    assert_eq!(ids("status=triaged").await, Vec::<String>::new());
    assert_eq!(ids("status=triaged,approved").await, ["zebra"]);
    let mut most_severe = ids("sortBy=severity&sortOrder=desc&limit=2").await;
    most_severe.sort();
    assert_eq!(most_severe, ["i-02", "i-05"]);
    for key in ["detectedAt", "createdAt", "updatedAt", "status", "resourceType", "region"] {
        assert_eq!(ids(&format!("sortBy={key}")).await.len(), 7, "{key}");
    }
}

#[rstest]
#[actix_web::test]
async fn old_lists_ignore_unknown_parameters_and_name_wrong_ones(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    seed(&app.engineer(), 1).await;
    assert_eq!(page(&app.anonymous, "_t=1764&dateRange=7d&page=1").await.0.len(), 1);
    for (query, field) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=two", "page"),
        ("limit=0", "limit"),
        ("severity=huge", "severity"),
        ("status=gone", "status"),
        ("sortBy=password", "sortBy"),
        ("sortOrder=up", "sortOrder"),
        ("search=%00", "search"),
    ] {
        wrong_field(&app.anonymous.get(&format!("/api/v1/drifts?{query}")).await, field);
    }
}

#[rstest]
#[actix_web::test]
async fn wildcards_of_an_old_search_are_ordinary_characters(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let engineer = app.engineer();
    for name in ["a%b", "a_b", r"a\b", "axb"] {
        reported(&engineer, name).await;
    }
    for (search, found) in [("%25", "a%b"), ("_b", "a_b"), ("%5C", r"a\b")] {
        assert_eq!(page(&app.anonymous, &format!("search={search}")).await.0, [found]);
    }
    let about =
        |title: &str| json!({"type": "approval_needed", "severity": "info", "title": title, "message": "m"});
    for title in ["50% more", "50 more"] {
        engineer.post("/api/v1/alerts", &about(title)).await.data();
    }
    let found = app.anonymous.get("/api/v1/alerts?search=50%25").await.data();
    assert_eq!(
        (found["items"].as_array().unwrap().len(), &found["items"][0]["title"]),
        (1, &json!("50% more"))
    );
}
