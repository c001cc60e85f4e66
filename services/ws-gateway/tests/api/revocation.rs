//! Sessions that end take their sockets with them; other changes do not.

use contracts::events::auth::{EndReason, SessionDeleted, SessionTerminated, UserUpdated};
use contracts::{Claims, Role};
use rstest::rstest;
use serde_json::{Value, json};
use strum::IntoEnumIterator;
use testing::Backend;
use uuid::Uuid;

use crate::app::App;
use crate::relay::created;
use crate::stock::Closed;

#[rstest]
#[actix_web::test]
async fn a_session_that_ends_ends_its_sockets_and_no_others_s50(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let user = Uuid::new_v4();
    for reason in EndReason::iter() {
        let (ended, lives) = (app.claims(&user.to_string()), app.claims(&user.to_string()));
        let mut stock = app.stock("/", &app.sign(&ended)).await;
        stock.join("/dashboard", &app.sign(&ended)).await;
        let mut plain = app.plain(&app.sign(&ended)).await;
        let mut other = app.stock("/", &app.sign(&lives)).await;

        let session_id = ended.sid.unwrap();
        app.emit(SessionDeleted { user_id: user, session_id, reason }).await;

        let (packets, closed) = stock.closed().await;
        assert_eq!(closed, Closed(Some(4403)));
        let notice = json!(["session.revoked", { "reason": reason }]);
        for expected in
            [format!("42{notice}"), "41".into(), format!("42/dashboard,{notice}"), "41/dashboard,".into()]
        {
            assert!(packets.contains(&expected), "{expected} not in {packets:?}");
        }
        let told = plain.next_event("session.revoked").await;
        assert_eq!(told["payload"], json!({ "reason": reason }));
        assert_eq!(plain.closed().await, Some(4403));
        other.event("/", "auth:session.deleted").await;
        other.assert_silence().await;

        let mut again = crate::stock::Stock::open(&app).await;
        let refusal = again.refusal("/", &json!({ "token": app.sign(&ended) })).await;
        assert_eq!(refusal["data"]["code"], "AUTH_FAILED");
    }
}

#[rstest]
#[actix_web::test]
async fn a_session_that_another_back_end_ends_is_ended_too(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let payloads = [
        ("auth:session.deleted", "sessionId"),
        ("auth:session.terminated", "targetSessionToken"),
        ("auth:session.terminated", "targetSessionId"),
    ];
    for (channel, field) in payloads {
        let claims = app.claims("alice");
        let mut plain = app.plain(&app.sign(&claims)).await;
        app.publish(channel, Some("alice"), json!({ "userId": "alice", field: claims.sid })).await;
        assert_eq!(plain.closed().await, Some(4403), "{channel} {field}");
    }
}

#[actix_web::test]
async fn who_ends_another_session_keeps_their_own() {
    let app = App::start(Backend::Memory).await;
    let user = Uuid::new_v4();
    let (own, other) = (app.claims(&user.to_string()), app.claims(&user.to_string()));
    let mut keeps = app.plain(&app.sign(&own)).await;
    let mut ends = app.plain(&app.sign(&other)).await;
    let (session_id, target) = (own.sid.unwrap(), other.sid.unwrap());
    app.emit(SessionTerminated {
        user_id: user,
        session_id,
        target_session_token: target,
        target_session_id: target,
        reason: EndReason::Logout,
    })
    .await;
    assert_eq!(ends.closed().await, Some(4403));
    keeps.next_event("auth:session.terminated").await;
    keeps.assert_silence().await;
}

#[rstest]
#[actix_web::test]
async fn a_new_role_leaves_the_socket_open_and_a_disabled_account_does_not_s29(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let user_id = Uuid::new_v4();
    let mut socket = app.plain(&app.token(&user_id.to_string())).await;
    let updated = |generation, is_active| UserUpdated {
        user_id,
        role: Role::Engineer,
        is_active,
        account_id: None,
        generation,
    };
    app.emit(updated(2, true)).await;
    socket.next_event("auth:user.updated").await;
    socket.send(&json!({ "type": "subscribe", "room": "drifts", "id": 1 })).await;
    assert_eq!(socket.next_event("ack").await["success"], true);
    app.emit(updated(3, false)).await;
    let told = socket.next_event("session.revoked").await;
    assert_eq!(told["payload"]["reason"], Value::from("account_disabled"));
    assert_eq!(socket.closed().await, Some(4403));
}

