use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;
use uuid::Uuid;

use super::plain_text::plain;

const CHUNK_BYTES: usize = 64 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Sends uploads to one endpoint of a DriftSentry server.
pub(crate) struct Sender {
    client: Client,
    url: Url,
    authorization: HeaderValue,
    retries: u32,
}

/// The outcome of one attempt.
enum Outcome {
    Done(Value),
    /// The service, or the connection to it, is unavailable. The attempt is repeated after a pause.
    Unavailable {
        why: anyhow::Error,
        pause: Option<Duration>,
    },
}

impl Sender {
    pub(super) fn new(url: Url, token: &str, timeout: Duration, retries: u32) -> Result<Self> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))
            .context("DRIFTSENTRY_TOKEN contains a character that no token contains")?;
        authorization.set_sensitive(true);
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            // A redirect would lose the body, or send the token to another server.
            .redirect(Policy::none());
        // While an upload waits for its turn, the server reads nothing, which the library would take for a dead
        // connection after 30 s. `--timeout` limits the wait.
        #[cfg(target_os = "linux")]
        let client = client.tcp_user_timeout(None);
        let client = client.build().context("cannot set up the HTTP client")?;
        Ok(Self { client, url, authorization, retries })
    }

    /// Sends one upload, with these parameters in addition to those of the endpoint. Retries use the same `Idempotency-Key`, so that a scan is ingested once.
    pub(crate) async fn send(&self, query: &[(&str, &str)], body: Vec<u8>) -> Result<Value> {
        let body = Bytes::from(body);
        let key = Uuid::new_v4().to_string();
        let mut pause = Duration::from_secs(1);
        for tries_left in (0..=self.retries).rev() {
            match self.send_once(query, body.clone(), &key).await? {
                Outcome::Done(report) => return Ok(report),
                Outcome::Unavailable { why, .. } if tries_left == 0 => return Err(why),
                Outcome::Unavailable { why, pause: asked } => {
                    let wait = asked.unwrap_or(pause).min(MAX_PAUSE);
                    note_retry(&why, wait);
                    tokio::time::sleep(wait).await;
                    pause *= 2;
                }
            }
        }
        bail!("{} is unavailable", origin(&self.url))
    }

    async fn send_once(&self, query: &[(&str, &str)], body: Bytes, key: &str) -> Result<Outcome> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(query);
        let request = self
            .client
            .post(url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
            .header("idempotency-key", key)
            .body(with_progress(body));
        let response = match request.send().await {
            Ok(response) => response,
            // The URL of the error would repeat the query.
            Err(error) => {
                let why = anyhow::Error::new(error.without_url())
                    .context(format!("cannot reach {}", origin(&self.url)));
                return Ok(Outcome::Unavailable { why, pause: None });
            }
        };
        self.read(response).await
    }

    async fn read(&self, response: Response) -> Result<Outcome> {
        let status = response.status();
        let origin = origin(&self.url);
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(plain);
        if status.is_redirection() {
            let location = header(LOCATION).unwrap_or_else(|| "nowhere".into());
            bail!("{origin} redirects ({}) to {location}; set --url to the final address", status.as_u16());
        }
        let pause = header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let text = match response.text().await {
            Ok(text) => text,
            Err(error) => {
                let why = anyhow::Error::new(error.without_url())
                    .context("the connection was lost during the response");
                return Ok(Outcome::Unavailable { why, pause: None });
            }
        };
        let mut response: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() && response["data"].is_object() {
            return Ok(Outcome::Done(response["data"].take()));
        }
        let message = response["error"]["message"].as_str().unwrap_or("this is not a DriftSentry server");
        let why = anyhow::anyhow!("{origin} refused the upload ({status}): {}", plain(message));
        let is_passing = matches!(
            status,
            StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::GATEWAY_TIMEOUT
                | StatusCode::REQUEST_TIMEOUT
        );
        if is_passing { Ok(Outcome::Unavailable { why, pause }) } else { Err(why) }
    }
}

#[expect(clippy::print_stderr, reason = "there is no log, and the waiting user wants to know why")]
fn note_retry(why: &anyhow::Error, wait: Duration) {
    eprintln!("{}; retrying in {} s", plain(&format!("{why:#}")), wait.as_secs());
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Shows a progress bar while the body is sent. The bar is hidden if standard error is not a terminal.
fn with_progress(body: Bytes) -> reqwest::Body {
    let bar = ProgressBar::new(body.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("sending {bar:30} {bytes}/{total_bytes}") {
        bar.set_style(style);
    }
    let mut rest = body;
    let chunks = std::iter::from_fn(move || {
        if rest.is_empty() {
            bar.finish_and_clear();
            return None;
        }
        let chunk = rest.split_to(rest.len().min(CHUNK_BYTES));
        bar.inc(chunk.len() as u64);
        Some(Ok::<_, std::convert::Infallible>(chunk))
    });
    reqwest::Body::wrap_stream(stream::iter(chunks))
}
