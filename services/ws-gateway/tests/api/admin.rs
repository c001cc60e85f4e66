//! The admin API, over all replicas.

use contracts::{Claims, Role};
use rstest::rstest;
use serde_json::json;
use strum::IntoEnumIterator;
use testing::{Backend, Method, StatusCode, eventually};

use crate::app::App;
use crate::stock::Closed;

#[rstest]
#[actix_web::test]
async fn stats_count_sockets_and_users(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let _one = app.plain(&app.token("alice")).await;
    let _two = app.stock("/", &app.token("alice")).await;
    let _three = app.stock("/dashboard", &app.token("bob")).await;
    let stats = async || app.admin().get("/api/realtime/stats").await.data();
    eventually("the replica to hear itself", async || stats().await["partial"] == false).await;
    assert_eq!(stats().await, json!({ "connections": 3, "users": 2, "gateways": 1, "partial": false }));
}

#[actix_web::test]
async fn sockets_of_every_replica_are_seen_and_ended() {
    let app = App::start_two(&[]).await;
    let admin = app.gateways[0].admin();
    eventually("the replicas to know each other", async || {
        let stats = admin.get("/api/realtime/stats").await.data();
        stats["gateways"] == 2 && stats["partial"] == false
    })
    .await;
    let mut here = app.gateways[0].stock("/", &app.token("alice")).await;
    let mut there = app.gateways[1].plain(&app.token("alice")).await;
    let mut other = app.gateways[1].plain(&app.token("bob")).await;

    let listed = admin.get("/api/realtime/users/alice/connections").await.data();
    assert_eq!(listed["partial"], false);
    let sockets = listed["connections"].as_array().unwrap();
    assert_eq!(sockets.len(), 2);
    let plain = sockets.iter().find(|socket| socket["endpoint"] == "/ws").unwrap();
    assert_eq!(plain["userId"], "alice");
    assert!(plain["rooms"].as_array().unwrap().contains(&json!("user:alice")));

    let id = plain["id"].as_str().unwrap();
    let ended = admin.delete(&format!("/api/realtime/connections/{id}")).await.data();
    assert_eq!(ended, json!({ "terminated": 1, "partial": false }));
    assert_eq!(there.next_event("session.revoked").await["payload"]["reason"], "admin");
    assert_eq!(there.closed().await, Some(4403));
    admin.delete(&format!("/api/realtime/connections/{id}")).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");

    let admin = app.gateways[1].admin();
    assert_eq!(admin.delete("/api/realtime/users/alice/connections").await.data()["terminated"], 1);
    assert_eq!(here.closed().await.1, Closed(Some(4403)));
    other.assert_silence().await;
}

#[actix_web::test]
async fn a_silent_replica_makes_the_answer_partial() {
    let app = App::start_two(&[]).await;
    let admin = app.gateways[0].admin();
    eventually("the replicas to know each other", async || {
        let stats = admin.get("/api/realtime/stats").await.data();
        stats["gateways"] == 2 && stats["partial"] == false
    })
    .await;
    // Its tasks end, and nobody says goodbye for it.
    let alive = json!({ "kind": "alive", "replica": uuid::Uuid::new_v4(), "new": false });
    app.publish("gateway:control", None, alive).await;
    eventually("an answer without the third", async || {
        let stats = admin.get("/api/realtime/stats").await.data();
        stats["partial"] == true && stats["gateways"] == 2
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn an_admin_emits_to_a_user_a_session_a_room_and_everybody(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let claims = app.claims("alice");
    let mut socket = app.stock("/", &app.sign(&claims)).await;
    let session = format!("session:{}", claims.sid.unwrap());
    for target in ["user:alice", &session, "room:user:alice", "all"] {
        let body = json!({ "target": target, "type": "news", "payload": { "to": target } });
        let emitted = app.admin().post("/api/realtime/emit", &body).await.data();
        assert!(emitted["eventId"].is_string());
        assert_eq!(socket.event("/", "news").await, json!({ "to": target }));
    }
}

#[actix_web::test]
async fn what_cannot_be_emitted_is_refused_by_name_s53() {
    let app = App::start(Backend::Memory).await;
    for (body, field) in [
        (json!({ "target": "nobody", "type": "x", "payload": 1 }), "target"),
        (json!({ "target": "user:", "type": "x", "payload": 1 }), "target"),
        (json!({ "target": "all", "type": "", "payload": 1 }), "type"),
        (json!({ "target": "all", "type": "disconnect", "payload": 1 }), "type"),
        (json!({ "target": "all", "type": "x", "payload": 1, "more": 1 }), "more"),
    ] {
        let error = app.admin().post("/api/realtime/emit", &body).await;
        let error = error.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert!(error["details"][0]["field"].as_str().unwrap().contains(field), "{error}");
    }
}

/// Every operation that is documented, with a parameter and a body that are not valid.
#[actix_web::test]
async fn a_caller_without_the_role_is_refused_before_the_body_is_read() {
    let app = App::start(Backend::Memory).await;
    let document = serde_json::to_value(ws_gateway::openapi()).unwrap();
    let bodies =
        ["", "{", "[]", "null", r#"{"target":1}"#, r#"{"target":"all","type":"disconnect","payload":1}"#];
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if !operation["security"].to_string().contains("admin") {
                continue;
            }
            operations += 1;
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = format!("{}?bogus=1", path.replace("{id}", "%00"));
            for (role, body) in Role::iter().flat_map(|role| bodies.map(|body| (role, body))) {
                let by = async |client: &testing::Client| {
                    let request = client.request(method.clone(), &path).body(body);
                    client.send(request.header("content-type", "application/json")).await
                };
                by(&app.client).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
                if role < Role::Admin {
                    let token = app.sign(&Claims { role, ..app.claims("eve") });
                    by(&app.client.with_token(&token)).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
                }
            }
        }
    }
    assert_eq!(operations, 5);
}