#[rstest]
#[actix_web::test]
async fn a_changed_account_changes_the_rooms_of_open_sockets_at_once_s78(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let user_id = Uuid::new_v4();
    let claims = Claims { account_id: Some("old".into()), ..app.claims(&user_id.to_string()) };
    let token = app.sign(&claims);
    let mut plain = app.plain(&token).await;
    let mut stock = app.stock("/", &token).await;
    let updated = |generation, account: Option<&str>| UserUpdated {
        user_id,
        role: Role::Viewer,
        is_active: true,
        account_id: account.map(Into::into),
        generation,
    };
    for (generation, account, other) in [(2, Some("new"), Some("old")), (3, Some("newest"), Some("new"))] {
        app.emit(updated(generation, account)).await;
        plain.next_event("auth:user.updated").await;
        let told = stock.event("/", "auth:user.updated").await;
        assert_eq!(told["accountId"], Value::Null, "the account is not for clients");
        testing::eventually("the rooms to change", async || {
            let sockets = app.admin().get(&format!("/api/realtime/users/{user_id}/connections")).await.data();
            let room = json!(format!("account:{}", account.unwrap()));
            let sockets = sockets["connections"].as_array().unwrap().clone();
            sockets.iter().all(|socket| socket["rooms"].as_array().unwrap().contains(&room))
        })
        .await;
        app.emit(created(other)).await;
        let own = created(account);
        app.emit(own.clone()).await;
        assert_eq!(plain.next().await["payload"]["id"], own.id.to_string());
        assert_eq!(stock.event("/", "drift:created").await["id"], own.id.to_string());
    }
    plain.assert_silence().await;
    stock.assert_silence().await;
    // A socket that comes in with the old token is of the new account as well.
    let mut later = app.plain(&token).await;
    app.emit(created(Some("old"))).await;
    let own = created(Some("newest"));
    app.emit(own.clone()).await;
    assert_eq!(later.next().await["payload"]["id"], own.id.to_string());
}

#[rstest]
#[actix_web::test]
async fn a_new_token_of_another_account_changes_the_rooms_of_open_sockets_s78(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let claims = Claims { account_id: Some("old".into()), ..app.claims("alice") };
    let mut plain = app.plain(&app.sign(&claims)).await;
    let mut stock = app.stock("/", &app.sign(&claims)).await;
    let token = app.sign(&Claims { account_id: Some("new".into()), generation: 2, ..claims });
    plain.send(&json!({ "type": "reauth", "token": token, "id": 1 })).await;
    assert_eq!(plain.next_event("ack").await["success"], true);
    let answer = stock.ask("/", "connection.reauth", &[json!({ "token": token })]).await;
    assert_eq!(answer["success"], true);
    app.emit(created(Some("old"))).await;
    let own = created(Some("new"));
    app.emit(own.clone()).await;
    assert_eq!(plain.next().await["payload"]["id"], own.id.to_string());
    assert_eq!(stock.event("/", "drift:created").await["id"], own.id.to_string());
    stock.assert_silence().await;
}

#[actix_web::test]
async fn a_session_that_ends_on_one_replica_ends_its_sockets_on_the_other() {
    let app = App::start_two(&[]).await;
    let user_id = Uuid::new_v4();
    let claims = app.claims(&user_id.to_string());
    let mut there = app.gateways[1].plain(&app.sign(&claims)).await;
    let session_id = claims.sid.unwrap();
    app.emit(SessionDeleted { user_id, session_id, reason: EndReason::Logout }).await;
    assert_eq!(there.closed().await, Some(4403));
}
