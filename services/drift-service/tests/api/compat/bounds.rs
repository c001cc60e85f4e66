use rstest::rstest;
use sea_orm::{ConnectionTrait, Database, DbBackend};
use serde_json::json;
use testing::Backend;

use super::{start, wrong_field};

const ROWS: u32 = 10_050;

#[rstest]
#[actix_web::test]
async fn an_old_total_and_the_depth_of_old_pages_are_bounded(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let alert = json!({"type": "approval_needed", "severity": "info", "title": "t", "message": "m"});
    app.engineer().post("/api/v1/alerts", &alert).await.data();
    let db = Database::connect(&app.database_url).await.unwrap();
    let id = match db.get_database_backend() {
        DbBackend::Sqlite => "randomblob(16)",
        _ => "gen_random_uuid()",
    };
    let copies = format!(
        r#"INSERT INTO alerts ("id", "driftId", "alertType", "severity", "title", "message", "createdAt", "isRead")
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})
        SELECT {id}, "driftId", "alertType", "severity", "title", "message", "createdAt", "isRead"
        FROM alerts CROSS JOIN numbers"#
    );
    db.execute_unprepared(&copies).await.unwrap();

    let page = async |query: &str| app.anonymous.get(&format!("/api/v1/alerts?{query}")).await;
    let last = page("limit=100&page=100").await.data();
    assert_eq!(
        last["pagination"],
        json!({"total": 10_000, "page": 100, "pageSize": 100, "totalPages": 100, "hasMore": false})
    );
    assert_eq!(last["items"].as_array().unwrap().len(), 100);
    wrong_field(&page("limit=100&page=101").await, "page");
    wrong_field(&page(&format!("page={}", u64::MAX)).await, "page");
    let large = page(&format!("limit={}", u64::MAX)).await.data();
    assert_eq!(
        (&large["pagination"]["pageSize"], large["items"].as_array().unwrap().len()),
        (&json!(100), 100)
    );
    wrong_field(&page(&format!("search={}", "x".repeat(101))).await, "search");
    let summary = app.anonymous.get("/api/v1/metrics/summary").await.data();
    assert_eq!(summary["alerts"]["total"], 10_000);
}
