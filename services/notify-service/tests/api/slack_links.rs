//! People link their Slack users: with a code that only the Slack user got, and a token that only the person has.

use chrono::TimeDelta;
use contracts::{Claims, Holder, Role};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, StatusCode};
use uuid::Uuid;

use crate::app::App;
use crate::slack_server::{Slack, press};

pub(crate) const LINKS: &str = "/api/v1/notifications/slack/links";
const CODES: &str = "/api/v1/notifications/slack/codes";

/// A person with a session, and with a personal token.
pub(crate) struct Person {
    pub id: String,
    pub client: Client,
    pub token: String,
    /// The token of the session.
    session_token: String,
}

impl Person {
    pub(crate) fn new(app: &App, role: Role) -> Self {
        let id = Uuid::new_v4().to_string();
        let (session_token, token) = (token(app, &id, role, 1), token(app, &id, role, 1));
        Self { client: app.anonymous.with_token(&session_token), id, token, session_token }
    }
}

fn token(app: &App, subject: &str, role: Role, days: i64) -> String {
    let now = app.platform.clock().now();
    let holder = Holder {
        subject: subject.to_owned(),
        email: "ann@example.com".to_owned(),
        role,
        account_id: None,
        generation: 1,
        session: Uuid::new_v4(),
    };
    let claims = Claims::access(holder, now, now + TimeDelta::days(days));
    app.platform.tokens().keys.sign(&claims).unwrap()
}

/// The code in a text to a person.
pub(crate) fn code_of(text: &str) -> String {
    let (_, rest) = text.split_once("/#/link-slack?code=").unwrap_or_else(|| panic!("no code in {text}"));
    rest.split_once('|').unwrap().0.to_owned()
}

pub(crate) async fn link(person: &Person, code: &str) -> Answer {
    person.client.post(LINKS, &json!({"code": code, "token": person.token})).await
}

/// Lets a Slack user press a button, and returns the code.
async fn code(app: &App, slack: &Slack, destination: &Value, slack_user: &str) -> String {
    let approve = json!({"action_id": "approve", "value": format!("{} 1", Uuid::now_v7())});
    let before = slack.has_told();
    press(app, destination, &slack.press(slack_user, &approve)).await;
    code_of(&slack.told(before + 1).await)
}

async fn app(backend: Backend) -> App {
    App::with(backend, &["--drift-service-url=http://127.0.0.1:1"]).await
}

#[rstest]
#[actix_web::test]
async fn a_code_shows_its_slack_user_and_works_once(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let (app, slack) = (app(backend).await, Slack::start());
    let destination = app.destination(slack.target(), json!({"name": "Drifts"})).await;
    let code = code(&app, &slack, &destination, "UANN").await;
    let [ann, bob] = [(); 2].map(|()| Person::new(&app, Role::Engineer));
    let shown = ann.client.post(CODES, &json!({"code": code})).await.data();
    assert_eq!(shown, json!({"destination": "Drifts", "slackUser": "UANN", "slackName": "name of UANN"}));

    let linked = link(&ann, &code).await.expect(StatusCode::CREATED);
    assert!(!linked.to_string().contains(&ann.token));
    link(&bob, &code).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    ann.client.post(CODES, &json!({"code": code})).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");

    let links = ann.client.get(LINKS).await.data();
    assert_eq!((&links[0]["slackUser"], &links[0]["destinationId"]), (&json!("UANN"), &destination["id"]));
    assert_eq!(bob.client.get(LINKS).await.data(), json!([]));
    let path = format!("{LINKS}/{}", links[0]["id"].as_str().unwrap());
    bob.client.delete(&path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    ann.client.delete(&path).await.data();
    assert_eq!(ann.client.get(LINKS).await.data(), json!([]));
}

#[rstest]
#[actix_web::test]
async fn a_slack_user_is_linked_to_the_last_person_only(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let (app, slack) = (app(backend).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    let codes =
        [code(&app, &slack, &destination, "UANN").await, code(&app, &slack, &destination, "UANN").await];
    let [ann, bob] = [(); 2].map(|()| Person::new(&app, Role::Engineer));
    link(&ann, &codes[0]).await.expect(StatusCode::CREATED);
    link(&bob, &codes[1]).await.expect(StatusCode::CREATED);
    assert_eq!(ann.client.get(LINKS).await.data(), json!([]));
    assert_eq!(bob.client.get(LINKS).await.data()[0]["slackUser"], "UANN");
}

#[rstest]
#[actix_web::test]
async fn only_a_personal_token_of_the_caller_is_accepted(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let (app, slack) = (app(backend).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    let code = code(&app, &slack, &destination, "UANN").await;
    let [ann, bob] = [(); 2].map(|()| Person::new(&app, Role::Engineer));
    let as_viewer = token(&app, &ann.id, Role::Viewer, 1);
    let service = token(&app, &format!("service:{}", Uuid::new_v4()), Role::Engineer, 1);
    for token in [&bob.token, &ann.session_token, &as_viewer, &service, &"nonsense".to_owned()] {
        let answer = ann.client.post(LINKS, &json!({"code": code, "token": token})).await;
        let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "token", "{error}");
    }
    link(&Person::new(&app, Role::Viewer), &code).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    app.anonymous.post(LINKS, &json!({})).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    for code in ["x", "", "../../x", &"x".repeat(64)] {
        let answer = link(&ann, code).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{code}: {}", answer.text);
    }
    link(&ann, &code).await.expect(StatusCode::CREATED);
}

#[rstest]
#[actix_web::test]
async fn codes_and_links_expire(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let (app, slack) = (app(backend).await, Slack::start());
    let destination = app.destination(slack.target(), json!({})).await;
    let first = code(&app, &slack, &destination, "UANN").await;
    let ann = Person::new(&app, Role::Engineer);
    link(&ann, &first).await.expect(StatusCode::CREATED);
    app.advance(TimeDelta::days(2));
    let approve = json!({"action_id": "approve", "value": format!("{} 1", Uuid::now_v7())});
    press(&app, &destination, &slack.press("UANN", &approve)).await;
    let told = slack.told(2).await;
    assert!(told.starts_with("The link between you and DriftSentry has ended."), "{told}");
}

#[rstest]
#[actix_web::test]
async fn a_person_tries_few_codes(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = app(backend).await;
    let ann = Person::new(&app, Role::Engineer);
    let attempt = async || ann.client.post(CODES, &json!({"code": "x"})).await.status;
    for _ in 0..30 {
        assert_eq!(attempt().await, StatusCode::NOT_FOUND);
    }
    assert_eq!(attempt().await, StatusCode::TOO_MANY_REQUESTS);
}
