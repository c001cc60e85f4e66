use chrono::TimeDelta;
use contracts::drift::Status;
use rstest::rstest;
use sea_orm::{Database, DatabaseConnection, EntityTrait};
use testing::Backend;

use super::*;
use crate::drift::entity::Entity as Drifts;
use crate::migration::Migrator;

/// The number of migrations before this one.
const BEFORE: u32 = 4;

/// Inserts a drift that was found on a day, and resolved in that way on another one.
async fn insert(
    db: &DatabaseConnection,
    fingerprint: &str,
    created: i64,
    resolved: Option<(ResolvedHow, i64)>,
) -> Uuid {
    let id = Uuid::now_v7();
    let at = |day: i64| DateTime::UNIX_EPOCH + TimeDelta::days(day);
    let text = |value: &str| Expr::value(value.to_owned());
    let status = if resolved.is_some() { Status::Resolved } else { Status::Detected };
    let mut columns = vec!["id", "costCents", "severityRank", "occurrences", "version", "isSeverityManual"];
    let mut values = vec![
        Expr::value(id),
        Expr::value(0i64),
        Expr::value(0i16),
        Expr::value(1i32),
        Expr::value(1i32),
        Expr::value(false),
    ];
    for (column, value) in [
        ("stack", "s"),
        ("address", "aws_x.y"),
        ("resourceId", "i"),
        ("resourceType", "aws_x"),
        ("region", ""),
        ("provider", ""),
        ("providerConfig", ""),
        ("severity", "info"),
        ("kind", "changed"),
        ("status", status.into_str()),
        ("difference", "[]"),
        ("fingerprint", fingerprint),
        ("actualHash", "h"),
        ("searchText", "x"),
    ] {
        columns.push(column);
        values.push(text(value));
    }
    for column in ["detectedAt", "firstSeenAt", "lastSeenAt", "createdAt", "updatedAt"] {
        columns.push(column);
        values.push(Expr::value(at(created)));
    }
    columns.extend(["resolvedAt", "resolvedHow"]);
    values.push(Expr::value(resolved.map(|(_, day)| at(day))));
    values.push(Expr::value(resolved.map(|(how, _)| how.into_str().to_owned())));
    let insert = Query::insert().into_table("drifts").columns(columns).values_panic(values).to_owned();
    db.execute(&insert).await.unwrap();
    id
}

#[rstest]
#[tokio::test]
async fn the_returns_of_earlier_versions_are_counted(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let stores = backend.start().await;
    let db = Database::connect(stores.database_url().await).await.unwrap();
    Migrator::up(&db, Some(BEFORE)).await.unwrap();
    let auto = |day| Some((ResolvedHow::Auto, day));
    for day in [100, 110, 120] {
        insert(&db, "flapping", day, auto(day + 5)).await;
    }
    let flapping = insert(&db, "flapping", 130, None).await;
    insert(&db, "by hand", 100, Some((ResolvedHow::Manual, 105))).await;
    let by_hand = insert(&db, "by hand", 110, None).await;
    let single = insert(&db, "single", 110, None).await;
    Migrator::up(&db, None).await.unwrap();

    for (id, returns) in [(flapping, 3), (by_hand, 0), (single, 0)] {
        let drift = Drifts::find_by_id(id).one(&db).await.unwrap().unwrap();
        assert_eq!(drift.returns, returns, "{id}");
        let rhythm = returns::Recurrence::read(drift.return_times.as_deref());
        let seconds = rhythm.and_then(|rhythm| rhythm.median_interval_seconds);
        assert_eq!(seconds, (returns > 0).then_some(10 * 86_400), "{id}");
    }
}
