use futures_util::future::{join, join_all};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, StatusCode, eventually};

use crate::app::{App, BEHIND_PROXY, PASSWORD, WRONG, email};

const HOME: &str = "198.51.100.7";
const ATTACKER: &str = "203.0.113.9";

fn assert_refused(answer: &Answer, seconds: std::ops::RangeInclusive<u64>) {
    answer.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    let wait = answer.header("retry-after").parse::<u64>().unwrap();
    assert!(seconds.contains(&wait), "{wait}");
}

fn assert_failed(answer: &Answer) {
    answer.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn guesses_lock_the_account_only_for_their_own_network_s42(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=5", BEHIND_PROXY]).await;
    let alice = app.sign_up("alice").await;
    for _ in 0..5 {
        assert_failed(&app.try_log_in_at(ATTACKER, &alice.email, WRONG).await);
    }
    assert_refused(&app.try_log_in_at(ATTACKER, &alice.email, PASSWORD).await, 890..=900);
    app.try_log_in_at(HOME, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    assert!(alice.is_in().await);
    app.refresh(&alice.refresh).await;
    app.advance(chrono::TimeDelta::minutes(15));
    app.try_log_in_at(ATTACKER, &alice.email, PASSWORD).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn a_network_that_fails_too_often_is_refused_except_for_familiar_accounts_s42(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-ip=6", BEHIND_PROXY]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    app.try_log_in_at(ATTACKER, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    for nth in 0..6 {
        assert_failed(&app.try_log_in_at(ATTACKER, &email(&format!("nobody{nth}")), WRONG).await);
    }
    for (email, password) in
        [(email("nobody"), WRONG), (bob.email.clone(), PASSWORD), (alice.email.clone(), WRONG)]
    {
        assert_refused(&app.try_log_in_at(ATTACKER, &email, password).await, 1..=900);
    }
    app.try_log_in_at(ATTACKER, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    app.try_log_in_at(HOME, &bob.email, PASSWORD).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn concurrent_guesses_do_not_bypass_the_lock_s42(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=10", "--bcrypt-cost=10"]).await;
    app.sign_up("alice").await;
    let compared = || app.state.metrics.password_hash_seconds.get_sample_count();
    let before = compared();
    let wrong = join_all((0..30).map(|_| app.try_log_in("alice@example.com", WRONG)));
    // The right password arrives while most of the wrong ones wait, and is compared after them.
    let right = async {
        eventually("the first password is compared", async || compared() > before).await;
        app.try_log_in("alice@example.com", PASSWORD).await
    };
    let (answers, right) = join(wrong, right).await;
    assert!(answers.iter().all(|answer| [401, 429].contains(&answer.status.as_u16())));
    assert!(answers.iter().filter(|answer| answer.status == StatusCode::UNAUTHORIZED).count() >= 10);
    assert_refused(&right, 890..=900);
}

#[rstest]
#[actix_web::test]
async fn replicas_count_failures_together_s42(#[values(Backend::Real)] backend: Backend) {
    let app = App::with(backend, &["--login-failures-per-account=4"]).await;
    let replica = app.replica().await;
    app.sign_up("alice").await;
    for app in [&app, &replica, &app, &replica] {
        assert_failed(&app.try_log_in(&email("alice"), WRONG).await);
    }
    for app in [&app, &replica] {
        assert_refused(&app.try_log_in(&email("alice"), PASSWORD).await, 890..=900);
    }
}

#[rstest]
#[actix_web::test]
async fn a_lock_applies_while_redis_is_slow_or_unavailable_s42_s44(
    #[values(Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=3"]).await;
    let alice = app.sign_up("alice").await;
    for _ in 0..3 {
        assert_failed(&app.try_log_in(&alice.email, WRONG).await);
    }
    let check = async || assert_refused(&app.try_log_in(&alice.email, PASSWORD).await, 800..=900);
    app.stores.redis().freeze();
    check().await;
    app.stores.redis().thaw();
    check().await;
    app.stores.redis().kill();
    check().await;
}

/// Sends a wrong password for the account from each of `count` networks.
async fn guess_from_everywhere(app: &App, email: &str, count: usize) {
    for nth in 0..count {
        assert_failed(&app.try_log_in_at(&format!("10.{nth}.0.1"), email, WRONG).await);
    }
}

#[rstest]
#[actix_web::test]
async fn strangers_everywhere_lock_unfamiliar_networks_and_never_the_owner_s83(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account-per-day=6", BEHIND_PROXY]).await;
    let alice = app.sign_up("alice").await;
    app.try_log_in_at(HOME, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    for email in [alice.email.clone(), email("nobody")] {
        guess_from_everywhere(&app, &email, 6).await;
        for (ip, password) in [(ATTACKER, WRONG), (ATTACKER, PASSWORD), (HOME, WRONG)] {
            assert_refused(&app.try_log_in_at(ip, &email, password).await, 86_300..=86_400);
        }
    }
    app.try_log_in_at(HOME, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    assert!(alice.is_in().await);

    app.advance(chrono::TimeDelta::days(1));
    app.try_log_in_at(ATTACKER, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    app.advance(chrono::TimeDelta::days(31));
    guess_from_everywhere(&app, &alice.email, 6).await;
    assert_refused(&app.try_log_in_at(HOME, &alice.email, PASSWORD).await, 86_300..=86_400);
}

#[rstest]
#[actix_web::test]
async fn a_familiar_network_has_a_daily_limit_as_well_s83(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let limits = ["--login-failures-per-account=2", "--login-failures-per-account-per-day=4", BEHIND_PROXY];
    let app = App::with(backend, &limits).await;
    let alice = app.sign_up("alice").await;
    app.try_log_in_at(HOME, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    for _ in 0..2 {
        for _ in 0..2 {
            assert_failed(&app.try_log_in_at(HOME, &alice.email, WRONG).await);
        }
        assert_refused(&app.try_log_in_at(HOME, &alice.email, PASSWORD).await, 1..=86_400);
        app.advance(chrono::TimeDelta::minutes(15));
    }
    assert_refused(&app.try_log_in_at(HOME, &alice.email, PASSWORD).await, 80_000..=86_400);
}

#[rstest]
#[actix_web::test]
async fn wrong_current_passwords_lock_only_their_own_session_s83(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=3"]).await;
    let (here, there) = (app.sign_up("alice").await, app.log_in("alice").await);
    let change = |current: &str| json!({"currentPassword": current, "newPassword": "battery staple"});
    for _ in 0..3 {
        let refused = here.client.post("/api/auth/password", &change(WRONG)).await;
        refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    assert_refused(&here.client.post("/api/auth/password", &change(PASSWORD)).await, 890..=900);
    app.log_in("alice").await;
    there.client.post("/api/auth/password", &change(PASSWORD)).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn concurrent_guesses_of_the_current_password_do_not_bypass_the_lock_s83(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=5", "--bcrypt-cost=10"]).await;
    let alice = app.sign_up("alice").await;
    let change = |current: &str| json!({"currentPassword": current, "newPassword": "battery staple"});
    let (wrong, right) = (change(WRONG), change(PASSWORD));
    let compared = || app.state.metrics.password_hash_seconds.get_sample_count();
    let before = compared();
    let guesses = join_all((0..20).map(|_| alice.client.post("/api/auth/password", &wrong)));
    let right = async {
        eventually("the first password is compared", async || compared() > before).await;
        alice.client.post("/api/auth/password", &right).await
    };
    let (_, right) = join(guesses, right).await;
    assert_refused(&right, 890..=900);
}

#[rstest]
#[actix_web::test]
async fn locks_are_shown_to_admins_who_can_lift_them_s84(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let limits = ["--login-failures-per-account=3", "--login-failures-per-account-per-day=5", BEHIND_PROXY];
    let app = App::with(backend, &limits).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let locks = async || {
        let found = root.client.get("/api/auth/users?q=alice").await.data();
        found[0]["locks"].as_array().unwrap().clone()
    };
    let scopes = |locks: &[Value]| {
        let mut scopes = locks.iter().map(|lock| lock["scope"].to_string()).collect::<Vec<_>>();
        scopes.sort();
        scopes
    };
    assert!(locks().await.is_empty());
    for _ in 0..3 {
        assert_failed(&app.try_log_in_at(ATTACKER, &alice.email, WRONG).await);
    }
    let shown = locks().await;
    assert_eq!(scopes(&shown), [r#""network""#]);
    assert_eq!(shown[0]["network"], ATTACKER);
    let ends_at: chrono::DateTime<chrono::Utc> = serde_json::from_value(shown[0]["endsAt"].clone()).unwrap();
    assert!(ends_at > app.state.platform.clock().now());
    guess_from_everywhere(&app, &alice.email, 2).await;
    assert_eq!(scopes(&locks().await), [r#""network""#, r#""unfamiliar_networks""#]);
    assert!(alice.client.get("/api/auth/me").await.data().get("locks").is_none());

    let path = format!("/api/auth/users/{}/locks", alice.id);
    alice.client.delete(&path).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(root.client.delete(&path).await.data(), json!({"lifted": 2}));
    assert!(locks().await.is_empty());
    app.try_log_in_at(ATTACKER, &alice.email, PASSWORD).await.expect(StatusCode::OK);
    assert_eq!(root.client.delete(&path).await.data(), json!({"lifted": 0}));
    let audit = root.client.get("/api/auth/audit?action=locks_lifted").await.data();
    assert_eq!(audit.as_array().unwrap().len(), 1);
    assert_eq!((&audit[0]["userId"], &audit[0]["actorId"]), (&json!(alice.id), &json!(root.id)));
    let audit = root.client.get("/api/auth/audit?action=account_locked").await.data();
    let details = audit.as_array().unwrap().iter().map(|row| row["detail"].as_str().unwrap());
    assert_eq!(details.collect::<Vec<_>>(), ["unfamiliar_networks", "network"]);
    assert_eq!(audit[0]["userId"], json!(alice.id));
    let nobody = format!("/api/auth/users/{}/locks", uuid::Uuid::new_v4());
    root.client.delete(&nobody).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[rstest]
#[actix_web::test]
async fn a_lock_from_before_the_sign_up_is_shown_and_lifted_s84(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=2", BEHIND_PROXY]).await;
    let root = app.admin("root").await;
    for _ in 0..2 {
        assert_failed(&app.try_log_in_at(ATTACKER, &email("alice"), WRONG).await);
    }
    let alice = app.sign_up("alice").await;
    assert_refused(&app.try_log_in_at(ATTACKER, &alice.email, PASSWORD).await, 890..=900);
    let shown = root.client.get("/api/auth/users?q=alice").await.data();
    assert_eq!(shown[0]["locks"][0]["network"], ATTACKER);
    let path = format!("/api/auth/users/{}/locks", alice.id);
    assert_eq!(root.client.delete(&path).await.data(), json!({"lifted": 1}));
    app.try_log_in_at(ATTACKER, &alice.email, PASSWORD).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn ended_windows_leave_no_row(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    use auth_service::login::{failure as login_failure, known_network as login_network};
    use sea_orm::{EntityTrait, PaginatorTrait};

    let app = App::with(backend, &["--login-failures-per-ip=2", BEHIND_PROXY]).await;
    app.sign_up("alice").await;
    let failures = || login_failure::Entity::find().count(&app.state.database);
    for nth in 0..20 {
        app.try_log_in_at(ATTACKER, &email(&format!("nobody{nth}")), WRONG).await;
    }
    // Three rows for each of the two attempts that had a chance, and three rows for all others together.
    assert_eq!(failures().await.unwrap(), 9);
    app.advance(chrono::TimeDelta::days(31));
    eventually("the rows are deleted", async || {
        let networks = login_network::Entity::find().count(&app.state.database).await.unwrap();
        failures().await.unwrap() == 0 && networks == 0
    })
    .await;
}
