//! Responses to a person who pressed a button, which only that person sees.

use bytes::Bytes;
use chrono::TimeDelta;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::json;
use url::Url;

use super::api::SlackApp;
use crate::State;

/// The hosts of response URLs: of Slack, and of Slack for governments.
const HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];

/// The reason why a person must link their Slack user.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkReason {
    Unlinked,
    /// The token of the link has expired, or was revoked.
    Ended,
}

/// Sends a text to the person. A failure is logged only: the person sees no change, and presses the button again.
pub(super) async fn send(state: &State, app: &SlackApp<'_>, response_url: &str, text: &str) {
    let Some(url) = state.client.check(response_url).ok().filter(|url| is_of_slack(url, app.api_url)) else {
        tracing::warn!("a response URL does not belong to Slack");
        return;
    };
    let body = json!({"response_type": "ephemeral", "replace_original": false, "text": text});
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))];
    match state.client.post(&url, headers, Bytes::from(body.to_string())).await {
        Ok(response) if response.status < 300 => {}
        Ok(response) => tracing::warn!(status = response.status, "Slack refused a response to a person"),
        Err(failure) => tracing::warn!(failure = failure.kind, "cannot send a response to a person in Slack"),
    }
}

fn is_of_slack(url: &Url, api_url: &str) -> bool {
    let is_documented = url.scheme() == "https"
        && url.port_or_known_default() == Some(443)
        && url.host_str().is_some_and(|host| HOSTS.contains(&host));
    is_documented || Url::parse(api_url).is_ok_and(|api| api.origin() == url.origin())
}

pub(super) fn ask(public_url: Option<&str>, code: &str, reason: LinkReason) -> String {
    let why = match reason {
        LinkReason::Unlinked => "DriftSentry does not know yet who you are.",
        LinkReason::Ended => "The link between you and DriftSentry has ended.",
    };
    match public_url {
        Some(url) => {
            let page = format!("{}/#/link-slack?code={code}", url.trim_end_matches('/'));
            format!(
                "{why} <{page}|Link your Slack user>, then press the button again. This address is for you alone, and works once, for 10 minutes."
            )
        }
        None => format!(
            "{why} Ask the operator of DriftSentry to set PUBLIC_URL, so that you can link your Slack user."
        ),
    }
}

pub(super) fn was_first(who: &str, verb: &str, ago: Option<TimeDelta>) -> String {
    let when = ago.map(|ago| format!(" {}", in_words(ago))).unwrap_or_default();
    format!("{who} {verb} it{when}.")
}

/// Returns a time span such as `2 minutes ago`.
fn in_words(ago: TimeDelta) -> String {
    let (count, unit) = match ago.num_minutes() {
        ..1 => return "just now".to_owned(),
        minutes @ 1..60 => (minutes, "minute"),
        minutes @ 60..2_880 => (minutes / 60, "hour"),
        minutes => (minutes / 1_440, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

pub(super) fn changed() -> String {
    "The drift has changed since this message. Read the newest message about it, then decide there."
        .to_owned()
}

pub(super) fn deleted() -> String {
    "The drift does not exist any more, so there is nothing to decide.".to_owned()
}

pub(super) fn forbidden() -> String {
    "Only engineers and admins decide on drifts. Ask an admin of DriftSentry for the role.".to_owned()
}

pub(super) fn too_many() -> String {
    "You sent too many requests. Wait a minute, then press the button again.".to_owned()
}

pub(super) fn failed() -> String {
    "DriftSentry could not decide. Press the button again, or decide in the console.".to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://hooks.slack.com/actions/T1/2/x", true)]
    #[case("https://hooks.slack-gov.com/actions/T1/2/x", true)]
    #[case("https://slack.example:8443/actions", true)]
    #[case("http://hooks.slack.com/actions", false)]
    #[case("https://hooks.slack.com:8443/actions", false)]
    #[case("https://hooks.slack.com.example/actions", false)]
    #[case("https://slack.example/actions", false)]
    #[case("https://169.254.169.254/latest", false)]
    fn responses_go_to_slack_only(#[case] url: &str, #[case] expected: bool) {
        let url = Url::parse(url).unwrap();
        assert_eq!(is_of_slack(&url, "https://slack.example:8443/api"), expected);
    }

    #[rstest]
    #[case(-5, "just now")]
    #[case(59, "just now")]
    #[case(60, "1 minute ago")]
    #[case(150, "2 minutes ago")]
    #[case(3_600, "1 hour ago")]
    #[case(86_400, "24 hours ago")]
    #[case(172_800, "2 days ago")]
    fn times_are_words(#[case] seconds: i64, #[case] expected: &str) {
        assert_eq!(in_words(TimeDelta::seconds(seconds)), expected);
    }
}
