//! Attacks on accounts by way of mails, which worked on an early version of these flows.

use auth_service::link::entity::{self as link, Purpose};
use auth_service::user::email::Email;
use chrono::TimeDelta;
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::json;
use testing::{Backend, Method, StatusCode};

use crate::app::{App, BEHIND_PROXY, PASSWORD, User, email};
use crate::mails::reason;

/// Changes the address of a user as a thief who knows the password.
async fn steal(app: &App, user: &User, address: &str) {
    let body = json!({"newEmail": address, "currentPassword": PASSWORD});
    user.client.post("/api/auth/email", &body).await.expect(StatusCode::ACCEPTED);
    let token = app.mail(address, "confirm-email").await.token;
    app.client.post("/api/auth/email/confirm", &json!({ "token": token })).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn nobody_takes_an_address_whose_change_can_still_be_undone(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (ada, root) = (app.sign_up("ada").await, app.admin("root").await);
    steal(&app, &ada, "thief@evil.example").await;
    let body = json!({"name": "thief", "email": email("ada"), "password": PASSWORD});
    app.client.post("/api/auth/signup", &body).await.error(StatusCode::CONFLICT, "CONFLICT");
    let body = json!({"name": "x", "email": email("ada"), "password": PASSWORD, "role": "viewer"});
    root.client.post("/api/auth/users", &body).await.error(StatusCode::CONFLICT, "CONFLICT");
    let bob = app.sign_up("bob").await;
    let path = format!("/api/auth/users/{}", bob.id);
    root.client.patch(&path, &json!({"email": email("ada")})).await.error(StatusCode::CONFLICT, "CONFLICT");
    let undo = app.mail(&email("ada"), "undo-email").await.token;
    app.client.post("/api/auth/email/undo", &json!({ "token": undo })).await.expect(StatusCode::OK);
    // Once the link has expired, the address is free.
    steal(&app, &bob, "new-bob@example.com").await;
    app.advance(TimeDelta::hours(72));
    app.sign_up("bob").await;
}

#[rstest]
#[actix_web::test]
async fn a_thief_who_knows_the_password_is_out_after_the_undo(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    steal(&app, &ada, "thief@evil.example").await;
    let undo = app.mail(&email("ada"), "undo-email").await.token;
    app.client.post("/api/auth/email/undo", &json!({ "token": undo })).await.expect(StatusCode::OK);
    assert_eq!(app.try_log_in(&email("ada"), PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    let reset = app.mail(&email("ada"), "reset-password").await.token;
    app.reset(json!({ "token": reset }), "a new password").await.expect(StatusCode::OK);
    assert_eq!(app.try_log_in(&email("ada"), "a new password").await.status, StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn invitations_of_a_thief_end_with_the_reset_and_those_of_a_former_admin_stay_void(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, other) = (app.admin("root").await, app.admin("other").await);
    let body = json!({"email": "back@evil.example", "role": "admin"});
    other.client.post("/api/auth/invitations", &body).await.expect(StatusCode::CREATED);
    let token = app.mail("back@evil.example", "invitation").await.token;
    app.forgot(&other.email).await;
    let reset = app.mail(&other.email, "reset-password").await.token;
    app.reset(json!({ "token": reset }), PASSWORD).await.expect(StatusCode::OK);
    let accept = async |token: &str| {
        let body = json!({"token": token, "name": "Back", "password": PASSWORD});
        app.client.post("/api/auth/invitations/accept", &body).await
    };
    assert_eq!(reason(&accept(&token).await), "revoked");

    let other = app.log_in("other").await;
    let body = json!({"email": "friend@evil.example", "role": "admin"});
    other.client.post("/api/auth/invitations", &body).await.expect(StatusCode::CREATED);
    let token = app.mail("friend@evil.example", "invitation").await.token;
    let path = format!("/api/auth/users/{}", other.id);
    for role in ["viewer", "admin"] {
        root.client.patch(&path, &json!({ "role": role })).await.expect(StatusCode::OK);
    }
    assert_eq!(reason(&accept(&token).await), "revoked");
}

#[rstest]
#[actix_web::test]
async fn only_the_newest_invitation_and_the_newest_change_of_an_address_count(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, ada) = (app.admin("root").await, app.sign_up("ada").await);
    for role in ["admin", "viewer"] {
        let body = json!({"email": email("grace"), "role": role});
        root.client.post("/api/auth/invitations", &body).await.expect(StatusCode::CREATED);
        app.all_mails_are_out().await;
    }
    let mails = app.mails_to(&email("grace")).await;
    let accept = async |token: &str| {
        let body = json!({"token": token, "name": "Grace", "password": PASSWORD});
        app.client.post("/api/auth/invitations/accept", &body).await
    };
    assert_eq!(reason(&accept(&mails[1].token).await), "revoked");
    assert_eq!(accept(&mails[0].token).await.data()["user"]["role"], "viewer");

    for address in ["mistyped@example.org", "right@example.org"] {
        let body = json!({"newEmail": address, "currentPassword": PASSWORD});
        ada.client.post("/api/auth/email", &body).await.expect(StatusCode::ACCEPTED);
        app.mail(address, "confirm-email").await;
    }
    let confirm = async |address: &str| {
        let token = app.mail(address, "confirm-email").await.token;
        app.client.post("/api/auth/email/confirm", &json!({ "token": token })).await
    };
    assert_eq!(reason(&confirm("mistyped@example.org").await), "revoked");
    confirm("right@example.org").await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn nobody_learns_from_codes_who_was_invited(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let body = json!({"email": email("grace"), "role": "viewer"});
    let id = root.client.post("/api/auth/invitations", &body).await.data()["id"].clone();
    let first = app.mail(&email("grace"), "invitation").await;
    for invited in [email("grace"), email("nobody")] {
        for _ in 0..7 {
            let body = json!({"email": invited, "code": "none", "name": "G", "password": PASSWORD});
            let answer = app.client.post("/api/auth/invitations/accept", &body).await;
            assert_eq!(reason(&answer), "wrong_code", "{invited}");
        }
    }
    // Once its tries are used up, a new mail has a new code.
    let path = format!("/api/auth/invitations/{}/resend", id.as_str().unwrap());
    let again = root.client.post(&path, &json!({})).await.expect(StatusCode::ACCEPTED);
    assert_ne!(again["data"]["id"], id);
    app.all_mails_are_out().await;
    let second = app.mail(&email("grace"), "invitation").await;
    assert_ne!(second.token, first.token);
    let body = json!({"email": email("grace"), "code": second.code, "name": "G", "password": PASSWORD});
    app.client.post("/api/auth/invitations/accept", &body).await.expect(StatusCode::CREATED);
}

#[rstest]
#[actix_web::test]
async fn one_address_that_tries_links_without_end_locks_out_no_neighbour(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[BEHIND_PROXY]).await;
    let ada = app.sign_up("ada").await;
    app.forgot(&ada.email).await;
    let token = app.mail(&ada.email, "reset-password").await.token;
    let flooder = app.at("203.0.113.1");
    let bad = json!({"token": "x"});
    for _ in 0..45 {
        let tries = (0..100).map(|_| flooder.post("/api/auth/links/show", &bad));
        futures_util::future::join_all(tries).await;
    }
    assert_eq!(flooder.post("/api/auth/links/show", &bad).await.status, StatusCode::TOO_MANY_REQUESTS);
    let neighbour = app.at("203.0.113.200");
    let shown = neighbour.post("/api/auth/links/show", &json!({ "token": token })).await;
    assert_eq!(shown.status, StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn wrong_codes_of_a_network_are_limited_like_wrong_passwords(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-ip=7", BEHIND_PROXY]).await;
    let mut statuses = Vec::new();
    for nth in 0..4 {
        let asked = app.forgot(&email(&format!("user{nth}"))).await.data()["requestId"].clone();
        for _ in 0..2 {
            let body = json!({"requestId": asked, "code": "none", "newPassword": PASSWORD});
            let answer = app.at("203.0.113.1").post("/api/auth/password/reset", &body).await;
            statuses.push(answer.status);
        }
    }
    assert_eq!(statuses[..7], [StatusCode::BAD_REQUEST; 7]);
    assert_eq!(statuses[7], StatusCode::TOO_MANY_REQUESTS);
}

#[rstest]
#[actix_web::test]
async fn one_stranger_cannot_stop_the_mails_of_others_to_an_address(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[BEHIND_PROXY]).await;
    app.sign_up("ada").await;
    app.all_mails_are_out().await;
    let before = app.mails_to(&email("ada")).await.len();
    let body = json!({"email": email("ada")});
    for _ in 0..25 {
        app.at("203.0.113.1").post("/api/auth/password/forgot", &body).await.expect(StatusCode::ACCEPTED);
    }
    app.all_mails_are_out().await;
    assert_eq!(app.mails_to(&email("ada")).await.len(), before + 3);
    app.at("198.51.100.99").post("/api/auth/password/forgot", &body).await.expect(StatusCode::ACCEPTED);
    app.all_mails_are_out().await;
    assert_eq!(app.mails_to(&email("ada")).await.len(), before + 4);
}

#[rstest]
#[actix_web::test]
async fn a_change_to_a_taken_address_sends_its_owner_no_mail(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (ada, bob) = (app.sign_up("ada").await, app.sign_up("bob").await);
    app.all_mails_are_out().await;
    let before = app.mails_to(&bob.email).await.len();
    for address in [&bob.email, &ada.email] {
        let body = json!({"newEmail": address, "currentPassword": PASSWORD});
        ada.client.post("/api/auth/email", &body).await.expect(StatusCode::ACCEPTED);
    }
    app.all_mails_are_out().await;
    assert_eq!(app.mails_to(&bob.email).await.len(), before);
}

#[rstest]
#[actix_web::test]
async fn the_end_of_a_single_session_ends_the_change_of_address_that_it_requested(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    let thief = app.log_in("ada").await;
    let body = json!({"newEmail": "thief@evil.example", "currentPassword": PASSWORD});
    thief.client.post("/api/auth/email", &body).await.expect(StatusCode::ACCEPTED);
    let token = app.mail("thief@evil.example", "confirm-email").await.token;
    ada.client.delete(&format!("/api/auth/sessions/{}", thief.session)).await.expect(StatusCode::OK);
    let refused = app.client.post("/api/auth/email/confirm", &json!({ "token": token })).await;
    assert_eq!(reason(&refused), "revoked");
}

#[rstest]
#[actix_web::test]
async fn a_request_that_was_not_prepared_yet_ends_with_the_change_of_the_password(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    let address = Email::parse(&ada.email).unwrap();
    let (content, now) = (link::Content::default(), app.state.platform.clock().now());
    let row = link::new(Purpose::ResetPassword, None, &address, content, None, now);
    // As the row is between the request and its preparation; no process of this test prepares it.
    let claimed = link::Model { prepared_at: Some(now), ..row };
    auth_service::link::request::write(&app.state.database, &claimed).await.unwrap();
    let body = json!({"currentPassword": PASSWORD, "newPassword": "a new password"});
    ada.client.post("/api/auth/password", &body).await.expect(StatusCode::OK);
    // The preparation that follows finds the user.
    link::set_user(&app.state.database, claimed.id, Some(ada.id)).await.unwrap();
    let token = app.state.links.issue(claimed.id);
    assert_eq!(reason(&app.reset(json!({ "token": token }), PASSWORD).await), "revoked");
}

#[rstest]
#[actix_web::test]
async fn a_used_sign_up_keeps_no_password_and_is_deleted_with_its_user(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--verify-email=true"]).await;
    let body = json!({"name": "Ada", "email": email("ada"), "password": PASSWORD});
    app.client.post("/api/auth/signup", &body).await.expect(StatusCode::ACCEPTED);
    let token = app.mail(&email("ada"), "confirm-sign-up").await.token;
    let ada = app.user(&app.client.post("/api/auth/signup/complete", &json!({ "token": token })).await);
    let links = link::Entity::find().all(&app.state.database).await.unwrap();
    assert_eq!((links.len(), &links[0].content.password, links[0].user_id), (1, &None, Some(ada.id)));
    steal(&app, &ada, "ada@example.org").await;
    let body = json!({ "currentPassword": PASSWORD });
    let deletion = ada.client.request(Method::DELETE, "/api/auth/me").json(&body);
    ada.client.send(deletion).await.expect(StatusCode::OK);
    assert!(link::Entity::find().all(&app.state.database).await.unwrap().is_empty());
}

#[rstest]
#[actix_web::test]
async fn the_mailbox_of_development_is_for_this_machine_only(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[BEHIND_PROXY]).await;
    let path = "/api/auth/dev/mail";
    app.client.get(path).await.expect(StatusCode::OK);
    let renamed = app.client.with_header("host", "attacker.example");
    renamed.get(path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    app.at("203.0.113.9").get(path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
}
