use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use reqwest::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::client::{Server, bearer, plain};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 1024 * 1024;
/// The cookie that carries the refresh token if the server sends none in the body; the first one is that of a server in
/// production.
const COOKIES: [&str; 2] = ["__Secure-refresh_token=", "refresh_token="];

/// Sends requests to auth-service.
pub(super) struct Api {
    client: Client,
    server: Server,
}

/// The tokens of a session, as a login or a refresh returns them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_in: i64,
}

/// The reason why a request did not succeed.
pub(super) enum Failure {
    /// The server refused the request.
    Refused { status: StatusCode, reason: Option<String>, why: anyhow::Error },
    /// The server, or the connection to it, is unavailable, or a limit applies for a while.
    Unavailable { why: anyhow::Error, pause: Option<Duration> },
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { why, .. } | Failure::Unavailable { why, .. } => why,
        }
    }
}

impl Api {
    pub(super) fn new(server: &Server) -> Result<Self> {
        let client = Client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT);
        // A redirect could send a token to another server.
        let client = client.redirect(Policy::none()).build().context("cannot set up the HTTP client")?;
        Ok(Self { client, server: server.clone() })
    }

    /// Sends a body to an endpoint of auth-service. Returns the data of the response.
    pub(super) async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        let request = self.endpoint(path).map(|url| self.client.post(url).json(body));
        self.send(request).await
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> Result<Value, Failure> {
        let request = self
            .endpoint(&[path])
            .and_then(|url| Ok(self.client.get(url).header(AUTHORIZATION, bearer(token)?)));
        self.send(request).await
    }

    fn endpoint(&self, path: &[&str]) -> Result<reqwest::Url> {
        self.server.endpoint(&[["api", "auth"].as_slice(), path].concat())
    }

    async fn send(&self, request: Result<RequestBuilder>) -> Result<Value, Failure> {
        let unavailable = |why| Failure::Unavailable { why, pause: None };
        let request = request.map_err(unavailable)?;
        // A server with the routes of the replaced stack responds in this contract only if it is asked for.
        let request = request.header("x-api-contract", "current").header("x-token-delivery", "body");
        let response = request.send().await.map_err(|error| {
            let why = anyhow::Error::new(error.without_url());
            unavailable(why.context(format!("cannot reach {}", self.server.name())))
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response).await.map_err(unavailable)?;
        let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() && body["success"] == true {
            let mut data = body["data"].take();
            add_refresh_token(&mut data, &headers);
            return Ok(data);
        }
        Err(self.failure(status, &headers, &body["error"]))
    }

    fn failure(&self, status: StatusCode, headers: &HeaderMap, error: &Value) -> Failure {
        let message = error["message"].as_str().unwrap_or("this is not a DriftSentry server; see --url");
        let why = anyhow!("{} ({status}): {}", self.server.name(), plain(message));
        let pause = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            Failure::Unavailable { why, pause: pause.map(Duration::from_secs) }
        } else {
            let reason = error["details"]["reason"].as_str().map(ToOwned::to_owned);
            Failure::Refused { status, reason, why }
        }
    }
}

/// Moves the refresh token of a cookie to where it is without `REFRESH_TOKEN_DELIVERY=cookie`.
fn add_refresh_token(data: &mut Value, headers: &HeaderMap) {
    let mut lines = headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    let token = lines.find_map(|line| COOKIES.iter().find_map(|name| line.strip_prefix(name)));
    let token = token.and_then(|rest| rest.split(';').next()).filter(|token| !token.is_empty());
    if let (Some(data), Some(token)) = (data.as_object_mut(), token) {
        data.entry("refreshToken").or_insert_with(|| token.into());
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        anyhow::ensure!(body.len() + chunk.len() <= MAX_BYTES, "the response is too long");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
