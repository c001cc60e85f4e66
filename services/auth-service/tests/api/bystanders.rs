//! Limits that one client reaches must not refuse others.

use std::time::Duration;

use futures_util::future::{join, join_all};
use rstest::rstest;
use serde_json::json;
use testing::{Answer, Backend, StatusCode, eventually};

use crate::app::{App, BEHIND_PROXY, PASSWORD, WRONG, email};

fn assert_refused(answer: &Answer) {
    answer.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
}

#[rstest]
#[actix_web::test]
async fn attempts_that_a_lock_refuses_use_up_no_limit_of_their_network_s59(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--logins-per-ip=10", "--login-failures-per-account=2"]).await;
    let (alice, _) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let change = json!({"currentPassword": WRONG, "newPassword": "battery staple"});
    for _ in 0..2 {
        app.try_log_in(&alice.email, WRONG).await.expect(StatusCode::UNAUTHORIZED);
        alice.client.post("/api/auth/password", &change).await.expect(StatusCode::BAD_REQUEST);
    }
    for _ in 0..10 {
        assert_refused(&app.try_log_in(&alice.email, PASSWORD).await);
        assert_refused(&alice.client.post("/api/auth/password", &change).await);
    }
    app.log_in("bob").await;
}

#[rstest]
#[actix_web::test]
async fn logins_of_strangers_use_up_no_limit_of_a_password_change_s59(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--logins-per-account=4"]).await;
    let alice = app.sign_up("alice").await;
    for _ in 0..4 {
        app.try_log_in(&alice.email, WRONG).await;
    }
    assert_refused(&app.try_log_in(&alice.email, PASSWORD).await);
    let change = json!({"currentPassword": PASSWORD, "newPassword": "battery staple"});
    alice.client.post("/api/auth/password", &change).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn a_password_change_counts_with_the_successful_logins_of_its_user_s59(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--logins-per-account=3", BEHIND_PROXY]).await;
    let alice = app.sign_up("alice").await;
    for nth in 0..3 {
        let ip = format!("10.0.0.{nth}");
        app.try_log_in_at(&ip, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    }
    let change = json!({"currentPassword": PASSWORD, "newPassword": "battery staple"});
    assert_refused(&alice.client.post("/api/auth/password", &change).await);
}

#[rstest]
#[actix_web::test]
async fn new_users_do_not_make_their_network_known_s62(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--signups-total=3", "--signups-per-ip=50", BEHIND_PROXY]).await;
    let sign_up = async |ip: &str, name: &str| {
        let body = json!({"name": name, "email": email(name), "password": PASSWORD});
        app.at(ip).post("/api/auth/signup", &body).await
    };
    let (stranger, office) = ("203.0.113.9", "198.51.100.7");
    sign_up(office, "alice").await.expect(StatusCode::CREATED);
    app.advance(chrono::TimeDelta::days(1));
    for nth in 0..3 {
        sign_up(stranger, &format!("stranger{nth}")).await.expect(StatusCode::CREATED);
    }
    assert_refused(&sign_up(stranger, "stranger3").await);
    sign_up(office, "bob").await.expect(StatusCode::CREATED);
    sign_up(office, "carol").await.expect(StatusCode::CREATED);
}

#[rstest]
#[actix_web::test]
async fn the_addresses_of_a_24_share_four_times_the_limit_of_one_s62(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-ip=3", BEHIND_PROXY]).await;
    let guess = async |ip: &str, nth: usize| {
        app.try_log_in_at(ip, &email(&format!("nobody{nth}")), WRONG).await.status
    };
    for nth in 0..12 {
        assert_eq!(guess(&format!("203.0.113.{}", nth / 2), nth).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(guess("203.0.113.200", 12).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(guess("203.0.114.200", 13).await, StatusCode::UNAUTHORIZED);
}

#[rstest]
#[actix_web::test]
async fn concurrent_sign_ups_do_not_bypass_the_limit_of_taken_addresses_s74(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--signup-conflicts-per-ip=3", "--bcrypt-cost=10"]).await;
    app.sign_up("alice").await;
    let body = json!({"name": "Alice", "email": email("alice"), "password": PASSWORD});
    let answers = join_all((0..20).map(|_| app.client.post("/api/auth/signup", &body))).await;
    let of = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((of(StatusCode::CONFLICT), of(StatusCode::TOO_MANY_REQUESTS)), (3, 17));
}

#[rstest]
#[actix_web::test]
async fn a_sign_up_that_waited_sees_the_taken_addresses_of_others_s74(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--signup-conflicts-per-ip=3", "--bcrypt-cost=12"]).await;
    let (limiter, hour) =
        (app.state.platform.limiter(), app.state.platform.clock().now().timestamp() / 3_600);
    let key = |name: &str| format!("auth:{name}:127.0.0.1/32:{hour}");
    let others = async {
        eventually("the sign-up is admitted", async || limiter.counted(&key("signups")).await == 1).await;
        for _ in 0..3 {
            limiter.count(&key("signup-conflicts"), Duration::from_secs(3_600)).await;
        }
    };
    let body = json!({"name": "Alice", "email": email("alice"), "password": PASSWORD});
    let (refused, ()) = join(app.client.post("/api/auth/signup", &body), others).await;
    assert_refused(&refused);
}

#[rstest]
#[actix_web::test]
async fn sign_ups_that_are_refused_use_up_no_login_of_their_network_s62(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--signups-per-ip=2", "--logins-per-ip=5"]).await;
    let alice = app.sign_up("alice").await;
    app.sign_up("bob").await;
    for nth in 0..10 {
        let body = json!({"name": "x", "email": email(&format!("x{nth}")), "password": PASSWORD});
        assert_refused(&app.client.post("/api/auth/signup", &body).await);
    }
    app.try_log_in(&alice.email, PASSWORD).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn concurrent_sign_ups_do_not_bypass_the_limit_of_their_network_s62(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--signups-per-ip=3"]).await;
    let sign_up = async |nth: usize| {
        let body = json!({"name": "x", "email": email(&format!("x{nth}")), "password": PASSWORD});
        app.client.post("/api/auth/signup", &body).await.status
    };
    let statuses = join_all((0..20).map(sign_up)).await;
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CREATED).count(), 3);
}
