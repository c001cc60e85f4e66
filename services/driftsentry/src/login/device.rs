//! The login of a device without a browser (RFC 8628).

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use contracts::Clock;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::api::{Api, Failure, Tokens};
use super::store::Entry;
use crate::client::{Server, plain};

/// The bounds of what the server may ask for.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
const MAX_INTERVAL: Duration = Duration::from_secs(60);
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// RFC 8628, section 3.5.
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// Between two redraws of the progress line.
const TICK: Duration = Duration::from_millis(200);

/// A login that waits for its approval.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    device_code: String,
    user_code: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

impl Request {
    /// Returns the page of the approval.
    pub(super) fn page(&self, server: &Server) -> Result<Url> {
        server.page(&self.verification_uri_complete)
    }

    pub(super) fn code(&self) -> String {
        plain(&self.user_code)
    }
}

/// Returns the name of this computer, if it has one that can be shown.
pub(super) fn computer_name() -> Option<String> {
    let output = Command::new("uname").arg("-n").output().ok()?;
    let name = String::from_utf8(output.stdout).ok()?;
    let name = plain(name.trim()).chars().take(100).collect::<String>();
    (!name.is_empty()).then_some(name)
}

/// Requests a login.
pub(super) async fn request(api: &Api, name: Option<String>) -> Result<Request> {
    let body = name.map_or_else(|| json!({}), |name| json!({"name": name}));
    let data = api.post(&["device", "authorize"], &body).await?;
    serde_json::from_value(data).context("cannot read the response; is the server older than this program?")
}

/// Waits for the approval, with a line of progress if standard error is a terminal.
pub(super) async fn wait(api: &Api, request: &Request) -> Result<Entry> {
    let line = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} waiting for the approval, {elapsed}") {
        line.set_style(style);
    }
    line.enable_steady_tick(TICK);
    let entered = poll(api, request).await;
    line.finish_and_clear();
    entered
}

async fn poll(api: &Api, request: &Request) -> Result<Entry> {
    let body = json!({"deviceCode": request.device_code});
    let ends_at = Instant::now() + Duration::from_secs(request.expires_in).min(MAX_LIFETIME);
    let mut interval = Duration::from_secs(request.interval).clamp(MIN_INTERVAL, MAX_INTERVAL);
    let mut pause = interval;
    loop {
        sleep(pause).await;
        pause = match api.post(&["device", "token"], &body).await {
            Ok(data) => return entry(data),
            Err(Failure::Unavailable { why, .. }) if Instant::now() >= ends_at => return Err(why),
            Err(Failure::Unavailable { pause, .. }) => {
                pause.unwrap_or(interval).clamp(interval, MAX_INTERVAL)
            }
            Err(Failure::Refused { reason, why, .. }) => match reason.as_deref() {
                Some("authorization_pending") if Instant::now() < ends_at => interval,
                Some("slow_down") if Instant::now() < ends_at => {
                    interval = (interval + SLOW_DOWN).min(MAX_INTERVAL);
                    interval
                }
                Some("access_denied") => {
                    bail!("the login was denied, or the session that approved it has ended")
                }
                Some(_) => bail!("nobody approved the login in time; run: driftsentry login"),
                None => return Err(why),
            },
        };
    }
}

fn entry(data: Value) -> Result<Entry> {
    let email = data["user"]["email"].as_str().map(ToOwned::to_owned);
    let tokens: Tokens = serde_json::from_value(data).context("cannot read the response")?;
    let email = email.context("cannot read the response")?;
    Ok(Entry::new(email, tokens, Clock::system().now()))
}
