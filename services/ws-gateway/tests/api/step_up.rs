//! Step-ups over open sockets, with the other side of the backplane in the hands of the test.

use std::time::Duration;

use backplane::{Backplane, Feed, FeedItem, Options};
use chrono::DateTime;
use contracts::events::auth::{StepUpAnswered, StepUpError, StepUpOutcome};
use contracts::{Acr, Claims, Clock, Envelope, Event, STEP_UP_CHANNEL, StepUpProof, StepUpRequest};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, eventually};
use tokio::time::Instant;
use uuid::Uuid;

use crate::app::App;

/// The side of auth-service.
struct Auth {
    backplane: Backplane,
    feed: Feed,
}

impl Auth {
    async fn of(app: &App) -> Self {
        let backplane = match app.stores.redis_url().as_str() {
            "memory:" => app.platform.backplane().clone(),
            redis => {
                let tasks = app.platform.lifecycle().tasks.clone();
                let channels = vec![STEP_UP_CHANNEL.into()];
                let options = Options { channels, ..Options::new(Clock::system(), tasks) };
                Backplane::connect(redis, options).unwrap()
            }
        };
        eventually("the backplane to be connected", async || backplane.is_connected()).await;
        let mut feed = backplane.feed_of_all_channels();
        while !matches!(feed.next().await, FeedItem::Reset { .. }) {}
        Self { backplane, feed }
    }

    async fn request(&mut self) -> StepUpRequest {
        let next = async {
            loop {
                if let FeedItem::Message(message) = self.feed.next().await
                    && message.channel == STEP_UP_CHANNEL
                {
                    return serde_json::from_str(message.envelope.payload.get()).unwrap();
                }
            }
        };
        tokio::time::timeout(testing::LIMIT, next).await.unwrap()
    }

    async fn answer(&self, request: &StepUpRequest, outcome: StepUpOutcome) {
        let StepUpRequest { request_id, session_id, .. } = *request;
        let answered = Envelope::of(StepUpAnswered { request_id, session_id, outcome }, &Clock::system());
        let body = serde_json::to_string(&answered).unwrap();
        self.backplane.log.broadcast(StepUpAnswered::TYPE, &body).await.unwrap();
    }
}

fn raised() -> StepUpOutcome {
    let [auth_time, fresh_until] = [0, 300].map(|more| DateTime::from_timestamp(1_790_000_000 + more, 0));
    StepUpOutcome::Raised { acr: Acr::Mfa, auth_time: auth_time.unwrap(), fresh_until }
}

fn refused(code: &str, retry_after: Option<u64>) -> StepUpOutcome {
    StepUpOutcome::Error(StepUpError { code: code.into(), message: "no".into(), retry_after })
}

/// The claims of a person.
fn person(app: &App) -> Claims {
    app.claims(&Uuid::new_v4().to_string())
}

#[rstest]
#[actix_web::test]
async fn a_step_up_is_passed_on_and_acknowledged_on_both_protocols(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let mut auth = Auth::of(&app).await;
    let claims = person(&app);
    let token = app.sign(&claims);
    let mut plain = app.plain(&token).await;
    let mut stock = app.stock("/", &token).await;
    let mut bystander = app.stock("/dashboard", &token).await;
    let (code, assertion) = ([json!({ "code": "123456" })], json!({ "id": "x", "response": {} }));
    for (outcome, success) in [
        (
            raised(),
            Ok(
                json!({ "acr": "mfa", "authTime": "2026-09-21T14:13:20Z", "freshUntil": "2026-09-21T14:18:20Z" }),
            ),
        ),
        (refused("VALIDATION_ERROR", None), Err(json!({ "code": "VALIDATION_ERROR", "message": "no" }))),
        (
            refused("RATE_LIMITED", Some(7)),
            Err(json!({ "code": "RATE_LIMITED", "message": "no", "retryAfter": 7 })),
        ),
    ] {
        let expected = match success {
            Ok(data) => json!({ "success": true, "data": data }),
            Err(error) => json!({ "success": false, "error": error }),
        };
        let ask = stock.ask("/", "connection.stepup", &code);
        let respond = async {
            let request = auth.request().await;
            assert_eq!(
                (request.user_id.to_string(), Some(request.session_id)),
                (claims.user_id.clone(), claims.sid)
            );
            assert!(request.ip_address.is_loopback());
            assert_eq!(request.proof, StepUpProof::Code("123456".into()));
            // Nobody waits for these.
            auth.answer(
                &StepUpRequest { session_id: Uuid::new_v4(), ..request.clone() },
                refused("OTHER", None),
            )
            .await;
            auth.answer(
                &StepUpRequest { request_id: Uuid::new_v4(), ..request.clone() },
                refused("OTHER", None),
            )
            .await;
            auth.answer(&request, outcome.clone()).await;
            auth.answer(&request, refused("OTHER", None)).await;
        };
        assert_eq!(tokio::join!(ask, respond).0, expected);

        plain.send(&json!({ "type": "stepup", "id": 7, "assertion": assertion })).await;
        let request = auth.request().await;
        assert_eq!(request.proof, StepUpProof::Assertion(assertion.as_object().unwrap().clone()));
        auth.answer(&request, outcome).await;
        let mut ack = plain.next_event("ack").await;
        let id = ack.as_object_mut().unwrap().remove("id");
        ack.as_object_mut().unwrap().remove("type");
        assert_eq!((id, ack), (Some(json!(7)), expected));
    }
    plain.assert_silence().await;
    stock.assert_silence().await;
    bystander.assert_silence().await;
}

