use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::{App, BEHIND_PROXY, PASSWORD, WRONG, email};

#[rstest]
#[actix_web::test]
async fn above_the_total_only_networks_without_a_recent_login_are_refused_s62(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let limits = ["--login-failures-total=4", "--login-failures-per-ip=50", BEHIND_PROXY];
    let app = App::with(backend, &limits).await;
    let (_, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let (office, new) = ("198.51.100.7", "192.0.2.1");
    app.advance(chrono::TimeDelta::days(1));
    let alice = app.log_in("alice").await;
    app.try_log_in_at(office, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    for nth in 0..4 {
        let guess = app.try_log_in_at(&format!("10.{nth}.0.1"), &email("nobody"), WRONG).await;
        guess.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    // No user is locked out: a new network has one failure left, and a network with a login has all of them.
    app.try_log_in_at(new, &bob.email, PASSWORD).await.expect(StatusCode::OK);
    for (ip, allowed) in [("192.0.2.200", 1), (office, 5)] {
        for nth in 0..allowed {
            let guess = app.try_log_in_at(ip, &email(&format!("nobody{nth}")), WRONG).await;
            guess.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
        }
    }
    let refused = app.try_log_in_at("192.0.2.200", &bob.email, PASSWORD).await;
    refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    app.try_log_in_at(office, &bob.email, PASSWORD).await.expect(StatusCode::OK);
    assert!(alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn no_holder_of_an_ipv6_network_can_fill_the_total_s62(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let limits = ["--login-failures-total=30", "--login-failures-per-ip=3", BEHIND_PROXY];
    let app = App::with(backend, &limits).await;
    let mut counted = [0, 0];
    for nth in 0..60 {
        // All addresses are in one /48: 20 in one /56, then 40 in others.
        let subnet = if nth < 20 { nth } else { nth << 8 };
        let guess = app.try_log_in_at(&format!("2001:db8:1:{subnet:x}::1"), &email("nobody"), WRONG).await;
        match guess.status {
            StatusCode::UNAUTHORIZED => counted[usize::from(nth >= 20)] += 1,
            status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
        }
    }
    assert_eq!(counted, [6, 6], "a /56 has twice, a /48 four times the limit of a /64");
    let elsewhere = app.try_log_in_at("2001:db8:2::1", &email("nobody"), WRONG).await;
    elsewhere.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn successful_logins_are_limited_and_strangers_cannot_use_up_the_limit_s59(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--logins-per-account=4", BEHIND_PROXY]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    for nth in 0..8 {
        app.try_log_in_at(&format!("10.0.0.{nth}"), &alice.email, WRONG).await;
    }
    for _ in 0..4 {
        app.try_log_in_at("198.51.100.7", &alice.email, PASSWORD).await.expect(StatusCode::OK);
    }
    for ip in ["198.51.100.7", "198.51.100.8"] {
        let refused = app.try_log_in_at(ip, &alice.email, PASSWORD).await;
        refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
        assert!((1..=900).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    }
    app.try_log_in_at("198.51.100.7", &bob.email, PASSWORD).await.expect(StatusCode::OK);
    app.advance(chrono::TimeDelta::minutes(15));
    app.try_log_in_at("198.51.100.7", &alice.email, PASSWORD).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn a_shed_attempt_counts_like_an_admitted_one_s59(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let limits = ["--logins-per-account=20", "--password-queue=1", "--bcrypt-cost=10"];
    let app = App::with(backend, &limits).await;
    let body = json!({"name": "Bob", "email": email("bob"), "password": PASSWORD});
    app.client.post("/api/auth/signup", &body).await.expect(StatusCode::CREATED);
    let answers = join_all((0..60).map(|_| app.try_log_in("bob@example.com", PASSWORD))).await;
    let of = |status| answers.iter().filter(|answer| answer.status == status).count();
    let (let_in, shed) = (of(StatusCode::OK), of(StatusCode::SERVICE_UNAVAILABLE));
    assert!(let_in > 0 && shed > 0);
    // The sign-up is one of the twenty.
    assert_eq!((let_in + shed, of(StatusCode::TOO_MANY_REQUESTS)), (19, 41));
}

#[rstest]
#[actix_web::test]
async fn password_changes_and_sign_ups_count_like_logins_s59(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--logins-per-account=3", "--logins-per-ip=7"]).await;
    let alice = app.sign_up("alice").await;
    let change = json!({"currentPassword": PASSWORD, "newPassword": PASSWORD});
    for _ in 0..3 {
        alice.client.post("/api/auth/password", &change).await.expect(StatusCode::OK);
    }
    let refused = alice.client.post("/api/auth/password", &change).await;
    refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    for name in ["bob", "carol", "dave"] {
        app.sign_up(name).await;
    }
    let body = json!({"name": "Erin", "email": email("erin"), "password": PASSWORD});
    app.client.post("/api/auth/signup", &body).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
}

#[rstest]
#[actix_web::test]
async fn a_sign_up_with_a_taken_address_costs_the_same_and_is_limited_s74(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--signup-conflicts-per-ip=3", BEHIND_PROXY]).await;
    app.sign_up("alice").await;
    let hashed = || app.state.metrics.password_hash_seconds.get_sample_count();
    let body = |name: &str| json!({"name": name, "email": email(name), "password": PASSWORD});
    for _ in 0..3 {
        let before = hashed();
        let taken = app.at("203.0.113.9").post("/api/auth/signup", &body("alice")).await;
        taken.error(StatusCode::CONFLICT, "CONFLICT");
        assert_eq!(hashed(), before + 1);
    }
    for name in ["alice", "bob"] {
        let refused = app.at("203.0.113.9").post("/api/auth/signup", &body(name)).await;
        refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
        assert!((1..=3_600).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    }
    app.at("198.51.100.7").post("/api/auth/signup", &body("bob")).await.expect(StatusCode::CREATED);
}

#[rstest]
#[actix_web::test]
async fn sign_ups_of_strangers_never_block_known_networks_s62(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let limits = ["--signups-total=4", "--signups-per-ip=50", BEHIND_PROXY];
    let app = App::with(backend, &limits).await;
    let sign_up = async |ip: &str, name: &str| {
        let body = json!({"name": name, "email": email(name), "password": PASSWORD});
        app.at(ip).post("/api/auth/signup", &body).await
    };
    for (ip, name) in [("203.0.113.9", "carol"), ("198.51.100.7", "dave")] {
        sign_up(ip, name).await.expect(StatusCode::CREATED);
    }
    app.advance(chrono::TimeDelta::days(1));
    for nth in 0..4 {
        sign_up("203.0.113.9", &format!("stranger{nth}")).await.expect(StatusCode::CREATED);
    }
    // A new network has one sign-up left. A network with a login keeps its limit.
    sign_up("192.0.2.1", "stranger0").await.error(StatusCode::CONFLICT, "CONFLICT");
    let refused = sign_up("192.0.2.1", "alice").await;
    refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    sign_up("198.51.100.7", "alice").await.expect(StatusCode::CREATED);
    sign_up("203.0.113.9", "stranger4").await.expect(StatusCode::CREATED);
    sign_up("198.51.100.7", "bob").await.expect(StatusCode::CREATED);
}

#[rstest]
#[actix_web::test]
async fn changes_by_an_admin_are_limited_s60(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    // Counts as many changes as a thousand requests of the same admin would.
    let quarter = app.state.platform.clock().now().timestamp() / 900;
    for nth in [quarter, quarter + 1] {
        for _ in 0..1_000 {
            let key = format!("auth:changes:{}:{nth}", root.id);
            app.state.platform.limiter().count(&key, std::time::Duration::from_secs(900)).await;
        }
    }
    let user = format!("/api/auth/users/{}", alice.id);
    let token = json!({"name": "scanner", "role": "viewer"});
    for refused in [
        root.client.patch(&user, &json!({"role": "engineer"})).await,
        root.client.delete(&format!("{user}/sessions")).await,
        root.client.delete(&format!("{user}/locks")).await,
        root.client.post("/api/auth/tokens", &token).await,
        root.client.delete(&format!("/api/auth/tokens/{}", alice.id)).await,
    ] {
        refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    }
    root.client.get("/api/auth/users").await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn concurrent_activity_is_written_and_published_once_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    app.advance(chrono::TimeDelta::minutes(2));
    let body = json!({});
    let answers = join_all((0..30).map(|_| alice.client.post("/api/auth/activity", &body))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    app.all_events_are_out().await;
    assert_eq!(app.published("auth:session.activity_updated").len(), 1);
}

#[rstest]
#[actix_web::test]
async fn only_refusals_are_held_back_s59(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &["--logins-per-account=2"]).await;
    app.sign_up("alice").await;
    app.state.refusals.add_permits(2);
    let started = std::time::Instant::now();
    app.log_in("alice").await;
    app.try_log_in("alice@example.com", "short").await.expect(StatusCode::BAD_REQUEST);
    let refused = app.try_log_in("alice@example.com", PASSWORD);
    let while_held = async {
        testing::eventually("the response is held back", async || {
            app.state.refusals.available_permits() == 1
        })
        .await;
        // Meanwhile, other requests are served.
        app.client.get("/api/auth/config").await.expect(StatusCode::OK);
    };
    let (refused, ()) = futures_util::join!(refused, while_held);
    refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    assert!(started.elapsed() >= std::time::Duration::from_millis(500));
    assert_eq!(app.state.refusals.available_permits(), 2);
}
