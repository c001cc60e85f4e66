use sea_orm::{ConnectionTrait, Database, DbErr};
use testing::Backend;

async fn create_table(url: &str) -> Result<(), DbErr> {
    let database = Database::connect(url).await?;
    database.execute_unprepared("CREATE TABLE only_here (id INTEGER)").await.map(drop)
}

#[tokio::test]
async fn every_call_creates_a_separate_empty_database() {
    for backend in [Backend::Memory, Backend::Real] {
        let stores = backend.start().await;
        for _ in 0..2 {
            create_table(&stores.database_url().await).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_sqlite_database_is_shared_by_all_users_of_its_url() {
    let stores = Backend::Memory.start().await;
    let url = stores.database_url().await;
    create_table(&url).await.unwrap();
    create_table(&url).await.unwrap_err();
}

#[tokio::test]
async fn two_tests_do_not_share_a_redis() {
    let (one, other) = (Backend::Real.start().await, Backend::Real.start().await);
    let mut connection = one.redis().connect().await;
    let _: () = redis::cmd("SET").arg("key").arg("1").query_async(&mut connection).await.unwrap();
    let found: Option<String> =
        redis::cmd("GET").arg("key").query_async(&mut other.redis().connect().await).await.unwrap();
    assert_eq!(found, None);
}