#[rstest]
#[actix_web::test]
async fn a_step_up_without_a_response_fails_after_five_seconds_and_holds_up_no_other_message(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let token = app.sign(&person(&app));
    let (mut plain, mut stock) = (app.plain(&token).await, app.stock("/", &token).await);
    let began = Instant::now();
    plain.send(&json!({ "type": "stepup", "id": 1, "code": "123456" })).await;
    plain.send(&json!({ "type": "stepup", "id": 2, "code": "123456" })).await;
    plain.send(&json!({ "type": "ping", "id": 3 })).await;
    let second = plain.next_event("ack").await;
    assert_eq!((&second["id"], &second["error"]["code"]), (&json!(2), &json!("RATE_LIMITED")));
    let ping = plain.next_event("ack").await;
    assert_eq!((&ping["id"], &ping["success"]), (&json!(3), &json!(true)));
    // Another connection of the session has a step-up of its own.
    let unanswered = stock.ask("/", "connection.stepup", &[json!({ "code": "123456" })]).await;
    assert_eq!(unanswered["error"]["code"], "UNAVAILABLE");
    let first = plain.next_event("ack").await;
    assert_eq!((&first["id"], &first["error"]["code"]), (&json!(1), &json!("UNAVAILABLE")));
    assert!(began.elapsed() >= Duration::from_secs(5));

    let mut auth = Auth::of(&app).await;
    plain.send(&json!({ "type": "stepup", "id": 4, "code": "123456" })).await;
    let request = auth.request().await;
    auth.answer(&request, raised()).await;
    assert_eq!(plain.next_event("ack").await["success"], true);
}

#[actix_web::test]
async fn an_unreadable_proof_and_a_socket_without_a_session_are_refused_and_nothing_is_published() {
    let arguments = ["--gateway-messages-per-second=1000", "--jwt-accept-legacy=true"];
    let app = App::start_with(Backend::Memory, &arguments).await;
    let mut auth = Auth::of(&app).await;
    let claims = person(&app);
    let (mut plain, mut stock) =
        (app.plain(&app.sign(&claims)).await, app.stock("/", &app.sign(&claims)).await);
    let large = "x".repeat(17_000);
    for proof in [
        json!({}),
        json!({ "code": "1".repeat(17) }),
        json!({ "code": 123_456 }),
        json!({ "code": "1", "assertion": {} }),
        json!({ "assertion": { "id": large } }),
        json!({ "code": "1", "password": "x" }),
    ] {
        let answer = stock.ask("/", "connection.stepup", std::slice::from_ref(&proof)).await;
        assert_eq!(answer["error"]["code"], "VALIDATION_ERROR", "{proof}");
        let mut message = json!({ "type": "stepup", "id": 1 });
        message.as_object_mut().unwrap().extend(proof.as_object().unwrap().clone());
        plain.send(&message).await;
        assert_eq!(plain.next_event("ack").await["error"]["code"], "VALIDATION_ERROR", "{proof}");
    }
    for arguments in [vec![], vec![Value::Null], vec![json!("123456")]] {
        let answer = stock.ask("/", "connection.stepup", &arguments).await;
        assert_eq!(answer["error"]["code"], "VALIDATION_ERROR", "{arguments:?}");
    }
    let machine = app.claims(&format!("service:{}", Uuid::new_v4()));
    // A token of the old stack, which names no session.
    let old = json!({ "sub": Uuid::new_v4(), "type": "access", "exp": machine.exp });
    let key = jsonwebtoken::EncodingKey::from_secret(b"of a test");
    let old = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &old, &key).unwrap();
    for token in [app.sign(&machine), old] {
        let mut socket = app.stock("/", &token).await;
        let answer = socket.ask("/", "connection.stepup", &[json!({ "code": "123456" })]).await;
        assert_eq!(answer["error"]["code"], "FORBIDDEN");
    }
    stock.emit("/", "connection.stepup", &[json!({ "code": "the only" })]).await;
    assert_eq!(auth.request().await.proof, StepUpProof::Code("the only".into()));
}

#[actix_web::test]
async fn no_catalogue_relays_a_request_or_a_response_to_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("everything.toml");
    let route = "[[route]]\nchannel = \"{}\"\nrooms = [\"all\"]\nroot = \"payload\"\n";
    let routes = ["gateway:*", "auth:step_up.answered"].map(|channel| route.replace("{}", channel));
    std::fs::write(&file, routes.concat()).unwrap();
    let app = App::start_with(Backend::Real, &["--gateway-catalogue", file.to_str().unwrap()]).await;
    let mut auth = Auth::of(&app).await;
    let token = app.sign(&person(&app));
    let (mut plain, mut other) = (app.plain(&token).await, app.stock("/", &token).await);
    app.publish("gateway:news", None, json!({})).await;
    other.event("/", "gateway:news").await;
    plain.next_event("gateway:news").await;
    plain.send(&json!({ "type": "stepup", "id": 1, "code": "123456" })).await;
    let request = auth.request().await;
    auth.answer(&request, raised()).await;
    assert_eq!(plain.next().await["type"], "ack");
    plain.assert_silence().await;
    other.assert_silence().await;
}
