//! Requests of Slack: only genuine ones are accepted, each once, and the person is told what became of the decision.

use actix_web::HttpResponse;
use chrono::TimeDelta;
use contracts::Role;
use contracts::drift::Severity;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::App;
use crate::inbox::Receiver;
use crate::slack_links::{LINKS, Person, code_of, link};
use crate::slack_server::{SECRET, Slack, button, form, interact, press, signature};

/// Starts the service with a stand-in for drift-service.
async fn app(backend: Backend, drifts: &Receiver) -> App {
    let url = drifts.url();
    App::with(backend, &[&format!("--drift-service-url={}", url.trim_end_matches("/hook"))]).await
}

/// Links a Slack user to an engineer.
async fn linked(app: &App, slack: &Slack, destination: &Value) {
    let approve = json!({"action_id": "approve", "value": format!("{} 1", Uuid::now_v7())});
    press(app, destination, &slack.press("UANN", &approve)).await;
    let code = code_of(&slack.told(1).await);
    link(&Person::new(app, Role::Engineer), &code).await.expect(StatusCode::CREATED);
    // Slack signs a later request with a later time.
    app.advance(TimeDelta::seconds(1));
}

#[rstest]
#[actix_web::test]
async fn only_genuine_requests_are_accepted_and_each_once(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let drifts = Receiver::start();
    let (app, slack) = (app(backend, &drifts).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    let webhook = app.webhook(&drifts, json!({"rules": {"events": ["user:none"]}})).await;
    let (id, other) = (destination["id"].as_str().unwrap(), webhook["id"].as_str().unwrap());
    let approve = json!({"action_id": "approve", "value": format!("{} 1", Uuid::now_v7())});
    let body = form(&slack.press("U1", &approve));
    let now = app.platform.clock().now().timestamp();
    let genuine = signature(SECRET, now, &body);
    let (unknown, nothing) = (Uuid::now_v7().to_string(), String::new());
    let old = now - 301;
    for (destination, body, signature, seconds) in [
        (id, &body, &signature("another secret", now, &body), now),
        (id, &body, &signature(SECRET, old, &body), old),
        (id, &body, &genuine, now + 1),
        (id, &format!("{body}&x=1"), &genuine, now),
        (id, &body, &nothing, now),
        (other, &body, &genuine, now),
        (&unknown, &body, &genuine, now),
    ] {
        let answer = interact(&app, destination, body.clone(), signature, seconds).await;
        answer.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    let huge = format!("{body}&x={}", "x".repeat(64 * 1024));
    let signed = signature(SECRET, now, &huge);
    interact(&app, id, huge, &signed, now).await.error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
    assert_eq!(slack.has_told(), 0);

    assert_eq!(interact(&app, id, body.clone(), &genuine, now).await.status, StatusCode::OK);
    slack.told(1).await;
    let upper = format!("v0={}", genuine["v0=".len()..].to_ascii_uppercase());
    for again in [genuine, upper] {
        let answer = interact(&app, id, body.clone(), &again, now).await;
        answer.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    // What the service means nothing by is accepted, and has no effect.
    for payload in
        [json!({"type": "view_submission"}), json!([]), slack.press("U1", &json!({"action_id": "x"}))]
    {
        press(&app, &destination, &payload).await;
    }
    assert_eq!((slack.has_told(), drifts.received().len()), (1, 0));
}

#[rstest]
#[actix_web::test]
async fn an_address_that_sends_too_much_is_refused(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let drifts = Receiver::start();
    let app = app(backend, &drifts).await;
    let id = Uuid::now_v7().to_string();
    for _ in 0..600 {
        app.platform.limiter().count("notify:slack:127.0.0.1", std::time::Duration::from_secs(60)).await;
    }
    let answer = interact(&app, &id, String::new(), "v0=", 0).await;
    answer.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
}

#[rstest]
#[actix_web::test]
async fn a_linked_person_decides_with_their_own_token_on_the_version_they_saw(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let drifts = Receiver::start();
    let (app, slack) = (app(backend, &drifts).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    let drift = app.drift("prod", Severity::Warning).await;
    let message = slack.wait(1).await.remove(0).body;
    let ann = Person::new(&app, Role::Engineer);
    let reject = slack.press("UANN", &button(&message, "reject"));
    press(&app, &destination, &reject).await;
    let asked = slack.told(1).await;
    assert!(asked.starts_with("DriftSentry does not know yet who you are."), "{asked}");
    link(&ann, &code_of(&asked)).await.expect(StatusCode::CREATED);

    // Slack signs a later request with a later time.
    app.advance(TimeDelta::seconds(1));
    press(&app, &destination, &reject).await;
    let request = drifts.wait(1).await.remove(0);
    assert_eq!(request.path, format!("/api/v1/drifts/{drift}/reject"));
    assert_eq!(request.header("if-match"), "\"v1\"");
    assert_eq!(request.header("authorization"), format!("Bearer {}", ann.token));
    assert_eq!(request.body, json!({"reason": "Decided in Slack"}));
    assert_eq!(slack.has_told(), 1, "the event changes the message");
}

#[rstest]
#[case(403, "Only engineers and admins decide")]
#[case(404, "does not exist any more")]
#[case(429, "too many requests")]
#[case(500, "could not decide")]
#[case(401, "has ended. <http://localhost:3001/#/link-slack?code=")]
#[actix_web::test]
async fn a_person_is_told_why_a_decision_was_not_made(
    #[case] status: u16,
    #[case] expected: &str,
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let drifts =
        Receiver::answering(move |_, _| HttpResponse::build(actix_status(status)).json(json!({"data": {}})));
    let (app, slack) = (app(backend, &drifts).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    let approve = json!({"action_id": "approve", "value": format!("{} 1", Uuid::now_v7())});
    linked(&app, &slack, &destination).await;
    press(&app, &destination, &slack.press("UANN", &approve)).await;
    let told = slack.told(2).await;
    assert!(told.contains(expected), "{told}");
}

#[rstest]
#[actix_web::test]
async fn a_person_is_told_that_drift_service_does_not_respond(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--drift-service-url=http://127.0.0.1:1"]).await;
    let slack = Slack::start();
    let destination = app.destination(slack.target(), json!({})).await;
    let approve = json!({"action_id": "approve", "value": format!("{} 1", Uuid::now_v7())});
    linked(&app, &slack, &destination).await;
    press(&app, &destination, &slack.press("UANN", &approve)).await;
    assert!(slack.told(2).await.starts_with("DriftSentry could not decide."));
}

fn actix_status(status: u16) -> actix_web::http::StatusCode {
    actix_web::http::StatusCode::from_u16(status).unwrap()
}

#[rstest]
#[actix_web::test]
async fn a_late_person_is_told_who_was_first(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let decided = std::sync::Arc::new(std::sync::Mutex::new(Value::Null));
    let state = decided.clone();
    let drifts = Receiver::answering(move |_, request| {
        if request.path.ends_with("/approve") {
            return HttpResponse::PreconditionFailed().finish();
        }
        HttpResponse::Ok().json(json!({"data": *state.lock().unwrap()}))
    });
    let (app, slack) = (app(backend, &drifts).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    let approve = json!({"action_id": "approve", "value": format!("{} 1", Uuid::now_v7())});
    let [ann, bob] = ["UANN", "UBOB"].map(|slack_user| (Person::new(&app, Role::Engineer), slack_user));
    for (number, (person, slack_user)) in [&ann, &bob].into_iter().enumerate() {
        press(&app, &destination, &slack.press(slack_user, &approve)).await;
        link(person, &code_of(&slack.told(number + 1).await)).await.expect(StatusCode::CREATED);
    }
    let at = app.platform.clock().now() - TimeDelta::seconds(150);
    let (ann_id, bob_id) = (&ann.0.id, &bob.0.id);
    for (number, (drift, expected)) in [
        (
            json!({"status": "approved", "approvedBy": ann_id, "approvedAt": at}),
            "<@UANN> approved it 2 minutes ago.",
        ),
        (
            json!({"status": "rejected", "rejectedBy": bob_id, "rejectedAt": at}),
            "You rejected it 2 minutes ago.",
        ),
        (
            json!({"status": "approved", "approvedBy": "other", "approvedAt": at}),
            "Another person approved it 2 minutes ago.",
        ),
        (json!({"status": "resolved", "resolvedAt": at}), "A scan resolved it 2 minutes ago."),
        (json!({"status": "detected"}), "The drift has changed since this message."),
    ]
    .into_iter()
    .enumerate()
    {
        *decided.lock().unwrap() = drift;
        app.advance(TimeDelta::seconds(1));
        press(&app, &destination, &slack.press("UBOB", &approve)).await;
        let told = slack.told(number + 3).await;
        assert!(told.starts_with(expected), "{told}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_response_goes_to_no_other_host(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let (drifts, elsewhere) = (Receiver::start(), Receiver::start());
    let (app, slack) = (app(backend, &drifts).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    let approve = json!({"action_id": "approve", "value": format!("{} 1", Uuid::now_v7())});
    let mut payload = slack.press("UANN", &approve);
    payload["response_url"] = json!(elsewhere.url());
    press(&app, &destination, &payload).await;
    press(&app, &destination, &slack.press("UBOB", &approve)).await;
    slack.told(1).await;
    assert!(elsewhere.received().is_empty());
    eventually("nobody is linked", async || {
        Person::new(&app, Role::Engineer).client.get(LINKS).await.data() == json!([])
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn tokens_of_people_move_to_a_new_secret(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let drifts = Receiver::start();
    let url = format!("--drift-service-url={}", drifts.url().trim_end_matches("/hook"));
    let (old, new) = ("--notify-secret=old", "--notify-secret=new");
    let (app, slack) = (App::with(backend, &[&url, old]).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    linked(&app, &slack, &destination).await;
    let sealed = async || -> String {
        app.query("SELECT token FROM notify_slack_links").await.try_get("", "token").unwrap()
    };
    let before = sealed().await;
    let moving = app.replica_with(&[&url, new, "--notify-secret-previous=old"]).await;
    eventually("the token is encrypted with the new secret", async || sealed().await != before).await;
    drop(moving);
    let moved = app.replica_with(&[&url, new]).await;
    let approve = json!({"action_id": "approve", "value": format!("{} 1", Uuid::now_v7())});
    press(&moved, &destination, &slack.press("UANN", &approve)).await;
    drifts.wait(1).await;
}
