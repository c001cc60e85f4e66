//! What `q` finds, and for whom.

use rstest::rstest;
use serde_json::json;
use testing::{Backend, Client, StatusCode};

use crate::app::{App, upload, walk};

fn plan() -> Vec<u8> {
    let resource = |kind: &str, name: &str, attribute: &str| {
        json!({
            "address": format!("aws_{kind}.{name}"), "mode": "managed", "type": format!("aws_{kind}"),
            "change": {
                "actions": ["update"],
                "before": {"id": name, attribute: {"Owner_Team": "a"}},
                "after": {"id": name, attribute: {"Owner_Team": "b"}},
            },
        })
    };
    let drifts = [resource("s3_bucket", "logs", "tags"), resource("instance", "web", "metadata_options")];
    let plan = json!({
        "format_version": "1.2", "terraform_version": "1.11.4", "complete": true, "errored": false,
        "timestamp": "2026-11-20T00:00:00Z", "resource_drift": drifts,
    });
    plan.to_string().into()
}

async fn found(caller: &Client, q: &str) -> Vec<String> {
    let rows = walk(caller, &format!("/api/v1/drifts?limit=100&q={}", q.replace(' ', "%20"))).await;
    let mut found: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}", row["stack"].as_str().unwrap(), row["resourceId"].as_str().unwrap()))
        .collect();
    found.sort();
    found
}

#[rstest]
#[actix_web::test]
async fn words_search_one_thing_and_free_text_searches_all(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    for (stack, account) in [("prod/Net", "111"), ("stage", "222")] {
        let query = format!("stack={}&accountId={account}", stack.replace('/', "%2F"));
        upload(&engineer, &query, plan()).await.data();
    }
    let web = walk(&engineer, "/api/v1/drifts?q=stack:stage%20web").await.remove(0);
    let reject = format!("/api/v1/drifts/{}/reject", web["id"].as_str().unwrap());
    engineer.post(&reject, &json!({"reason": "a Hotfix of 100%"})).await.data();

    let all = ["prod/Net logs", "prod/Net web", "stage logs", "stage web"];
    for (q, expected) in [
        ("stack:PROD", &all[..2]),
        ("stack:prod type:instance", &all[1..2]),
        ("account:222", &all[2..]),
        ("222", &all[2..]),
        ("prod/net", &all[..2]),
        ("attr:tags", &["prod/Net logs", "stage logs"]),
        ("attr:owner_team", &all),
        ("attr:options.owner_team stack:stage", &all[3..]),
        ("metadata_options", &["prod/Net web", "stage web"]),
        ("attr:path", &[]),
        ("reason:hotfix", &all[3..]),
        ("hotfix of 100%", &all[3..]),
        ("reason:100%25", &all[3..]),
        ("reason:1_0%25", &[]),
        ("stack:", &all),
        ("type:s3_bucket web", &[]),
        ("unknown:word", &[]),
        ("aws_instance.web", &["prod/Net web", "stage web"]),
    ] {
        assert_eq!(
            found(&engineer, &q.replace("100%", "100%25").replace("%2525", "%25")).await,
            expected,
            "{q}"
        );
    }
    // Facets, groups and counts follow the same search.
    let facets = engineer.get("/api/v1/drifts/facets?q=attr:tags").await.data();
    assert_eq!(facets["resourceType"], json!([{"value": "aws_s3_bucket", "count": 2}]));
    let summary = engineer.get("/api/v1/metrics/summary?q=reason:hotfix").await.data();
    assert_eq!(summary["byStatus"]["rejected"], 1);

    // Nobody finds a drift by what they may not see.
    assert_eq!(found(&app.anonymous, "stack:prod web").await, all[1..2]);
    for free in ["metadata_options", "hotfix"] {
        assert!(found(&app.anonymous, free).await.is_empty(), "{free}");
    }
    for q in ["attr:tags", "reason:hotfix"] {
        let path = format!("/api/v1/drifts?q={q}");
        app.anonymous.get(&path).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        app.anonymous
            .get(&format!("/api/v1/drifts/facets?q={q}"))
            .await
            .error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}
