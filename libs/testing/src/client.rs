use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// An HTTP client of one server, optionally with a token or a cookie jar.
///
/// ```text
/// let alice = anonymous.with_token(&token);
/// let drift = alice.post("/api/v1/drifts", &json!({…})).await.expect(StatusCode::CREATED);
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    headers: HeaderMap,
}

impl Client {
    /// Creates a client without credentials; `base` is `http://host:port`.
    pub fn new(base: impl Into<String>) -> Self {
        Self { http: patient().build().expect("a client"), base: base.into(), headers: HeaderMap::new() }
    }

    /// Returns a copy that sends `Authorization: Bearer …`.
    pub fn with_token(&self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// Returns a copy that sends one more header with every request.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        let name: HeaderName = name.parse().expect("a well-formed header name");
        client.headers.insert(name, HeaderValue::from_str(value).expect("a well-formed header value"));
        client
    }

    /// Returns a copy with its own empty cookie jar, like a browser.
    pub fn with_cookies(&self) -> Self {
        let http = patient().cookie_store(true).build().expect("a client");
        Self { http, ..self.clone() }
    }

    /// Returns `http://host:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a GET without a body.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// Sends a PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// Sends a DELETE without a body.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Begins a request with another method, or with a raw body.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).headers(self.headers.clone())
    }

    /// Sends a request built with [`request`](Self::request). Panics if there is no response.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("the server sends the whole answer");
        Answer { status, headers, text }
    }
}

/// Returns a builder without the library's time limit for unacknowledged data: an upload may wait longer for
/// its turn.
fn patient() -> reqwest::ClientBuilder {
    reqwest::Client::builder().tcp_user_timeout(None)
}

/// The response of the server.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// Asserts the status. Returns the body, or `null` if it is not JSON.
    #[track_caller]
    pub fn expect(&self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// Asserts success. Returns `data` of the envelope.
    #[track_caller]
    pub fn data(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        self.json()["data"].take()
    }

    /// Asserts a status and the envelope's error code. Returns `error` of the envelope.
    #[track_caller]
    pub fn error(&self, status: StatusCode, code: &str) -> Value {
        let error = self.expect(status)["error"].take();
        assert_eq!(error["code"], code, "{}", self.text);
        error
    }

    /// Returns one header. Panics if it is absent.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header {name}: {:?}", self.headers));
        value.to_str().expect("a header in ASCII")
    }

    /// Returns the body, or `null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}
