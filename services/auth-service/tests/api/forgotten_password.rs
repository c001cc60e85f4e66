use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::{App, BEHIND_PROXY, PASSWORD, email};
use crate::mails::reason;

const NEW: &str = "a new password";

#[rstest]
#[actix_web::test]
async fn a_reset_ends_every_session_and_link_and_lifts_the_locks(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    let second = app.log_in("ada").await;
    for _ in 0..10 {
        app.try_log_in(&ada.email, "wrong password").await;
    }
    assert_eq!(app.try_log_in(&ada.email, PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);

    let first = app.forgot(&ada.email).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    let older = app.mail(&ada.email, "reset-password").await;
    assert_eq!(app.forgot(&ada.email).await.status, StatusCode::ACCEPTED);
    app.all_mails_are_out().await;
    let newer = app.mail(&ada.email, "reset-password").await;
    assert_ne!(older.token, newer.token);

    let answer = app.reset(json!({"token": newer.token}), NEW).await;
    assert_eq!((answer.status, answer.data()["terminated"].clone()), (StatusCode::OK, json!(2)));
    assert!(!ada.is_in().await && !second.is_in().await);
    assert_eq!(app.ended(ada.session).await, "password_reset");
    assert_eq!(app.try_log_in(&ada.email, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.try_log_in(&ada.email, NEW).await.status, StatusCode::OK);
    // The older link, and the used one, are void.
    assert_eq!(reason(&app.reset(json!({"token": older.token}), "another one").await), "revoked");
    assert_eq!(reason(&app.reset(json!({"token": newer.token}), "another one").await), "used");
    let requested =
        app.event("auth:password.reset_requested", |payload| payload["userId"] == json!(ada.id)).await;
    assert_eq!(requested, json!({"userId": ada.id}));
    app.all_mails_are_out().await;
    assert!(app.mails_to(&ada.email).await.iter().any(|mail| mail.page.is_empty()), "a notice follows");
}

#[rstest]
#[actix_web::test]
async fn a_code_works_once_with_its_request_and_five_wrong_ones_use_it_up(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    let asked = app.forgot(&ada.email).await;
    let id = asked.data()["requestId"].clone();
    let mail = app.mail(&ada.email, "reset-password").await;
    assert_eq!(mail.code.len(), 6, "{}", mail.text);

    // The code belongs to its request.
    let other = app.forgot(&ada.email).await.data()["requestId"].clone();
    assert_eq!(reason(&app.reset(json!({"requestId": other, "code": mail.code}), NEW).await), "wrong_code");
    let right = json!({"requestId": id, "code": mail.code});
    assert_eq!(app.reset(right.clone(), NEW).await.status, StatusCode::OK);
    assert_eq!(reason(&app.reset(right, NEW).await), "used");

    let id = app.forgot(&ada.email).await.data()["requestId"].clone();
    app.all_mails_are_out().await;
    let mail = app.mail(&ada.email, "reset-password").await;
    let wrong = if mail.code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(reason(&app.reset(json!({"requestId": id, "code": wrong}), NEW).await), "wrong_code");
    }
    let refused = app.reset(json!({"requestId": id, "code": mail.code}), NEW).await;
    assert_eq!(reason(&refused), "too_many_codes");
    // The link is as good as before.
    assert_eq!(app.reset(json!({"token": mail.token}), NEW).await.status, StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn an_unknown_address_gets_the_same_responses_and_no_mail(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    let (known, unknown) = (app.forgot(&ada.email).await, app.forgot(&email("nobody")).await);
    assert_eq!((known.status, unknown.status), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&known.data()), fields(&unknown.data()));
    app.all_mails_are_out().await;
    assert!(app.mails_to(&email("nobody")).await.is_empty());

    for request in [known, unknown] {
        let id = request.data()["requestId"].clone();
        let status = app.client.post("/api/auth/links/status", &json!({"requestId": id})).await;
        assert_eq!(status.data(), json!({"status": "pending"}));
        let mut outcomes = Vec::new();
        for _ in 0..6 {
            outcomes.push(reason(&app.reset(json!({"requestId": id, "code": "not it"}), NEW).await));
        }
        assert_eq!(outcomes, [["wrong_code"; 5].as_slice(), &["too_many_codes"]].concat());
    }
}

#[rstest]
#[actix_web::test]
async fn every_bad_link_gets_one_response_that_says_what_to_do(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    let verification = app.mail(&ada.email, "verify-email").await;
    app.forgot(&ada.email).await;
    let mail = app.mail(&ada.email, "reset-password").await;

    // Within the MAC, and never equal to what was there.
    let replacement = if mail.token.as_bytes()[40] == b'A' { "B" } else { "A" };
    let altered = format!("{}{replacement}{}", &mail.token[..40], &mail.token[41..]);
    for (token, expected) in [
        ("", "malformed"),
        ("abc", "malformed"),
        (&mail.token[1..], "malformed"),
        (&altered, "foreign"),
        // A genuine link of another purpose.
        (&verification.token, "foreign"),
    ] {
        let answer = app.reset(json!({ "token": token }), NEW).await;
        assert_eq!(
            (answer.status, reason(&answer)),
            (StatusCode::BAD_REQUEST, expected.to_owned()),
            "{token}"
        );
    }
    app.advance(TimeDelta::hours(1));
    let answer = app.reset(json!({"token": mail.token}), NEW).await;
    assert_eq!(reason(&answer), "expired");
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("request a new one"));
    for both_or_none in [json!({}), json!({"token": mail.token, "code": "123456"}), json!({"code": "123456"})]
    {
        assert_eq!(app.reset(both_or_none, NEW).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(app.try_log_in(&ada.email, PASSWORD).await.status, StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn parallel_uses_of_one_link_take_effect_once(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    app.forgot(&ada.email).await;
    let mail = app.mail(&ada.email, "reset-password").await;
    let proof = json!({"token": mail.token});
    let uses = (0..8).map(|_| app.reset(proof.clone(), NEW));
    let answers = futures_util::future::join_all(uses).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK || reason(answer) == "used"));
}

#[rstest]
#[actix_web::test]
async fn strangers_cannot_flood_an_address_nor_use_up_the_mails_of_its_owner(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[BEHIND_PROXY]).await;
    app.sign_up("ada").await;
    let (ada, home) = (email("ada"), "198.51.100.7");
    app.try_log_in_at(home, &ada, PASSWORD).await;
    app.all_mails_are_out().await;
    let before = app.mails_to(&ada).await.len();
    for host in 0..30 {
        let body = json!({ "email": ada });
        let answer = app.at(&format!("203.0.113.{host}")).post("/api/auth/password/forgot", &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    app.all_mails_are_out().await;
    let flooded = app.mails_to(&ada).await.len();
    assert!(flooded - before <= 5, "{} mails", flooded - before);
    // The owner, from a network of theirs, gets one nevertheless.
    let answer = app.at(home).post("/api/auth/password/forgot", &json!({ "email": ada })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    app.all_mails_are_out().await;
    assert_eq!(app.mails_to(&ada).await.len(), flooded + 1);
}

#[rstest]
#[actix_web::test]
async fn a_network_that_requests_too_many_mails_is_refused_whatever_the_address(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--mails-per-ip=3"]).await;
    let ada = app.sign_up("ada").await;
    for _ in 0..3 {
        assert_eq!(app.forgot(&email("nobody")).await.status, StatusCode::ACCEPTED);
    }
    for address in [ada.email, email("nobody")] {
        assert_eq!(app.forgot(&address).await.status, StatusCode::TOO_MANY_REQUESTS);
    }
}

#[rstest]
#[actix_web::test]
async fn a_disabled_user_gets_no_mail_and_a_link_from_before_is_void(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (admin, ada) = (app.admin("root").await, app.sign_up("ada").await);
    app.forgot(&ada.email).await;
    let mail = app.mail(&ada.email, "reset-password").await;
    let path = format!("/api/auth/users/{}", ada.id);
    assert_eq!(admin.client.patch(&path, &json!({"isActive": false})).await.status, StatusCode::OK);
    assert_eq!(reason(&app.reset(json!({"token": mail.token}), NEW).await), "revoked");
    app.all_mails_are_out().await;
    let before = app.mails_to(&ada.email).await.len();
    assert_eq!(app.forgot(&ada.email).await.status, StatusCode::ACCEPTED);
    app.all_mails_are_out().await;
    assert_eq!(app.mails_to(&ada.email).await.len(), before);
}
