//! From the backplane to the sockets: who hears what, and in which form.

use chrono::DateTime;
use contracts::events::auth::UserLogin;
use contracts::events::drift::{DriftApproved, DriftCreated, DriftSubject};
use rstest::rstest;
use serde_json::{Value, json};
use testing::Backend;
use uuid::Uuid;

use crate::app::App;

pub(crate) fn created(account: Option<&str>) -> DriftCreated {
    DriftCreated {
        id: Uuid::new_v4(),
        subject: subject(),
        region: Some("eu-central-1".into()),
        cost_impact_monthly: 12.5,
        detected_at: DateTime::UNIX_EPOCH,
        status: contracts::drift::Status::Detected,
        version: 1,
        account_id: account.map(Into::into),
    }
}

pub(crate) fn subject() -> DriftSubject {
    DriftSubject {
        stack: "prod".into(),
        address: "aws_instance.web".into(),
        resource_id: "i-1".into(),
        resource_type: "aws_instance".into(),
        severity: contracts::drift::Severity::Critical,
        fingerprint: "f".into(),
    }
}

fn approved(id: Uuid) -> DriftApproved {
    DriftApproved {
        id,
        subject: subject(),
        status: contracts::drift::Status::Approved,
        approved_at: DateTime::UNIX_EPOCH,
        approved_by: "bob".into(),
        account_id: None,
    }
}

#[rstest]
#[actix_web::test]
async fn a_subscriber_hears_drifts_in_the_form_of_its_namespace(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let token = app.token("alice");
    let mut root = app.stock("/", &token).await;
    let mut dashboard = app.stock("/dashboard", &token).await;
    let mut plain = app.plain(&token).await;
    let done = json!({ "success": true, "data": { "room": "drifts" } });
    assert_eq!(root.ask("/", "subscribe:drifts", &[]).await, done);
    assert_eq!(dashboard.ask("/dashboard", "subscribe:drifts", &[]).await, done);
    plain.send(&json!({ "type": "subscribe", "room": "drifts", "id": "s" })).await;
    let ack = json!({ "type": "ack", "id": "s", "success": true, "data": { "room": "drifts" } });
    assert_eq!(plain.next_event("ack").await, ack);

    let event = created(None);
    app.emit(event.clone()).await;
    app.emit(approved(event.id)).await;

    let payload = serde_json::to_value(&event).unwrap();
    let bare = root.event_args("/", "drift:created").await;
    assert_eq!(bare[0], payload);
    let enveloped = dashboard.event_args("/dashboard", "drift:created").await;
    assert_eq!(enveloped[0]["payload"], payload);
    assert_eq!(enveloped[0]["type"], "drift:created");
    let message = plain.next_event("drift:created").await;
    assert_eq!(message, enveloped[0]);
    let offset = format!("{}:{}", message["epoch"].as_str().unwrap(), message["seq"]);
    assert_eq!((&bare[1], &enveloped[1]), (&json!(offset), &json!(offset)));

    assert_eq!(root.event("/", "drift:approved").await["id"], event.id.to_string());
    assert_eq!(plain.next_event("drift:approved").await["payload"]["approvedBy"], "bob");
    root.assert_silence().await;
    dashboard.event("/dashboard", "drift:approved").await;
    dashboard.assert_silence().await;
}

#[actix_web::test]
async fn a_new_drift_reaches_its_account_and_users_without_one_without_a_subscription_and_once() {
    let app = App::start(Backend::Memory).await;
    let claims =
        |account: &str| contracts::Claims { account_id: Some(account.into()), ..app.claims(account) };
    let mut acme = app.stock("/", &app.sign(&claims("acme"))).await;
    let mut other = app.stock("/", &app.sign(&claims("other"))).await;
    let mut global = app.plain(&app.token("global")).await;
    acme.ask("/", "subscribe:drifts", &[]).await;
    app.emit(created(Some("acme"))).await;
    acme.event("/", "drift:created").await;
    global.next_event("drift:created").await;
    acme.assert_silence().await;
    other.assert_silence().await;
    global.assert_silence().await;
    let nobodys = created(None);
    app.emit(nobodys.clone()).await;
    assert_eq!(global.next_event("drift:created").await["payload"]["id"], nobodys.id.to_string());
    acme.event("/", "drift:created").await;
    other.assert_silence().await;

    acme.ask("/", "unsubscribe:drifts", &[]).await;
    app.emit(created(Some("acme"))).await;
    acme.event("/", "drift:created").await;
    app.emit(approved(Uuid::new_v4())).await;
    acme.assert_silence().await;
}

