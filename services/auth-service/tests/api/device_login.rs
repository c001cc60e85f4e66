use auth_service::device_login::entity as device_login;
use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, StatusCode, eventually};

use crate::app::{App, BEHIND_PROXY, PASSWORD, User};
use crate::factors::step_up;
use crate::leaks::rows;
use crate::mails::reason;

const CODE_OF_ANOTHER: &str = "BBBB-BBBB";

/// A device that waits for its session.
struct Device {
    device_code: String,
    user_code: String,
}

impl Device {
    async fn start(client: &Client) -> Self {
        let started = client.post("/api/auth/device/authorize", &json!({"name": "ann's laptop"})).await;
        let started = started.data();
        let text = |name: &str| started[name].as_str().unwrap().to_owned();
        assert_eq!((&started["expiresIn"], &started["interval"]), (&json!(600), &json!(5)));
        let user_code = text("userCode");
        assert_eq!(text("verificationUriComplete"), format!("{}?code={user_code}", text("verificationUri")));
        Self { device_code: text("deviceCode"), user_code }
    }

    async fn poll(&self, client: &Client) -> Answer {
        client.post("/api/auth/device/token", &json!({"deviceCode": self.device_code})).await
    }

    /// Polls after the interval.
    async fn poll_later(&self, app: &App) -> Answer {
        app.advance(TimeDelta::seconds(5));
        self.poll(&app.client).await
    }

    async fn decide(&self, user: &User, verb: &str) -> Answer {
        user.client.post(&format!("/api/auth/device/{}/{verb}", self.user_code), &Value::Null).await
    }
}

/// Starts a device login that the user has approved.
async fn approved(app: &App, user: &User) -> Device {
    let device = Device::start(&app.client).await;
    device.decide(user, "approve").await.expect(StatusCode::OK);
    device
}

#[track_caller]
fn assert_refused(answer: &Answer, expected: &str) {
    answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(reason(answer), expected);
}

