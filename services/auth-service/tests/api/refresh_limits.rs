use auth_service::audit::entity as audit_log;
use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use testing::{Answer, Backend, StatusCode};

use crate::app::App;

fn assert_refused(answer: &Answer) {
    answer.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    assert!((1..=60).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
}

#[rstest]
#[actix_web::test]
async fn refreshes_of_a_session_are_limited_and_a_refused_token_works_later_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--refreshes-per-session=3"]).await;
    let (alice, other) = (app.sign_up("alice").await, app.log_in("alice").await);
    let mut token = alice.refresh.clone();
    for _ in 0..3 {
        token = app.refresh(&token).await;
    }
    for _ in 0..5 {
        assert_refused(&app.try_refresh(&token).await);
    }
    assert!(alice.is_in().await);
    app.refresh(&other.refresh).await;
    app.all_events_are_out().await;
    assert_eq!(app.published("auth:token.refreshed").len(), 4);
    app.advance(TimeDelta::minutes(1));
    app.refresh(&token).await;
}

#[rstest]
#[actix_web::test]
async fn a_tab_is_not_logged_out_when_another_tab_refreshes_too_often_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--refreshes-per-session=3"]).await;
    let alice = app.sign_up("alice").await;
    let mut greedy = alice.refresh.clone();
    for _ in 0..3 {
        greedy = app.refresh(&greedy).await;
    }
    assert_refused(&app.try_refresh(&greedy).await);
    // This tab is three uses behind. It still gets its successors, because each is a repetition up to the
    // newest.
    let mut late = alice.refresh.clone();
    for _ in 0..3 {
        late = app.refresh(&late).await;
    }
    assert_eq!(late, greedy);
    assert_refused(&app.try_refresh(&late).await);
    app.advance(TimeDelta::minutes(1));
    app.refresh(&late).await;
    assert!(alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn the_sessions_of_a_user_share_a_limit_and_other_users_do_not_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--refreshes-per-user=2"]).await;
    let (alice, again, third) =
        (app.sign_up("alice").await, app.log_in("alice").await, app.log_in("alice").await);
    let bob = app.sign_up("bob").await;
    app.refresh(&alice.refresh).await;
    app.refresh(&again.refresh).await;
    assert_refused(&app.try_refresh(&third.refresh).await);
    app.refresh(&bob.refresh).await;
    app.advance(TimeDelta::minutes(1));
    app.refresh(&third.refresh).await;
}

#[rstest]
#[actix_web::test]
async fn without_rotation_refreshes_are_limited_too_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--refresh-rotation=false", "--refreshes-per-session=3"]).await;
    let alice = app.sign_up("alice").await;
    for _ in 0..3 {
        app.refresh(&alice.refresh).await;
    }
    assert_refused(&app.try_refresh(&alice.refresh).await);
    app.advance(TimeDelta::minutes(1));
    app.refresh(&alice.refresh).await;
}

#[rstest]
#[actix_web::test]
async fn a_hundred_tabs_at_once_are_one_refresh_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--refreshes-per-session=1"]).await;
    let alice = app.sign_up("alice").await;
    let successors = join_all((0..100).map(|_| app.refresh(&alice.refresh))).await;
    assert!(successors.iter().all(|successor| successor == &successors[0]));
}

#[rstest]
#[actix_web::test]
async fn the_audit_log_does_not_grow_with_the_number_of_refreshes_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--refreshes-per-session=1000"]).await;
    let alice = app.sign_up("alice").await;
    let refreshed = audit_log::Column::Action.eq("token_refreshed");
    let rows = || audit_log::Entity::find().filter(refreshed.clone()).count(&app.state.database);
    let mut token = alice.refresh.clone();
    for minutes in 1..=3 {
        for _ in 0..40 {
            app.refresh(&token).await;
            token = app.refresh(&token).await;
        }
        assert_eq!(rows().await.unwrap(), minutes);
        app.advance(TimeDelta::minutes(1));
    }
}