#[rstest]
#[actix_web::test]
async fn nothing_about_a_user_reaches_another(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let alice = Uuid::new_v4();
    let mut hers = app.stock("/", &app.token(&alice.to_string())).await;
    let mut his = app.stock("/", &app.token("bob")).await;
    let mut his_plain = app.plain(&app.token("bob")).await;
    app.emit(UserLogin { user_id: alice, session_id: Uuid::new_v4() }).await;
    assert_eq!(hers.event("/", "auth:user.login").await["userId"], alice.to_string());
    his.assert_silence().await;
    his_plain.assert_silence().await;
}

#[actix_web::test]
async fn fields_that_another_back_end_should_not_have_sent_are_taken_out() {
    let app = App::start(Backend::Memory).await;
    let mut socket = app.stock("/", &app.token("alice")).await;
    let payload = json!({ "userId": "alice", "sessionId": "s", "refreshToken": "secret" });
    app.publish("auth:user.login", Some("alice"), payload).await;
    assert_eq!(socket.event("/", "auth:user.login").await, json!({ "userId": "alice", "sessionId": "s" }));
}

#[rstest]
#[actix_web::test]
async fn a_dashboard_event_goes_to_its_user_as_an_envelope_and_not_to_the_root(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let mut root = app.stock("/", &app.token("alice")).await;
    let mut dashboard = app.stock("/dashboard", &app.token("alice")).await;
    let mut other = app.stock("/dashboard", &app.token("bob")).await;
    app.publish("dashboard:summaryUpdated", Some("alice"), json!({ "open": 3 })).await;
    let envelope = dashboard.event("/dashboard", "dashboard:summaryUpdated").await;
    assert_eq!((&envelope["payload"]["open"], &envelope["userId"]), (&json!(3), &json!("alice")));
    root.assert_silence().await;
    other.assert_silence().await;
}

#[actix_web::test]
async fn a_payload_that_does_not_fit_is_not_sent_and_its_user_is_told() {
    let app = App::start(Backend::Memory).await;
    let mut dashboard = app.stock("/dashboard", &app.token("alice")).await;
    app.publish("dashboard:summaryUpdated", Some("alice"), json!("nonsense")).await;
    let error = dashboard.event("/dashboard", "dashboard:error").await;
    assert_eq!(error["payload"]["code"], "INVALID_PAYLOAD");
    dashboard.assert_silence().await;
    assert_eq!(app.metric("ws_messages_dropped_total{reason=\"schema\"}").await, 1.0);
}

#[rstest]
#[actix_web::test]
async fn control_channels_reach_a_user_a_session_a_room_and_everybody(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let claims = app.claims("alice");
    let mut alice = app.stock("/", &app.sign(&claims)).await;
    let mut bob = app.plain(&app.token("bob")).await;
    let session = claims.sid.unwrap();
    let send = async |channel: &str| {
        let envelope = json!({
            "eventId": Uuid::now_v7(), "type": "news", "timestamp": app.platform.clock().now(), "payload": channel,
        });
        app.platform.backplane().log.broadcast(channel, &envelope.to_string()).await.unwrap();
    };
    alice.ask("/", "subscribe:alerts", &[]).await;
    for channel in ["ws:user:alice", &format!("ws:session:{session}"), "ws:room:alerts", "ws:all"] {
        send(channel).await;
        assert_eq!(alice.event("/", "news").await, Value::from(channel));
    }
    assert_eq!(bob.next_event("news").await["payload"], "ws:all");
}

#[actix_web::test]
async fn an_event_reaches_sockets_on_every_replica() {
    let app = App::start_two(&[]).await;
    let mut sockets = Vec::new();
    for gateway in &app.gateways {
        let mut socket = gateway.stock("/", &gateway.token("alice")).await;
        socket.ask("/", "subscribe:drifts", &[]).await;
        sockets.push(socket);
    }
    for _ in 0..20 {
        app.emit(created(None)).await;
    }
    for socket in &mut sockets {
        let mut seqs = Vec::new();
        for _ in 0..20 {
            let args = socket.event_args("/", "drift:created").await;
            let (_, seq) = args[1].as_str().unwrap().split_once(':').unwrap();
            seqs.push(seq.parse::<u64>().unwrap());
        }
        assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
    }
}

#[actix_web::test]
async fn another_back_end_adds_channels_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.toml");
    let catalogue = r#"
        subscribable = ["orders"]
        [[route]]
        channel = "orders:*"
        rooms = ["orders"]
        root = "payload"
        schema = { type = "object", required = ["id"] }
    "#;
    std::fs::write(&file, catalogue).unwrap();
    let app = App::start_with(Backend::Real, &["--gateway-catalogue", file.to_str().unwrap()]).await;
    let mut socket = app.stock("/", &app.token("alice")).await;
    socket.ask("/", "subscribe:orders", &[]).await;
    app.publish("orders:created", None, json!({ "id": 1 })).await;
    app.publish("orders:created", None, json!({})).await;
    assert_eq!(socket.event("/", "orders:created").await, json!({ "id": 1 }));
    socket.assert_silence().await;
}
