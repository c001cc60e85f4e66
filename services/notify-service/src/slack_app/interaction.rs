//! The request that Slack sends when a person presses a button.

use std::time::Duration;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use http::{ApiError, ClientIp, NoQuery, ValidPath, read_body};
use serde::Deserialize;
use url::form_urlencoded;
use uuid::Uuid;

use super::api::SlackApp;
use super::decide::{Press, act};
use super::signature::{VALID_FOR, is_genuine};
use crate::State;
use crate::destination::entity as destination;
use crate::error::NotifyError;
use crate::message::line;

const MAX_BODY_BYTES: usize = 64 * 1024;
const WINDOW: Duration = Duration::from_secs(60);
/// Maximum number of requests of one address in a minute. Slack sends from few addresses.
const PER_ADDRESS: u64 = 600;
/// Maximum lengths of the ids and the names that Slack sends.
const MAX_ID: usize = 64;
const MAX_NAME: usize = 80;

#[derive(Deserialize)]
struct Interaction {
    #[serde(rename = "type")]
    kind: String,
    user: SlackUser,
    actions: Vec<Button>,
    response_url: String,
}

#[derive(Deserialize)]
struct SlackUser {
    id: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Button {
    action_id: String,
    #[serde(default)]
    value: String,
}

/// Receives the press of a button in Slack, and acts on it after the response.
///
/// This is the request URL of the Slack app of a destination. The request must have a signature of Slack, at most five
/// minutes old, that was not used before.
#[utoipa::path(post, path = "/api/v1/notifications/slack/{destination}/interactions", tag = "notifications",
    params(("destination" = Uuid, Path), ("X-Slack-Signature" = String, Header),
        ("X-Slack-Request-Timestamp" = String, Header)),
    request_body(content_type = "application/x-www-form-urlencoded", content = String,
        description = "`payload`, as Slack sends it; at most 64 KiB"),
    responses((status = 200), (status = 401), (status = 413), (status = 429)))]
pub async fn receive_slack_interaction(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let limiter = state.platform.limiter();
    if limiter.count(&format!("notify:slack:{ip}"), WINDOW).await > PER_ADDRESS {
        return Err(ApiError::rate_limited(WINDOW.as_secs()));
    }
    let body = read_body(body, MAX_BODY_BYTES).await?;
    let refused = || ApiError::unauthenticated("send a request that Slack has signed for this destination");
    let row =
        destination::by_id(&state.database, id).await.map_err(NotifyError::from)?.ok_or_else(refused)?;
    let target = state.open_target(&row).map_err(|_error| NotifyError::Unreadable)?;
    let app = SlackApp::of(&target).ok_or_else(refused)?;
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (timestamp, signature) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    let now = state.platform.clock().now();
    if !is_genuine(app.signing_secret, timestamp, signature, &body, now) {
        return Err(refused());
    }
    // A genuine signature is 67 characters of ASCII, in lower case from Slack.
    let used = format!("notify:slack-signature:{id}:{}", signature.to_ascii_lowercase());
    if limiter.count(&used, VALID_FOR).await > 1 {
        return Err(ApiError::unauthenticated("this request was sent before; press the button again"));
    }
    // Slack also sends what this service means nothing by.
    if let Some(press) = parse(&body) {
        let state = state.get_ref().clone();
        let tasks = state.platform.lifecycle().tasks.clone();
        tasks.run("slack decision", async move { act(&state, &row, &target, press).await });
    }
    Ok(HttpResponse::Ok().finish())
}

/// Reads the press of one of our buttons.
fn parse(body: &[u8]) -> Option<Press> {
    let (_, payload) = form_urlencoded::parse(body).find(|(name, _)| name == "payload")?;
    let Interaction { kind, user, actions, response_url } = serde_json::from_str(&payload).ok()?;
    let [button] = &actions[..] else { return None };
    let (drift, version) = button.value.split_once(' ')?;
    let name = if user.username.is_empty() { user.name } else { user.username };
    let is_id =
        (1..=MAX_ID).contains(&user.id.len()) && user.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (kind == "block_actions" && is_id).then_some(())?;
    Some(Press {
        slack_user: user.id,
        slack_name: line(&name, MAX_NAME),
        action: button.action_id.parse().ok()?,
        drift: drift.parse().ok()?,
        version: version.parse().ok()?,
        response_url,
    })
}
