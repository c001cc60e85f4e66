//! Passkeys whose data is false in one point.

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::App;
use crate::soft_passkey::{
    BACKED_UP, BACKUP_ELIGIBLE, ORIGIN, PRESENT, SoftPasskey, VERIFIED, assert_wrong, registration_options,
    send_registration,
};

type Falsify = fn(&mut SoftPasskey);

/// The points that registrations and logins have in common.
const FALSIFIED: [(&str, Falsify); 7] = [
    ("another origin", |passkey| passkey.origin = "https://evil.example.com".into()),
    ("a subdomain", |passkey| passkey.origin = "https://evil.drift.example.com".into()),
    ("another port", |passkey| passkey.origin = format!("{ORIGIN}:8443")),
    ("plaintext", |passkey| passkey.origin = "http://drift.example.com".into()),
    ("another site", |passkey| passkey.site = "example.com".into()),
    ("no verified person", |passkey| passkey.flags = PRESENT),
    ("nobody present", |passkey| passkey.flags = VERIFIED),
];

#[rstest]
#[actix_web::test]
async fn a_false_registration_is_refused(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with_passkeys(backend, &[]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    for (what, falsify) in FALSIFIED {
        let mut passkey = SoftPasskey::new();
        falsify(&mut passkey);
        let answer = app.try_add(&alice, &mut passkey).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}");
        assert_wrong(&answer, "registration");
    }
    let mut passkey = SoftPasskey::new();
    let of_alice = passkey.register(&registration_options(&alice).await);
    assert_wrong(&send_registration(&bob, of_alice.clone()).await, "registration");
    send_registration(&alice, of_alice.clone()).await.expect(StatusCode::CREATED);
    assert_wrong(&send_registration(&alice, of_alice).await, "registration");
    // The same credential again, with a new challenge.
    assert_wrong(&app.try_add(&alice, &mut passkey).await, "registration");
    assert_wrong(&app.try_add(&bob, &mut passkey).await, "registration");
    for unreadable in [Value::Null, json!({}), json!("text"), json!({"id": "AA", "response": {}})] {
        assert_wrong(&send_registration(&alice, unreadable).await, "registration");
    }
}

#[rstest]
#[actix_web::test]
async fn a_false_assertion_is_refused(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let limits = ["--login-failures-per-account=1000", "--login-failures-per-account-per-day=1000"];
    let app = App::with_passkeys(backend, &limits).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let (mut of_alice, of_bob) = (app.add_passkey(&alice).await, app.add_passkey(&bob).await);
    let more: [(&str, Falsify); 2] = [
        ("another user's handle", |passkey| passkey.handle = "A".repeat(86)),
        ("a passkey that can be copied now", |passkey| passkey.flags |= BACKUP_ELIGIBLE | BACKED_UP),
    ];
    for (what, falsify) in FALSIFIED.into_iter().chain(more) {
        let genuine =
            (of_alice.origin.clone(), of_alice.site.clone(), of_alice.flags, of_alice.handle.clone());
        falsify(&mut of_alice);
        let answer = app.log_in_with(of_alice.assert(&app.login_options().await)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}");
        assert_wrong(&answer, "assertion");
        (of_alice.origin, of_alice.site, of_alice.flags, of_alice.handle) = genuine;
    }
    let mut disguised = app.add_passkey(&bob).await;
    disguised.id.clone_from(&of_alice.id);
    disguised.handle.clone_from(&of_alice.handle);
    let own_challenge = json!({"challenge": "AAAAAAAAAAAAAAAAAAAAAA"});
    for (what, assertion) in [
        ("another key", disguised.assert(&app.login_options().await)),
        ("the handle of another user", {
            let mut swapped = of_bob;
            swapped.handle.clone_from(&of_alice.handle);
            swapped.assert(&app.login_options().await)
        }),
        ("an unknown challenge", of_alice.assert(&own_challenge)),
        ("a challenge of a step-up", of_alice.assert(&app.step_up_options(&alice).await)),
        ("a challenge of a registration", of_alice.assert(&registration_options(&alice).await)),
        ("an unknown passkey", SoftPasskey::new().assert(&app.login_options().await)),
        ("nothing", json!({})),
    ] {
        let answer = app.log_in_with(assertion).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}: {}", answer.text);
        assert_wrong(&answer, "assertion");
    }
    // The genuine passkey still works.
    app.log_in_with(of_alice.assert(&app.login_options().await)).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn a_cloned_passkey_is_refused_and_audited(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with_passkeys(backend, &[]).await;
    let alice = app.sign_up("alice").await;
    let mut passkey = app.add_passkey(&alice).await;
    passkey.counter = 41;
    app.log_in_with(passkey.assert(&app.login_options().await)).await.expect(StatusCode::OK);
    // The copy: its counter stays, goes back, and is switched off.
    for (nth, counter) in [42, 7, 0].into_iter().enumerate() {
        passkey.counter = counter;
        let assertion = passkey.assert_again(&app.login_options().await);
        assert_wrong(&app.log_in_with(assertion).await, "assertion");
        assert_eq!(app.audited(&alice, "passkey_cloned").await, nth + 1);
    }
    passkey.counter = 42;
    app.log_in_with(passkey.assert(&app.login_options().await)).await.expect(StatusCode::OK);
    // A step-up with the copy.
    let assertion = json!({"assertion": passkey.assert_again(&app.step_up_options(&alice).await)});
    assert_wrong(&alice.client.post("/api/auth/step-up", &assertion).await, "assertion");
    assert_eq!(app.audited(&alice, "passkey_cloned").await, 4);
}

#[rstest]
#[actix_web::test]
async fn an_authenticator_without_a_counter_is_accepted(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with_passkeys(backend, &[]).await;
    let alice = app.sign_up("alice").await;
    let passkey = app.add_passkey(&alice).await;
    for _ in 0..2 {
        let assertion = passkey.assert_again(&app.login_options().await);
        app.log_in_with(assertion).await.expect(StatusCode::OK);
    }
}

#[rstest]
#[actix_web::test]
async fn wrong_assertions_lock_the_account_for_their_network(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with_passkeys(backend, &["--login-failures-per-account=3"]).await;
    let alice = app.sign_up("alice").await;
    let mut passkey = app.add_passkey(&alice).await;
    let used = passkey.assert(&app.login_options().await);
    app.log_in_with(used.clone()).await.expect(StatusCode::OK);
    for _ in 0..3 {
        assert_wrong(&app.log_in_with(used.clone()).await, "assertion");
    }
    let assertion = passkey.assert(&app.login_options().await);
    app.log_in_with(assertion).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
}
