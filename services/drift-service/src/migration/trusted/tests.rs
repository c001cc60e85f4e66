use contracts::drift::{ResolvedHow, Status};
use rstest::rstest;
use sea_orm::{Database, DatabaseConnection, EntityTrait};
use testing::Backend;

use super::*;
use crate::drift::entity::Entity as Drifts;
use crate::migration::Migrator;

/// A row as 0.1.0 wrote it.
struct Old {
    region: &'static str,
    account_id: Option<&'static str>,
    status: &'static str,
    hash: &'static str,
    day: u32,
}

async fn insert(db: &DatabaseConnection, old: &Old) -> Uuid {
    let id = Uuid::new_v4();
    let at: DateTime<Utc> = format!("2026-11-{:02}T00:00:00Z", old.day).parse().unwrap();
    let text = |value: &str| Expr::value(value.to_owned());
    let columns = [
        "id",
        "accountId",
        "stack",
        "address",
        "resourceId",
        "resourceType",
        "region",
        "severity",
        "severityRank",
        "kind",
        "status",
        "difference",
        "costCents",
        "detectedAt",
        "firstSeenAt",
        "lastSeenAt",
        "createdAt",
        "updatedAt",
        "occurrences",
        "fingerprint",
        "actualHash",
        "version",
        "searchText",
    ];
    let values = [
        Expr::value(id),
        Expr::value(old.account_id.map(String::from)),
        text("s"),
        text("aws_x.y"),
        text("i"),
        text("aws_x"),
        text(old.region),
        text("info"),
        Expr::value(0i16),
        text("changed"),
        text(old.status),
        text("[]"),
        Expr::value(0i64),
        Expr::value(at),
        Expr::value(at),
        Expr::value(at),
        Expr::value(at),
        Expr::value(at),
        Expr::value(1i32),
        text(&id.to_string()),
        text(old.hash),
        Expr::value(1i32),
        text("x"),
    ];
    let insert = Query::insert().into_table("drifts").columns(columns).values_panic(values).to_owned();
    execute(db, &insert).await.unwrap();
    id
}

async fn alert(db: &DatabaseConnection, drift_id: Uuid, read_by: Option<&str>) -> Uuid {
    let id = Uuid::new_v4();
    let at: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().unwrap();
    let columns = [
        "id",
        "driftId",
        "alertType",
        "severity",
        "title",
        "message",
        "createdAt",
        "isRead",
        "readAt",
        "readBy",
    ];
    let values = [
        Expr::value(id),
        Expr::value(drift_id),
        Expr::value("drift_detected"),
        Expr::value("info"),
        Expr::value("t"),
        Expr::value("m"),
        Expr::value(at),
        Expr::value(read_by.is_some()),
        Expr::value(read_by.map(|_| at)),
        Expr::value(read_by.map(String::from)),
    ];
    let insert = Query::insert().into_table("alerts").columns(columns).values_panic(values).to_owned();
    execute(db, &insert).await.unwrap();
    id
}

#[rstest]
#[tokio::test]
async fn rows_of_0_1_0_keep_their_decisions_and_become_one_per_resource(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let stores = backend.start().await;
    let db = Database::connect(stores.database_url().await).await.unwrap();
    Migrator::up(&db, Some(2)).await.unwrap();
    let row = |region, account_id, status, hash, day| Old { region, account_id, status, hash, day };
    // Approved while the region was unknown, and seen again in the same state once it was known.
    let approved = insert(&db, &row("unknown", None, "approved", "h1", 1)).await;
    let doubled = insert(&db, &row("eu-west-1", Some("1"), "detected", "h1", 2)).await;
    let elsewhere = insert(&db, &row("eu-west-1", Some("2"), "rejected", "h2", 1)).await;
    let mine = alert(&db, doubled, Some("ada")).await;
    let closed = alert(&db, approved, Some("ada")).await;
    Migrator::up(&db, None).await.unwrap();

    let one = async |id| Drifts::find_by_id(id).one(&db).await.unwrap().unwrap();
    let kept = one(approved).await;
    assert_eq!(
        (kept.status, kept.region.as_str(), kept.previous_drift_id),
        (Status::Approved, "", Some(doubled))
    );
    let gone = one(doubled).await;
    assert_eq!((gone.status, gone.resolved_how), (Status::Resolved, Some(ResolvedHow::Superseded)));
    let other = one(elsewhere).await;
    assert_eq!(other.status, Status::Rejected);
    assert_ne!(kept.fingerprint, other.fingerprint);
    assert!(kept.decidable.is_none() && kept.shown_hash.is_none());

    let alerts = crate::alert::entity::Entity::find().all(&db).await.unwrap();
    let is_closed = |id| alerts.iter().find(|alert| alert.id == id).unwrap().is_read;
    assert_eq!((is_closed(mine), is_closed(closed)), (false, true));
    let read = crate::alert::reads::of(&db, "ada", &[mine, closed]).await.unwrap();
    assert_eq!(read.iter().map(|read| read.alert_id).collect::<Vec<_>>(), [mine]);
}
