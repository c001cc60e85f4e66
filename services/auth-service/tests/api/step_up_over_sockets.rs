//! Step-ups that gateways pass on through the backplane.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{Envelope, STEP_UP_CHANNEL};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::{App, User};

/// Publishes a request as a gateway does, and returns its id.
async fn ask(app: &App, user: &User, proof: Value) -> Uuid {
    let request_id = Uuid::new_v4();
    let mut request = json!({ "requestId": request_id, "userId": user.id, "sessionId": user.session, "ipAddress": "192.0.2.1" });
    request.as_object_mut().unwrap().extend(proof.as_object().unwrap().clone());
    publish(app, request).await;
    request_id
}

async fn publish(app: &App, payload: Value) {
    let platform = &app.state.platform;
    let envelope = Envelope::unplaced(STEP_UP_CHANNEL, platform.clock().now(), payload);
    let body = serde_json::to_string(&envelope).unwrap();
    platform.backplane().log.broadcast(STEP_UP_CHANNEL, &body).await.unwrap();
}

/// The response to a request.
async fn outcome(app: &App, request_id: Uuid) -> Value {
    let response =
        app.event("auth:step_up.answered", |payload| payload["requestId"] == json!(request_id)).await;
    response["outcome"].clone()
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[rstest]
#[actix_web::test]
async fn a_code_raises_the_session_once_and_only_so_many_wrong_ones_are_compared(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--step-up-minutes=5", "--login-failures-per-account=3"]).await;
    let root = app.admin("root").await;
    let authenticator = app.add_authenticator(&root).await;
    app.advance(TimeDelta::minutes(6));
    let sensitive =
        async || root.client.post("/api/auth/tokens", &json!({"name": "ci", "role": "viewer"})).await;
    sensitive().await.error(StatusCode::FORBIDDEN, "STEP_UP_REQUIRED");

    let code = json!({"code": authenticator.code(&app, 0)});
    let raised = outcome(&app, ask(&app, &root, code.clone()).await).await;
    let now = app.state.platform.clock().now();
    let (auth_time, fresh_until) = (time(&raised["authTime"]), time(&raised["freshUntil"]));
    assert_eq!((&raised["acr"], fresh_until - auth_time), (&json!("mfa"), TimeDelta::minutes(5)));
    assert!(auth_time <= now && now - auth_time < TimeDelta::minutes(1), "{raised}");
    sensitive().await.expect(StatusCode::CREATED);
    app.event("auth:session.strengthened", |event| event["sessionId"] == json!(root.session)).await;

    let wrong = json!({"code": "VALIDATION_ERROR", "message": "code: is wrong or was used"});
    for proof in [code, json!({"code": "000000"}), json!({"code": "no code"})] {
        assert_eq!(outcome(&app, ask(&app, &root, proof).await).await, json!({"error": wrong}));
    }
    let next = json!({"code": authenticator.code(&app, 1)});
    let refused = outcome(&app, ask(&app, &root, next).await).await;
    assert_eq!(refused["error"]["code"], "RATE_LIMITED");
    assert!(refused["error"]["retryAfter"].as_u64().unwrap() > 0, "{refused}");
}

#[actix_web::test]
async fn a_session_of_another_user_or_one_that_ended_is_not_raised() {
    let app = App::start(Backend::Memory).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let authenticator = app.add_authenticator(&alice).await;
    let code = json!({"code": authenticator.code(&app, 0)});
    let foreign = User { session: bob.session, ..alice.clone() };
    let answer = outcome(&app, ask(&app, &foreign, code.clone()).await).await;
    assert_eq!(answer["error"]["code"], "AUTH_ERROR", "{answer}");
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    let answer = outcome(&app, ask(&app, &alice, code).await).await;
    assert_eq!(answer["error"]["code"], "AUTH_ERROR", "{answer}");
}

#[rstest]
#[actix_web::test]
async fn an_unreadable_request_is_ignored_and_the_next_one_gets_a_response(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    publish(&app, json!({ "requestId": 7 })).await;
    ask(&app, &alice, json!({ "code": "1".repeat(17) })).await;
    ask(&app, &alice, json!({ "code": "1", "assertion": {} })).await;
    let id = ask(&app, &alice, json!({ "code": "123456" })).await;
    let outcome = outcome(&app, id).await;
    assert_eq!(outcome["error"]["code"], "VALIDATION_ERROR", "{outcome}");
    app.all_events_are_out().await;
    assert_eq!(app.published("auth:step_up.answered").len(), 1);
}

#[actix_web::test]
async fn one_of_several_replicas_handles_a_request() {
    const REQUESTS: usize = 20;
    let app = App::start(Backend::Real).await;
    let other = app.replica().await;
    let alice = app.sign_up("alice").await;
    let mut ids = Vec::new();
    for _ in 0..REQUESTS {
        ids.push(ask(&app, &alice, json!({ "code": "123456" })).await);
    }
    let keys = &app.state.platform.backplane().keys;
    for id in ids {
        outcome(&app, id).await;
        let claims = async || keys.hits(&format!("auth:step-up:{id}")).await.unwrap() == 2;
        eventually("both replicas to have heard it", claims).await;
    }
    app.all_events_are_out().await;
    assert_eq!(app.published("auth:step_up.answered").len(), REQUESTS);
    drop(other);
}
