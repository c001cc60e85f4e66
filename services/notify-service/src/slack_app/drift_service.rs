use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, IF_MATCH};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response};
use serde::Deserialize;
use strum::{Display, EnumString};
use url::Url;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(10);
/// A drift has at most two states of 1 MiB, and little else.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
const REASON: &str = r#"{"reason":"Decided in Slack"}"#;

/// A decision on a drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Action {
    Approve,
    Reject,
}

/// Sends decisions to drift-service, at an address that the operator set.
#[derive(Clone)]
pub struct DriftService {
    http: reqwest::Client,
    url: String,
}

/// The decision on a drift.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Drift {
    pub status: String,
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTime<Utc>>,
    pub rejected_by: Option<String>,
    pub rejected_at: Option<DateTime<Utc>>,
    pub resolved_by: Option<String>,
    pub resolved_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Body {
    data: Drift,
}

impl DriftService {
    /// Sets up the client of drift-service at this URL, such as `http://drift-service:4001`.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn new(url: &str) -> Result<Self> {
        let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let parsed = parsed.context("DRIFT_SERVICE_URL must be a URL such as http://drift-service:4001")?;
        let http = reqwest::Client::builder();
        let http = http.no_proxy().redirect(Policy::none()).timeout(TIMEOUT);
        let http = http.build().context("cannot set up the client of drift-service")?;
        Ok(Self { http, url: parsed.as_str().trim_end_matches('/').to_owned() })
    }

    /// Decides on a version of a drift in the name of the person with this token. Returns the HTTP status.
    pub(super) async fn decide(&self, token: &str, action: Action, drift: Uuid, version: i64) -> Result<u16> {
        let request = self.request(Method::POST, &format!("{drift}/{action}"), token);
        let request = request.header(IF_MATCH, format!("\"v{version}\""));
        let request = request.header(CONTENT_TYPE, "application/json").body(REASON);
        Ok(send(request).await?.status().as_u16())
    }

    pub(super) async fn find(&self, token: &str, drift: Uuid) -> Result<Drift> {
        let mut response = send(self.request(Method::GET, &drift.to_string(), token)).await?;
        ensure!(response.status().is_success(), "status {}", response.status());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            ensure!(body.len() + chunk.len() <= MAX_BODY_BYTES, "the drift is too large");
            body.extend_from_slice(&chunk);
        }
        Ok(serde_json::from_slice::<Body>(&body)?.data)
    }

    fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1/drifts/{path}", self.url)).bearer_auth(token)
    }
}

async fn send(request: RequestBuilder) -> Result<Response> {
    Ok(request.send().await.map_err(reqwest::Error::without_url)?)
}
