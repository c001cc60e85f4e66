use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::{App, PASSWORD, User};

/// The fields that may be published on each channel.
const ALLOWED: &[(&str, &[&str])] = &[
    ("auth:user.registered", &["userId", "email"]),
    ("auth:user.login", &["userId", "sessionId"]),
    ("auth:user.logout", &["userId", "sessionId"]),
    ("auth:user.updated", &["userId", "role", "isActive", "generation"]),
    ("auth:user.deleted", &["userId"]),
    ("auth:session.created", &["userId", "sessionId", "deviceInfo"]),
    ("auth:session.terminated", &["userId", "sessionId", "targetSessionToken", "targetSessionId", "reason"]),
    ("auth:session.deleted", &["userId", "sessionId", "reason"]),
    ("auth:sessions.bulk_terminated", &["userId", "count", "sessionIds", "exceptSessionId"]),
    ("auth:session.activity_updated", &["userId", "sessionId"]),
    ("auth:token.refreshed", &["userId", "sessionId"]),
];

/// Causes every kind of event.
async fn live_a_full_life(app: &App) -> Vec<User> {
    let root = app.admin("root").await;
    let alice = app.sign_up("alice").await;
    let (second, third) = (app.log_in("alice").await, app.log_in("alice").await);
    app.refresh(&alice.refresh).await;
    app.advance(chrono::TimeDelta::minutes(2));
    alice.client.post("/api/auth/activity", &json!({})).await.expect(StatusCode::OK);
    alice.client.delete(&format!("/api/auth/sessions/{}", second.session)).await.expect(StatusCode::OK);
    alice.client.delete("/api/auth/sessions/all").await.expect(StatusCode::OK);
    let patch = json!({"role": "engineer"});
    root.client.patch(&format!("/api/auth/users/{}", alice.id), &patch).await.expect(StatusCode::OK);
    let change = json!({"currentPassword": PASSWORD, "newPassword": "battery staple"});
    alice.client.post("/api/auth/password", &change).await.expect(StatusCode::OK);
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    root.client.delete(&format!("/api/auth/users/{}", alice.id)).await.expect(StatusCode::OK);
    app.all_events_are_out().await;
    vec![root, alice, second, third]
}

#[rstest]
#[actix_web::test]
async fn events_contain_only_allowed_fields_s46(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let users = live_a_full_life(&app).await;
    let events = app.all_published();
    for (channel, allowed) in ALLOWED {
        let payloads = app.published(channel);
        assert!(!payloads.is_empty(), "nothing was published on {channel}");
        for payload in payloads {
            for field in payload.as_object().unwrap().keys() {
                assert!(allowed.contains(&field.as_str()), "{channel} has {field}");
            }
        }
    }
    assert!(events.iter().all(|event| ALLOWED.iter().any(|(channel, _)| event["type"] == *channel)));
    assert!(events.iter().all(|event| event["userId"] == event["payload"]["userId"]));
    let text = Value::from(events).to_string();
    for user in &users {
        assert!(!text.contains(&user.access) && !text.contains(&user.refresh));
    }
    assert!(!text.contains("sha384:") && !text.contains("$2b$") && !text.contains("raw"));
}

#[rstest]
#[actix_web::test]
async fn events_of_a_user_arrive_in_order_s47(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &["--max-sessions-per-user=2"]).await;
    app.sign_up("alice").await;
    join_all((0..20).map(|_| app.log_in("alice"))).await;
    app.all_events_are_out().await;
    let mut live = std::collections::HashSet::new();
    for event in app.all_published() {
        let session = event["payload"]["sessionId"].as_str().unwrap_or_default().to_owned();
        match event["type"].as_str().unwrap() {
            "auth:session.created" => assert!(live.insert(session)),
            "auth:session.deleted" => assert!(live.remove(&session), "it ended before it began"),
            _ => {}
        }
        assert!(live.len() <= 2, "an eviction is published before the new session");
    }
    assert_eq!(live.len(), 2);
}

#[rstest]
#[actix_web::test]
async fn a_failed_request_publishes_nothing_s47(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    app.all_events_are_out().await;
    let before = app.all_published().len();
    app.try_log_in(&alice.email, "wrong password").await.expect(StatusCode::UNAUTHORIZED);
    let body = json!({"name": "Alice", "email": alice.email, "password": PASSWORD});
    app.client.post("/api/auth/signup", &body).await.expect(StatusCode::CONFLICT);
    app.try_refresh("x").await.expect(StatusCode::UNAUTHORIZED);
    alice
        .client
        .delete(&format!("/api/auth/sessions/{}", uuid::Uuid::new_v4()))
        .await
        .expect(StatusCode::NOT_FOUND);
    app.all_events_are_out().await;
    assert_eq!(app.all_published().len(), before);
}
