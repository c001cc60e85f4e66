//! A private Slack: it keeps the messages of one workspace, and sends signed requests.

use std::sync::Mutex;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{App as Actix, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use testing::{Answer, Method, eventually};
use url::form_urlencoded::Serializer;

use crate::app::App;

pub(crate) const TOKEN: &str = "xoxb-of-the-tests";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
const CHANNEL: &str = "C0123456789";

/// A message as the channel shows it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub ts: String,
    pub thread_ts: Value,
    pub body: Value,
}

type Refuse = dyn Fn(usize, &str) -> Option<HttpResponse> + Send + Sync;

struct Workspace {
    /// The methods that were called.
    calls: Mutex<Vec<String>>,
    channel: Mutex<Vec<Shown>>,
    /// The texts that only one person saw.
    told: Mutex<Vec<Value>>,
    refuse: Box<Refuse>,
}

pub(crate) struct Slack {
    workspace: Data<Workspace>,
    port: u16,
}

impl Slack {
    pub(crate) fn start() -> Self {
        Self::refusing(|_, _| None)
    }

    /// Refuses calls as `refuse` says, by the number of calls before and the method.
    pub(crate) fn refusing(
        refuse: impl Fn(usize, &str) -> Option<HttpResponse> + Send + Sync + 'static,
    ) -> Self {
        let workspace = Data::new(Workspace {
            calls: Mutex::default(),
            channel: Mutex::default(),
            told: Mutex::default(),
            refuse: Box::new(refuse),
        });
        let shared = workspace.clone();
        let server = HttpServer::new(move || {
            Actix::new()
                .app_data(shared.clone())
                .route("/api/{method}", web::post().to(call))
                .route("/actions", web::post().to(tell))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let port = server.addrs()[0].port();
        tokio::spawn(server.run());
        Self { workspace, port }
    }

    pub(crate) fn target(&self) -> Value {
        let api_url = format!("http://127.0.0.1:{}/api", self.port);
        json!({"kind": "slackApp", "botToken": TOKEN, "signingSecret": SECRET, "channel": "#drifts", "apiUrl": api_url})
    }

    /// The methods that were called.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.workspace.calls.lock().unwrap().clone()
    }

    /// The messages of the channel, oldest first.
    pub(crate) fn channel(&self) -> Vec<Shown> {
        self.workspace.channel.lock().unwrap().clone()
    }

    pub(crate) fn delete_messages(&self) {
        self.workspace.channel.lock().unwrap().clear();
    }

    /// Waits for that many messages in the channel and its threads.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Shown> {
        eventually(&format!("{count} messages"), async || self.channel().len() >= count).await;
        self.channel()
    }

    /// Waits for that many texts to people, and returns the last.
    pub(crate) async fn told(&self, count: usize) -> String {
        let told = || self.workspace.told.lock().unwrap().clone();
        eventually(&format!("{count} texts to people"), async || told().len() >= count).await;
        let last = told().last().unwrap().clone();
        assert_eq!((&last["response_type"], &last["replace_original"]), (&json!("ephemeral"), &json!(false)));
        last["text"].as_str().unwrap().to_owned()
    }

    pub(crate) fn has_told(&self) -> usize {
        self.workspace.told.lock().unwrap().len()
    }

    /// The payload that Slack sends when a person presses a button.
    pub(crate) fn press(&self, user: &str, button: &Value) -> Value {
        json!({
            "type": "block_actions",
            "user": {"id": user, "username": format!("name of {user}"), "team_id": "T1"},
            "actions": [{"type": "button", "action_id": button["action_id"], "value": button["value"]}],
            "response_url": format!("http://127.0.0.1:{}/actions", self.port),
        })
    }
}

async fn call(
    workspace: Data<Workspace>,
    method: Path<String>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    let (method, body): (String, Value) = (method.into_inner(), serde_json::from_slice(&body).unwrap());
    let refused = |error: &str| HttpResponse::Ok().json(json!({"ok": false, "error": error}));
    let before = {
        let mut calls = workspace.calls.lock().unwrap();
        calls.push(method.clone());
        calls.len() - 1
    };
    if request.headers().get("authorization").unwrap().to_str().unwrap() != format!("Bearer {TOKEN}") {
        return refused("invalid_auth");
    }
    if let Some(response) = (workspace.refuse)(before, &method) {
        return response;
    }
    let mut channel = workspace.channel.lock().unwrap();
    let ts = match method.as_str() {
        "chat.postMessage" => {
            let ts = format!("1700000000.{:06}", before + 1);
            let shown = Shown { ts: ts.clone(), thread_ts: body["thread_ts"].clone(), body: body.clone() };
            channel.push(shown);
            ts
        }
        // Slack edits messages by the id of the channel only.
        "chat.update" if body["channel"] == CHANNEL => {
            let message = channel.iter_mut().find(|message| message.ts == body["ts"]);
            let Some(message) = message else { return refused("message_not_found") };
            message.body = body.clone();
            message.ts.clone()
        }
        _ => return refused("channel_not_found"),
    };
    HttpResponse::Ok().json(json!({"ok": true, "channel": CHANNEL, "ts": ts, "message": body}))
}

async fn tell(workspace: Data<Workspace>, body: Bytes) -> HttpResponse {
    workspace.told.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    HttpResponse::Ok().finish()
}

/// The button of a message with this action.
pub(crate) fn button(message: &Value, action: &str) -> Value {
    let blocks = message["blocks"].as_array().unwrap();
    let actions = blocks.iter().find(|block| block["type"] == "actions");
    let elements = actions.map(|block| block["elements"].as_array().unwrap().clone()).unwrap_or_default();
    elements.into_iter().find(|element| element["action_id"] == action).unwrap_or_default()
}

/// The body of a request with this payload.
pub(crate) fn form(payload: &Value) -> String {
    Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}

/// The signature of a body, as Slack writes it.
pub(crate) fn signature(secret: &str, seconds: i64, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let mac = mac.chain_update(format!("v0:{seconds}:{body}"));
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

/// Sends a request to the endpoint of a destination.
pub(crate) async fn interact(
    app: &App,
    destination: &str,
    body: String,
    signature: &str,
    seconds: i64,
) -> Answer {
    let path = format!("/api/v1/notifications/slack/{destination}/interactions");
    let request = app.anonymous.request(Method::POST, &path);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.header("x-slack-request-timestamp", seconds.to_string());
    app.anonymous.send(request.header("x-slack-signature", signature).body(body)).await
}

/// Sends a signed payload. The response is empty.
pub(crate) async fn press(app: &App, destination: &Value, payload: &Value) {
    let (body, now) = (form(payload), app.platform.clock().now().timestamp());
    let signature = signature(SECRET, now, &body);
    let answer = interact(app, destination["id"].as_str().unwrap(), body, &signature, now).await;
    assert_eq!((answer.status, answer.text.as_str()), (testing::StatusCode::OK, ""));
}
