//! Messages of a Slack app: one thread for each drift, whose first message shows the current state.

use actix_web::HttpResponse;
use chrono::TimeDelta;
use contracts::drift::Severity;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};

use crate::app::{App, DESTINATIONS};
use crate::events::{resolved, updated};
use crate::slack_server::{SECRET, Slack, TOKEN, button};

const DELIVERIES: &str = "/api/v1/notifications/deliveries";

async fn app(backend: Backend) -> App {
    App::with(backend, &["--drift-service-url=http://127.0.0.1:1"]).await
}

async fn delivered(app: &App, status: &str) -> Vec<Value> {
    let list = app.engineer().get(&format!("{DELIVERIES}?status={status}")).await;
    list.expect(StatusCode::OK)["data"].as_array().unwrap().clone()
}

#[rstest]
#[actix_web::test]
async fn a_drift_has_one_thread_whose_first_message_shows_its_state(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let (app, slack) = (app(backend).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    assert_eq!(destination["shown"], "#drifts");
    let shown = app.get(&destination).await.to_string();
    assert!(!shown.contains(TOKEN) && !shown.contains(SECRET), "{shown}");

    let drift = app.drift("prod", Severity::Warning).await;
    let first = slack.wait(1).await.remove(0);
    assert_eq!((&first.thread_ts, &first.body["channel"]), (&Value::Null, &json!("#drifts")));
    assert_eq!(button(&first.body, "approve")["value"], format!("{drift} 1"));
    assert_eq!(button(&first.body, "reject")["value"], format!("{drift} 1"));

    app.publish(&[app.entry(updated(drift, 2, Severity::Critical))]).await;
    let [first, reply] = &slack.wait(2).await[..] else { panic!("{:?}", slack.channel()) };
    assert_eq!(first.body["text"], "Critical drift changed in prod: aws_instance.web");
    assert_eq!(button(&first.body, "approve")["value"], format!("{drift} 2"));
    assert_eq!(reply.thread_ts, first.ts);
    assert_eq!(button(&reply.body, "approve"), Value::Null);

    app.publish(&[app.entry(resolved(drift))]).await;
    let [first, _, reply] = &slack.wait(3).await[..] else { panic!("{:?}", slack.channel()) };
    assert_eq!(first.body["text"], "Drift resolved in prod: aws_instance.web");
    assert_eq!((button(&first.body, "approve"), &reply.thread_ts), (Value::Null, &json!(first.ts)));

    let [post, edit] = ["chat.postMessage", "chat.update"];
    assert_eq!(slack.calls(), [post, edit, post, edit, post]);
    app.drift("test", Severity::Warning).await;
    let other = slack.wait(4).await.remove(3);
    assert_eq!(other.thread_ts, Value::Null);
    let path = format!("{DESTINATIONS}/{}/test", destination["id"].as_str().unwrap());
    for count in 5..=6 {
        assert_eq!(app.admin().post(&path, &json!({})).await.data()["isDelivered"], true);
        let sample = slack.wait(count).await.remove(count - 1);
        assert_eq!(sample.thread_ts, Value::Null, "a sample is in no thread");
    }
}

#[rstest]
#[actix_web::test]
async fn without_drift_service_messages_have_no_buttons(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let (app, slack) = (App::start(backend).await, Slack::start());
    app.destination(slack.target(), json!({})).await;
    app.drift("prod", Severity::Warning).await;
    assert_eq!(button(&slack.wait(1).await[0].body, "approve"), Value::Null);
}

#[rstest]
#[actix_web::test]
async fn a_text_of_a_template_has_the_buttons_too(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let (app, slack) = (app(backend).await, Slack::start());
    app.destination(slack.target(), json!({"template": "*Look here*"})).await;
    let drift = app.drift("prod", Severity::Warning).await;
    let message = slack.wait(1).await.remove(0).body;
    assert_eq!(message["blocks"][0]["text"]["text"], "*Look here*");
    assert_eq!(button(&message, "reject")["value"], format!("{drift} 1"));
    let preview = json!({"kind": "slackApp", "template": "*Look here*"});
    let previewed = app.engineer().post("/api/v1/notifications/preview", &preview).await.data();
    assert_eq!(previewed["message"]["blocks"][0], message["blocks"][0]);
}

#[rstest]
#[actix_web::test]
async fn a_thread_whose_messages_were_deleted_begins_again(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let (app, slack) = (app(backend).await, Slack::start());
    app.destination(slack.target(), json!({})).await;
    let drift = app.drift("prod", Severity::Warning).await;
    slack.wait(1).await;
    eventually("the delivery", async || delivered(&app, "delivered").await.len() == 1).await;
    slack.delete_messages();
    app.publish(&[app.entry(updated(drift, 2, Severity::Warning))]).await;
    assert_eq!(slack.wait(1).await[0].thread_ts, Value::Null);
    app.publish(&[app.entry(resolved(drift))]).await;
    let messages = slack.wait(2).await;
    assert_eq!(messages[1].thread_ts, messages[0].ts);
}

#[rstest]
#[actix_web::test]
async fn an_event_that_is_sent_again_brings_no_earlier_state_back(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let (app, slack) = (app(backend).await, Slack::start());
    app.destination(slack.target(), json!({})).await;
    let drift = app.drift("prod", Severity::Warning).await;
    slack.wait(1).await;
    // Events of the same time would both be the current state.
    app.advance(TimeDelta::seconds(1));
    app.publish(&[app.entry(resolved(drift))]).await;
    eventually("both deliveries", async || delivered(&app, "delivered").await.len() == 2).await;
    let deliveries = delivered(&app, "delivered").await;
    let first = deliveries.iter().find(|delivery| delivery["eventType"] == "drift:created").unwrap();
    let replay = format!("{DELIVERIES}/{}/replay", first["id"]);
    app.admin().post(&replay, &json!({})).await.data();
    let messages = slack.wait(3).await;
    assert_eq!(messages[2].thread_ts, messages[0].ts);
    assert_eq!(messages[0].body["text"], "Drift resolved in prod: aws_instance.web");
}

#[rstest]
#[actix_web::test]
async fn slack_is_left_alone_for_as_long_as_it_asks(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = app(backend).await;
    let slack = Slack::refusing(|before, _| {
        let limited = json!({"ok": false, "error": "ratelimited"});
        (before == 0)
            .then(|| HttpResponse::TooManyRequests().insert_header(("retry-after", "600")).json(limited))
    });
    let destination = app.destination(slack.target(), json!({})).await;
    app.drift("prod", Severity::Warning).await;
    eventually("the refusal", async || app.get(&destination).await["lastFailure"] == "status_429").await;
    let blocked = app.get(&destination).await["blockedUntil"].as_str().unwrap().parse().unwrap();
    let wait: TimeDelta = blocked_for(&app, blocked);
    assert!(wait > TimeDelta::minutes(9) && wait <= TimeDelta::minutes(10), "{wait}");
    app.advance(TimeDelta::minutes(11));
    slack.wait(1).await;
}

fn blocked_for(app: &App, until: chrono::DateTime<chrono::Utc>) -> TimeDelta {
    until - app.platform.clock().now()
}

#[rstest]
#[case::repairable("not_in_channel", "pending", true)]
#[case::message("msg_too_long", "dead", true)]
#[case::removed("account_inactive", "pending", false)]
#[actix_web::test]
async fn an_error_ends_the_delivery_or_the_destination_or_is_tried_again(
    #[case] error: &'static str,
    #[case] status: &str,
    #[case] is_enabled: bool,
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = app(backend).await;
    let slack = Slack::refusing(move |before, _| {
        (before == 0).then(|| HttpResponse::Ok().json(json!({"ok": false, "error": error})))
    });
    let destination = app.destination(slack.target(), json!({})).await;
    app.drift("prod", Severity::Warning).await;
    eventually("the refusal", async || {
        app.get(&destination).await["lastFailure"] == format!("slack_{error}")
    })
    .await;
    let known = app.get(&destination).await;
    assert_eq!(known["isEnabled"], is_enabled, "{known}");
    let delivery = delivered(&app, status).await.remove(0);
    let attempt = &delivery["log"][0];
    assert_eq!((&attempt["status"], &attempt["failure"]), (&json!(200), &known["lastFailure"]));
    if status == "pending" && is_enabled {
        app.advance(TimeDelta::minutes(1));
        slack.wait(1).await;
    }
}

#[rstest]
#[actix_web::test]
async fn another_channel_begins_other_threads(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let (app, slack) = (app(backend).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    let drift = app.drift("prod", Severity::Warning).await;
    slack.wait(1).await;
    eventually("the delivery", async || delivered(&app, "delivered").await.len() == 1).await;
    let mut target = slack.target();
    target["channel"] = json!("#others");
    let path = format!("{DESTINATIONS}/{}", destination["id"].as_str().unwrap());
    app.admin().patch(&path, &json!({"target": target})).await.data();
    app.publish(&[app.entry(updated(drift, 2, Severity::Warning))]).await;
    let message = slack.wait(2).await.remove(1);
    assert_eq!((&message.thread_ts, &message.body["channel"]), (&Value::Null, &json!("#others")));
}

#[actix_web::test]
async fn a_target_is_checked_and_a_private_address_refused() {
    let app = App::with(Backend::Memory, &["--allow-private-webhooks=false"]).await;
    let slack = Slack::start();
    let refused = async |change: Value, field: &str| {
        let mut target = slack.target();
        target["apiUrl"] = json!("https://slack.example.com/api");
        target.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = app.admin().post(DESTINATIONS, &json!({"name": "Test", "target": target})).await;
        let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field, "{error}");
    };
    refused(json!({"apiUrl": slack.target()["apiUrl"]}), "target.apiUrl").await;
    refused(json!({"apiUrl": "https://169.254.169.254/"}), "target.apiUrl").await;
    refused(json!({"botToken": "two words"}), "target.botToken").await;
    refused(json!({"signingSecret": ""}), "target.signingSecret").await;
    refused(json!({"channel": "a channel"}), "target.channel").await;
    let mut target = slack.target();
    target.as_object_mut().unwrap().remove("apiUrl");
    app.admin()
        .post(DESTINATIONS, &json!({"name": "Test", "target": target}))
        .await
        .expect(StatusCode::CREATED);
}
