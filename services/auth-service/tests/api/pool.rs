//! The connections to the database that one user can occupy. Only PostgreSQL has locks of rows.

use auth_service::session::entity as session;
use auth_service::user::entity as user;
use auth_service::user::locked_user::take_turn;
use chrono::TimeDelta;
use database::Transaction;
use futures_util::future::{join, join_all};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use testing::{Backend, LIMIT, StatusCode, eventually};
use uuid::Uuid;

use crate::app::{App, User};

/// Locks the row of a user until the transaction is dropped.
async fn hold(app: &App, id: Uuid) -> Transaction {
    let transaction = app.state.database.begin().await.unwrap();
    user::lock(&transaction, id).await.unwrap().unwrap();
    transaction
}

/// Returns the number of connections to the database of this test that wait for a lock.
async fn waiting(app: &App) -> i64 {
    let count = "SELECT count(*) AS count FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let row =
        app.state.database.query_one_raw(Statement::from_string(DbBackend::Postgres, count)).await.unwrap();
    row.unwrap().try_get("", "count").unwrap()
}

/// Waits for requests that need the held lock. One waits with a connection, and another user is served.
async fn assert_that_one_waits(app: &App, other: &User, held: Transaction) {
    eventually("a request waits for the lock", async || waiting(app).await > 0).await;
    for _ in 0..20 {
        assert!(other.is_in().await);
    }
    assert_eq!(waiting(app).await, 1);
    drop(held);
}

#[rstest]
#[actix_web::test]
async fn requests_of_one_user_occupy_one_connection_s60(#[values(Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    app.advance(TimeDelta::minutes(2));
    let held = hold(&app, alice.id).await;
    let request = async |nth: usize| match nth % 3 {
        0 => alice.client.post("/api/auth/activity", &json!({})).await,
        1 => alice.client.delete("/api/auth/sessions/all").await,
        _ => app.try_refresh(&alice.refresh).await,
    };
    let answers = join_all((0..60).map(request));
    let (answers, ()) = join(answers, assert_that_one_waits(&app, &bob, held)).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
}

#[rstest]
#[actix_web::test]
async fn changes_by_admins_occupy_one_connection_s60(#[values(Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (root, alice, bob) = (app.admin("root").await, app.sign_up("alice").await, app.sign_up("bob").await);
    let held = hold(&app, alice.id).await;
    let request = async |nth: usize| match nth % 3 {
        0 => root.client.delete(&format!("/api/auth/users/{}/sessions", alice.id)).await,
        1 => root.client.delete(&format!("/api/auth/users/{}/locks", bob.id)).await,
        _ => root.client.patch(&format!("/api/auth/users/{}", bob.id), &json!({"role": "engineer"})).await,
    };
    let answers = join_all((0..60).map(request));
    let (answers, ()) = join(answers, assert_that_one_waits(&app, &bob, held)).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
}

#[rstest]
#[actix_web::test]
async fn a_refused_refresh_waits_for_no_lock_s60(#[values(Backend::Real)] backend: Backend) {
    let app = App::with(backend, &["--refreshes-per-session=1"]).await;
    let alice = app.sign_up("alice").await;
    let token = app.refresh(&alice.refresh).await;
    let held = hold(&app, alice.id).await;
    let refused = tokio::time::timeout(LIMIT, app.try_refresh(&token)).await;
    refused.expect("no lock to wait for").error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    drop(held);
    app.advance(TimeDelta::minutes(1));
    app.refresh(&token).await;
}

#[rstest]
#[actix_web::test]
async fn ending_sessions_is_limited_for_each_session_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (alice, other) = (app.sign_up("alice").await, app.log_in("alice").await);
    let unknown = format!("/api/auth/sessions/{}", Uuid::new_v4());
    for nth in 0..100 {
        match nth % 2 {
            0 => alice.client.delete(&unknown).await.error(StatusCode::NOT_FOUND, "NOT_FOUND"),
            _ => alice.client.delete("/api/auth/sessions/all").await.expect(StatusCode::OK),
        };
    }
    let own = format!("/api/auth/sessions/{}", alice.session);
    for path in [&unknown, &own, "/api/auth/sessions/all"] {
        let refused = alice.client.delete(path).await;
        refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    }
    assert!(!other.is_in().await);
    let again = app.log_in("alice").await;
    again.client.delete(&own).await.expect(StatusCode::OK);
    assert!(!alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn tokens_that_write_nothing_wait_for_no_lock_s60(#[values(Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (alice, ended) = (app.sign_up("alice").await, app.log_in("alice").await);
    ended.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    app.refresh(&alice.refresh).await;
    let held = hold(&app, alice.id).await;
    let repeated = tokio::time::timeout(LIMIT, app.try_refresh(&alice.refresh)).await;
    repeated.expect("no lock to wait for").expect(StatusCode::OK);
    let body = json!({"refreshToken": ended.refresh});
    let again = tokio::time::timeout(LIMIT, app.client.post("/api/auth/logout", &body)).await;
    again.expect("no lock to wait for").expect(StatusCode::OK);
    drop(held);
}

#[rstest]
#[actix_web::test]
async fn a_user_who_is_busy_does_not_keep_the_sweeper_from_others_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    // Users are swept in the order of their ids, which follow the time.
    assert!(alice.id < bob.id);
    let _busy = take_turn(&app.state, &alice.id.to_string()).await.unwrap();
    app.advance(TimeDelta::minutes(61));
    auth_service::sweeper::sweep(&app.state).await.unwrap();
    let open = async |user: Uuid| session::open_of(&app.state.database, user).await.unwrap().len();
    assert_eq!((open(alice.id).await, open(bob.id).await), (1, 0));
}
