use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::{App, walk};
use crate::lifecycle::{report, reported};

const SORTS: [&str; 5] = ["detectedAt", "createdAt", "lastSeenAt", "costImpactMonthly", "severity"];

async fn seed(app: &App, count: usize) {
    let engineer = app.engineer();
    for index in 0..count {
        let mut body = report(&format!("i-{index:03}"), 2);
        body["severity"] = json!(["info", "warning", "critical"][index % 3]);
        body["region"] = json!(["eu-west-1", "us-east-1"][index % 2]);
        body["costImpactMonthly"] = json!((index % 4) as f64 - 1.5);
        body["detectedAt"] = json!(format!("2026-11-{:02}T00:00:00Z", 1 + index % 5));
        engineer.post("/api/v1/drifts", &body).await.data();
    }
}

fn rank(sort: &str, drift: &Value) -> (i64, String) {
    let value = match sort {
        "costImpactMonthly" => (drift[sort].as_f64().unwrap() * 100.0) as i64,
        "severity" => {
            ["info", "warning", "critical"].iter().position(|name| drift[sort] == *name).unwrap() as i64
        }
        _ => {
            drift[sort].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros()
        }
    };
    (value, drift["id"].as_str().unwrap().into())
}

#[rstest]
#[actix_web::test]
async fn every_sort_walks_every_row_in_order(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    seed(&app, 30).await;
    for sort in SORTS {
        for direction in ["", "-"] {
            let rows = walk(&app.anonymous, &format!("/api/v1/drifts?sort={direction}{sort}&limit=7")).await;
            let ranks: Vec<_> = rows.iter().map(|row| rank(sort, row)).collect();
            let mut sorted = ranks.clone();
            sorted.sort();
            if direction == "-" {
                sorted.reverse();
            }
            assert_eq!((ranks.len(), &ranks), (30, &sorted), "{direction}{sort}");
        }
    }
    let default = walk(&app.anonymous, "/api/v1/drifts?limit=100").await;
    assert_eq!(default, walk(&app.anonymous, "/api/v1/drifts?limit=100&sort=-detectedAt").await);
}

#[rstest]
#[actix_web::test]
async fn filters_narrow_a_list(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    seed(&app, 30).await;
    let mut odd = report("100%_Sure\\x", 2);
    odd["stack"] = json!("other");
    odd["accountId"] = json!("42");
    app.engineer().post("/api/v1/drifts", &odd).await.data();
    for (query, count) in [
        ("severity=critical", 10),
        ("severity=critical,info", 20),
        ("severity=info&region=us-east-1", 5),
        ("status=detected", 31),
        ("status=approved,rejected", 0),
        ("kind=changed", 31),
        ("kind=missing", 0),
        ("resourceType=aws_instance", 31),
        ("resourceType=aws", 0),
        ("stack=other", 1),
        ("accountId=42", 1),
        ("resourceId=i-007", 1),
        ("resourceId=I-007", 0),
        ("q=I-00", 10),
        ("q=100%25_sure", 1),
        ("q=100x", 0),
        ("q=%25", 1),
        ("q=_", 31),
        ("q=%5C", 1),
        ("q=AWS_inst", 31),
        ("detectedFrom=2026-11-05T00:00:00Z", 7),
        ("detectedTo=2026-11-02T00:00:00Z", 6),
        ("detectedFrom=2026-11-02T00:00:00Z&detectedTo=2026-11-03T00:00:00Z", 6),
        ("minCost=1.5", 8),
        ("maxCost=-1.5", 8),
        ("minCost=-0.5&maxCost=0.5", 15),
    ] {
        let rows = walk(&app.anonymous, &format!("/api/v1/drifts?limit=4&{query}")).await;
        assert_eq!(rows.len(), count, "{query}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_bad_parameter_is_named_s54(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    seed(&app, 3).await;
    let page = app.anonymous.get("/api/v1/drifts?limit=1").await.expect(StatusCode::OK);
    let cursor = page["page"]["nextCursor"].as_str().unwrap();
    for (query, field) in [
        ("limit=0".into(), "limit"),
        ("limit=101".into(), "limit"),
        ("limit=x".into(), "limit"),
        ("sort=price".into(), "sort"),
        ("status=open".into(), "status"),
        ("status=detected,open".into(), "status"),
        ("severity=fatal".into(), "severity"),
        ("detectedFrom=yesterday".into(), "detectedFrom"),
        ("minCost=0.001".into(), "minCost"),
        (format!("q={}", "x".repeat(101)), "q"),
        ("q=a%00".into(), "q"),
        ("stack=a%00".into(), "stack"),
        ("resourceId=%00".into(), "resourceId"),
        ("nonsense=1".into(), "nonsense"),
        ("cursor=nonsense".into(), "cursor"),
        (format!("cursor={cursor}&sort=createdAt"), "cursor"),
        (format!("cursor={cursor}&severity=info"), "cursor"),
    ] {
        let error = app.anonymous.get(&format!("/api/v1/drifts?{query}")).await;
        let error = error.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field, "{query}");
    }
    // A cursor is also valid for another page size.
    app.anonymous.get(&format!("/api/v1/drifts?limit=2&cursor={cursor}")).await.expect(StatusCode::OK);
    app.anonymous.get("/api/v1/drifts/nonsense").await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_walk_misses_nothing_while_others_write(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    seed(&app, 40).await;
    let there: BTreeSet<String> =
        app.drifts(&app.viewer()).await.iter().map(|row| row["id"].to_string()).collect();
    let stop = std::cell::Cell::new(false);
    let writers = (0..5).map(|writer| {
        let (engineer, stop) = (app.engineer(), &stop);
        async move {
            let mut round = 0;
            while !stop.get() {
                let path = reported(&engineer, &format!("w-{writer}-{round}")).await;
                engineer.post(&format!("{path}/approve"), &json!({"reason": "x"})).await.data();
                round += 1;
            }
        }
    });
    let walks = async {
        for sort in SORTS {
            for direction in ["", "-"] {
                let rows =
                    walk(&app.anonymous, &format!("/api/v1/drifts?sort={direction}{sort}&limit=9")).await;
                let mut times: BTreeMap<String, usize> = BTreeMap::new();
                rows.iter().for_each(|row| *times.entry(row["id"].to_string()).or_default() += 1);
                for id in &there {
                    assert_eq!(times.get(id), Some(&1), "{direction}{sort} {id}");
                }
            }
        }
        stop.set(true);
    };
    futures_util::join!(join_all(writers), walks);
}
