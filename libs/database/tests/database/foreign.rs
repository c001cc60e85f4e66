//! Databases that have tables of another system already.

use std::error::Error;
use std::sync::Arc;

use contracts::Clock;
use database::Database;
use testing::{Backend, PrivatePostgres, execute};

use super::{Migrator, World};

#[tokio::test]
async fn a_schema_with_tables_of_the_old_stack_is_refused_by_name() {
    let world = World::start(Backend::Memory).await;
    let url = PrivatePostgres::shared().create_database().await;
    execute(&url, r#"CREATE TABLE users (id uuid, password_hash text); CREATE TABLE "User" (password text)"#)
        .await;
    let connect = async |url: &str| {
        Database::connect::<Migrator>(url, Arc::clone(&world.backplane.log), Clock::system()).await
    };
    let refused = connect(&url).await.unwrap_err();
    let text = refused.source().unwrap().to_string();
    assert!(
        text.contains("the replaced Node stack (users, User)") && text.contains("import-legacy"),
        "{text}"
    );
    // Beside them there is room.
    connect(&format!("{url}?schema=own")).await.unwrap();
    // A table whose name is no other is in nobody's way, and an installation of ours starts in any company.
    execute(&url, "DROP TABLE users").await;
    connect(&url).await.unwrap();
    execute(&url, "CREATE TABLE drifts (detected_by text)").await;
    connect(&url).await.unwrap();
}
