use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::refusal::failure;
use crate::delivery::DeliveryFailure;
use crate::destination::target::Target;
use crate::send::Client;

const SLACK: &str = "https://slack.com/api";
/// The time that Slack asks for if it names none.
const DEFAULT_PAUSE: Duration = Duration::from_secs(30);

/// The address and the secrets of an app.
pub(super) struct SlackApp<'a> {
    pub bot_token: &'a str,
    pub signing_secret: &'a str,
    pub channel: &'a str,
    pub api_url: &'a str,
}

impl<'a> SlackApp<'a> {
    /// Returns `None` for another kind of target.
    pub(super) fn of(target: &'a Target) -> Option<Self> {
        let Target::SlackApp { bot_token, signing_secret, channel, api_url } = target else { return None };
        Some(Self { bot_token, signing_secret, channel, api_url: api_url.as_deref().unwrap_or(SLACK) })
    }
}

/// The part of a response that is needed.
#[derive(Default, Deserialize)]
pub(super) struct Posted {
    ok: bool,
    error: Option<String>,
    #[serde(default)]
    pub channel: String,
    #[serde(default)]
    pub ts: String,
}

/// A call that failed, with the HTTP status of the response.
pub(super) struct Refused {
    pub status: Option<u16>,
    pub failure: DeliveryFailure,
}

/// Calls a method of the Web API.
pub(super) async fn call(
    client: &Client,
    app: &SlackApp<'_>,
    method: &str,
    body: &Value,
) -> Result<Posted, Refused> {
    let refused = |status, failure| Refused { status, failure };
    let unsent = |kind: &str| refused(None, DeliveryFailure::new(kind, true));
    let url = format!("{}/{method}", app.api_url.trim_end_matches('/'));
    let url = Url::parse(&url).map_err(|_error| unsent("target"))?;
    let token = HeaderValue::from_str(&format!("Bearer {}", app.bot_token));
    let mut token = token.map_err(|_error| unsent("target"))?;
    token.set_sensitive(true);
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    let headers = vec![(AUTHORIZATION, token), (CONTENT_TYPE, json)];
    let response = client.post(&url, headers, Bytes::from(body.to_string())).await;
    let response = response.map_err(|error| refused(None, DeliveryFailure::new(error.kind, false)))?;
    let status = Some(response.status);
    if !(200..300).contains(&response.status) {
        let retry_after = match (response.status, response.retry_after) {
            (429, None) => Some(DEFAULT_PAUSE),
            (_, asked) => asked,
        };
        let retry_after = retry_after.and_then(|time| TimeDelta::from_std(time).ok());
        let failure = DeliveryFailure {
            retry_after,
            ..DeliveryFailure::new(format!("status_{}", response.status), false)
        };
        return Err(refused(status, failure));
    }
    let posted =
        parse(&response.body).ok_or_else(|| refused(status, DeliveryFailure::new("slack_error", false)))?;
    if !posted.ok {
        let mut failure = failure(posted.error.as_deref().unwrap_or_default());
        if matches!(failure.kind.as_str(), "slack_ratelimited" | "slack_rate_limited") {
            let wait = response.retry_after.unwrap_or(DEFAULT_PAUSE);
            failure.retry_after = TimeDelta::from_std(wait).ok();
        }
        return Err(refused(status, failure));
    }
    Ok(posted)
}

/// Reads a response. Slack repeats the whole message after the fields that are needed, so that its end may be missing.
fn parse(body: &str) -> Option<Posted> {
    serde_json::from_str(body).ok().or_else(|| {
        let (head, _) = body.split_once(",\"message\":")?;
        serde_json::from_str(&format!("{head}}}")).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_even_if_its_message_is_cut() {
        let whole = r#"{"ok":true,"channel":"C1","ts":"1.2","message":{"text":"a"}}"#;
        for length in [whole.len(), whole.len() - 5] {
            let posted = parse(&whole[..length]).unwrap();
            assert_eq!((posted.ok, posted.channel.as_str(), posted.ts.as_str()), (true, "C1", "1.2"));
        }
        assert!(parse("<html>").is_none());
        assert!(parse(r#"{"ok":true,"chan"#).is_none());
        assert_eq!(parse(r#"{"ok":false,"error":"e"}"#).unwrap().error.as_deref(), Some("e"));
    }
}
