//! Step-ups that gateways pass on through the backplane.

use contracts::{Envelope, STEP_UP_CHANNEL};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, eventually};
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