#[rstest]
#[actix_web::test]
async fn an_approved_device_gets_one_session_of_the_user(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--public-url=https://drift.example.com"]).await;
    let alice = app.sign_up("alice").await;
    let started = app.client.post("/api/auth/device/authorize", &json!({})).await.data();
    assert_eq!(started["verificationUri"], "https://drift.example.com/#/device");
    let device = Device::start(&app.client).await;
    assert_refused(&device.poll(&app.client).await, "authorization_pending");

    let typed = device.user_code.to_lowercase().replace('-', "");
    let shown = alice.client.get(&format!("/api/auth/device/{typed}")).await.data();
    assert_eq!((&shown["name"], &shown["ipAddress"]), (&json!("ann's laptop"), &json!("127.0.0.1")));
    device.decide(&alice, "approve").await.expect(StatusCode::OK);
    // A code is decided once.
    for verb in ["approve", "deny"] {
        device.decide(&alice, verb).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    let entered = app.user(&device.poll_later(&app).await);
    assert!(entered.id == alice.id && entered.session != alice.session && entered.is_in().await);
    let sessions = alice.client.get("/api/auth/sessions").await.data();
    let session = sessions.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    assert_eq!(session["id"], json!(entered.session));
    assert_eq!(session["deviceInfo"]["browser"], "driftsentry CLI");
    assert_eq!(session["deviceInfo"]["os"], "ann's laptop");
    assert_refused(&device.poll_later(&app).await, "expired_token");
    assert_eq!(app.audited(&alice, "device_login_approved").await, 1);
    // The session of the device does not depend on the one that approved it.
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    assert!(entered.is_in().await);
    app.refresh(&entered.refresh).await;
}

#[rstest]
#[actix_web::test]
async fn a_denied_or_expired_device_gets_no_session(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--session-sweep-interval=1h"]).await;
    let alice = app.sign_up("alice").await;
    let denied = Device::start(&app.client).await;
    denied.decide(&alice, "deny").await.expect(StatusCode::OK);
    assert_refused(&denied.poll(&app.client).await, "access_denied");
    assert_eq!(app.audited(&alice, "device_login_denied").await, 1);

    let (late, unused) = (Device::start(&app.client).await, approved(&app, &alice).await);
    app.advance(TimeDelta::minutes(10));
    late.decide(&alice, "approve").await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    for device in [&late, &unused] {
        assert_refused(&device.poll(&app.client).await, "expired_token");
    }
    auth_service::sweeper::sweep(&app.state).await.unwrap();
    assert!(device_login::Entity::find().all(&app.state.database).await.unwrap().is_empty());
    assert_refused(&unused.poll(&app.client).await, "expired_token");
    for unknown in ["", "abc", &"A".repeat(66)] {
        let polled = app.client.post("/api/auth/device/token", &json!({"deviceCode": unknown})).await;
        assert_refused(&polled, "expired_token");
    }
}

#[rstest]
#[actix_web::test]
async fn a_device_that_polls_too_often_is_slowed_down(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let device = Device::start(&app.client).await;
    assert_refused(&device.poll(&app.client).await, "authorization_pending");
    assert_refused(&device.poll(&app.client).await, "slow_down");
    app.advance(TimeDelta::milliseconds(4_900));
    assert_refused(&device.poll(&app.client).await, "slow_down");
    assert_refused(&device.poll_later(&app).await, "authorization_pending");
}

#[actix_web::test]
async fn of_many_polls_at_once_one_gets_the_session() {
    let app = App::start(Backend::Real).await;
    let (replica, alice) = (app.replica().await, app.sign_up("alice").await);
    let device = approved(&app, &alice).await;
    let clients = [&app.client, &replica.client].into_iter().cycle().take(50);
    let polled = join_all(clients.map(|client| device.poll(client))).await;
    let (entered, others): (Vec<_>, Vec<_>) = polled.iter().partition(|one| one.status == StatusCode::OK);
    assert_eq!(entered.len(), 1);
    for refused in others {
        assert!(["slow_down", "expired_token"].contains(&reason(refused).as_str()), "{}", refused.text);
    }
    assert_eq!(alice.client.get("/api/auth/sessions").await.data().as_array().unwrap().len(), 2);
    // The use itself is exact too, without the interval before it.
    let device = approved(&app, &alice).await;
    let id = app.state.device_codes.read(&device.device_code).unwrap();
    let now = app.state.platform.clock().now();
    let uses = join_all((0..10).map(|_| device_login::use_up(&app.state.database, id, now))).await;
    assert_eq!(uses.into_iter().filter(|used| *used.as_ref().unwrap()).count(), 1);
}

#[rstest]
#[actix_web::test]
async fn an_approval_ends_with_the_session_the_user_or_the_epoch_behind_it(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let other = app.log_in("alice").await;
    let of_ended = approved(&app, &alice).await;
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    assert_refused(&of_ended.poll(&app.client).await, "access_denied");

    // The other session stays, but every login before this request ends.
    let of_epoch = approved(&app, &other).await;
    other.client.delete("/api/auth/sessions/all").await.expect(StatusCode::OK);
    assert!(other.is_in().await);
    assert_refused(&of_epoch.poll(&app.client).await, "access_denied");

    let of_disabled = approved(&app, &other).await;
    let disable = json!({"isActive": false});
    root.client.patch(&format!("/api/auth/users/{}", alice.id), &disable).await.expect(StatusCode::OK);
    assert_refused(&of_disabled.poll(&app.client).await, "access_denied");

    let of_deleted = approved(&app, &root).await;
    app.admin("second").await.client.delete(&format!("/api/auth/users/{}", root.id)).await.data();
    assert_refused(&of_deleted.poll(&app.client).await, "expired_token");
    let left = device_login::Entity::find().all(&app.state.database).await.unwrap();
    assert!(left.iter().all(|row| row.user_id != Some(root.id)));
}

#[rstest]
#[actix_web::test]
async fn an_approval_needs_a_fresh_factor_whose_strength_the_device_gets(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--step-up-minutes=5"]).await;
    let alice = app.sign_up("alice").await;
    let authenticator = app.add_authenticator(&alice).await;
    app.advance(TimeDelta::minutes(5));
    let device = Device::start(&app.client).await;
    device.decide(&alice, "approve").await.error(StatusCode::FORBIDDEN, "STEP_UP_REQUIRED");
    step_up(&alice.client, &authenticator.code(&app, 0)).await.data();
    device.decide(&alice, "approve").await.expect(StatusCode::OK);
    app.user(&device.poll_later(&app).await);
    let sessions = alice.client.get("/api/auth/sessions").await.data();
    let strengths = sessions.as_array().unwrap().iter().map(|session| &session["strength"]);
    let strengths = strengths.collect::<Vec<_>>();
    assert!(strengths.len() == 2 && strengths[0] == strengths[1], "{strengths:?}");
    assert_eq!(strengths[0]["acr"], "mfa");
}

#[rstest]
#[actix_web::test]
async fn wrong_user_codes_are_limited(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &[BEHIND_PROXY, "--login-failures-per-ip=3"]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let device = Device::start(&app.client).await;
    let at = |user: &User, ip: &str| user.client.with_header("x-forwarded-for", ip);
    let show = async |client: &Client, code: &str| client.get(&format!("/api/auth/device/{code}")).await;
    let malformed = show(&at(&alice, "203.0.113.1"), "AAAA-AAAA").await;
    malformed.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    for _ in 0..3 {
        let wrong = show(&at(&alice, "203.0.113.1"), CODE_OF_ANOTHER).await;
        wrong.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    // The network is limited, also for the right code and for another user of it.
    for user in [&alice, &bob] {
        let refused = show(&at(user, "203.0.113.1"), &device.user_code).await;
        refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    }
    show(&at(&bob, "198.51.100.7"), &device.user_code).await.data();
    // A user who changes networks is limited as well: each guess counts.
    for nth in 0..96 {
        let wrong = show(&at(&alice, &format!("10.{nth}.0.1")), CODE_OF_ANOTHER).await;
        wrong.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    let refused = show(&at(&alice, "192.0.2.1"), &device.user_code).await;
    refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    device.decide(&bob, "approve").await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn requests_are_limited_for_each_network(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &[BEHIND_PROXY]).await;
    let alice = app.sign_up("alice").await;
    let request = async |ip: &str| app.at(ip).post("/api/auth/device/authorize", &json!({})).await;
    let first = Device::start(&app.at("203.0.113.1")).await;
    for _ in 1..50 {
        request("203.0.113.1").await.expect(StatusCode::OK);
    }
    request("203.0.113.1").await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    request("198.51.100.7").await.expect(StatusCode::OK);
    first.decide(&alice, "deny").await.expect(StatusCode::OK);
    request("203.0.113.1").await.expect(StatusCode::OK);
    for bad in [json!({"name": "a\nb"}), json!({"name": "x".repeat(101)}), json!({"other": 1})] {
        let refused = app.at("192.0.2.1").post("/api/auth/device/authorize", &bad).await;
        refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}

#[rstest]
#[actix_web::test]
async fn no_stored_value_of_a_device_login_is_a_credential_s08(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let (waiting, approved) = (Device::start(&app.client).await, approved(&app, &alice).await);
    let stored = device_login::Entity::find().all(&app.state.database).await.unwrap();
    assert_eq!(stored.len(), 2);
    let dump = rows(&app).await.iter().map(Value::to_string).collect::<String>();
    for device in [&waiting, &approved] {
        assert!(!dump.contains(&device.device_code) && !dump.contains(&device.user_code));
        assert!(!dump.contains(&device.user_code.replace('-', "")));
    }
    for row in stored {
        for value in [row.id.to_string(), row.id.simple().to_string(), row.user_code_hash.clone()] {
            let polled = app.client.post("/api/auth/device/token", &json!({"deviceCode": value})).await;
            assert_refused(&polled, "expired_token");
            let shown = alice.client.get(&format!("/api/auth/device/{value}")).await;
            shown.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        }
    }
    // Nor is one code the other.
    let polled = app.client.post("/api/auth/device/token", &json!({"deviceCode": approved.user_code})).await;
    assert_refused(&polled, "expired_token");
    assert_eq!(approved.poll_later(&app).await.status, StatusCode::OK);
    app.try_log_in(&alice.email, PASSWORD).await.expect(StatusCode::OK);
    app.advance(TimeDelta::minutes(10));
    eventually("the rows are deleted", async || {
        device_login::Entity::find().all(&app.state.database).await.unwrap().is_empty()
    })
    .await;
}
