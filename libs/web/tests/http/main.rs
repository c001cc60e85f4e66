//! What every service answers, whatever it serves.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;
use clap::Parser;
use contracts::{Claims, Clock, Holder, Role};
use identity::KeyConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testing::{Backend, Client, Method, StatusCode, Stores};
use uuid::Uuid;
use validator::Validate;
use web::{
    ApiError, BodyLimit, Caller, HttpConfig, MaybeCaller, Platform, Server, ValidJson, ValidPath, ValidQuery,
    endpoint,
};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    http: HttpConfig,
    #[command(flatten)]
    keys: KeyConfig,
}

#[derive(Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Parcel {
    #[validate(length(min = 1, max = 5))]
    short_name: String,
}

#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Paging {
    #[validate(range(min = 1, max = 100))]
    limit: u64,
}

fn routes(config: &mut ServiceConfig) {
    config
        .app_data(BodyLimit(100))
        .service(endpoint("/parcels").get(list).post(create))
        .service(endpoint("/parcels/{id}").get(get))
        .service(endpoint("/me").get(me))
        .service(endpoint("/maybe").get(maybe))
        .service(endpoint("/broken").get(broken));
}

async fn list(ValidQuery(paging): ValidQuery<Paging>) -> HttpResponse {
    web::list(vec![1, 2], paging.limit, Some("next".into()))
}

async fn create(ValidJson(parcel): ValidJson<Parcel>) -> HttpResponse {
    web::created(parcel)
}

async fn get(ValidPath(id): ValidPath<Uuid>) -> HttpResponse {
    web::ok(id)
}

async fn me(caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(Role::Engineer)?;
    Ok(web::ok(caller.user_id))
}

async fn maybe(MaybeCaller(caller): MaybeCaller) -> HttpResponse {
    web::ok(caller.map(|caller| caller.user_id))
}

async fn broken() -> Result<HttpResponse, ApiError> {
    Err(ApiError::internal("the database said: password=hunter2"))
}

struct App {
    client: Client,
    platform: Platform,
    _stores: Stores,
}

impl Drop for App {
    fn drop(&mut self) {
        self.platform.stop.cancel();
    }
}

impl App {
    async fn start(backend: Backend) -> Self {
        let stores = backend.start().await;
        let arguments = ["test", "--host", "127.0.0.1", "--workers", "1", "--jwt-access-secret", "of a test"];
        let Cli { http, keys } = Cli::parse_from(arguments);
        let clock = Clock::system();
        let platform = Platform::connect("test", http, &keys, &stores.redis_url(), vec![], clock).unwrap();
        platform.revocations.synced().await;
        let server = Server::bind(platform.clone(), 0, routes).unwrap();
        let client = Client::new(format!("http://{}", server.address()));
        tokio::task::spawn_local(server.run());
        Self { client, platform, _stores: stores }
    }

    fn token(&self, role: Role) -> String {
        let now = self.platform.clock.now();
        let holder = Holder {
            subject: Uuid::new_v4().to_string(),
            email: "a@example.com".into(),
            role,
            account_id: None,
            generation: 1,
            session: Uuid::new_v4(),
        };
        let claims = Claims::access(holder, now, now + chrono::TimeDelta::minutes(15));
        self.platform.keys.sign(&claims).unwrap()
    }
}

#[actix_web::test]
async fn answers_come_in_the_envelope() {
    let app = App::start(Backend::Memory).await;
    let id = Uuid::new_v4();
    let got = app.client.get(&format!("/parcels/{id}")).await;
    assert_eq!(got.expect(StatusCode::OK), json!({"success": true, "data": id}));
    let listed = app.client.get("/parcels?limit=2").await.expect(StatusCode::OK);
    assert_eq!(listed, json!({"success": true, "data": [1, 2], "page": {"limit": 2, "nextCursor": "next"}}));
    let made = app.client.post("/parcels", &json!({"shortName": "abc"})).await;
    assert_eq!(made.expect(StatusCode::CREATED)["data"]["shortName"], "abc");
}

#[actix_web::test]
async fn s53_whatever_is_wrong_with_a_request_is_named_in_the_envelope() {
    let app = App::start(Backend::Memory).await;
    let fields = async |body: Value| {
        let error =
            app.client.post("/parcels", &body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        error["details"][0]["field"].as_str().unwrap().to_owned()
    };
    assert_eq!(fields(json!({"shortName": "too long"})).await, "shortName");
    assert_eq!(fields(json!({"shortName": 7})).await, "shortName");
    assert_eq!(fields(json!({})).await, "shortName");
    assert_eq!(fields(json!({"shortName": "a", "role": "admin"})).await, "role");
    assert_eq!(fields(json!([])).await, "body");
    assert_eq!(fields(json!(["a"])).await, "body", "a list has no names to be right");
    for query in ["limit=0", "limit=101", "limit=-1", "limit=99999999999999999999", "limit=x", "limit=", ""] {
        let answer = app.client.get(&format!("/parcels?{query}")).await;
        let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "limit", "{query}");
    }
    let unknown = app.client.get("/parcels?limit=1&page=2").await;
    let error = unknown.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(error["details"][0]["field"], "page");
    app.client.get("/parcels/7").await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    app.client.get("/nowhere").await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let request = app.client.request(Method::POST, "/parcels").header("content-type", "application/json");
    app.client.send(request.body("{\"shortName\":")).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let request = app.client.request(Method::POST, "/parcels").header("content-type", "application/json");
    app.client
        .send(request.body("x".repeat(101)))
        .await
        .error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
    let request =
        app.client.request(Method::POST, "/parcels").header("content-type", "text/plain").body("{}");
    let refused = app.client.send(request).await;
    refused.error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
}

#[actix_web::test]
async fn a_wrong_method_is_told_which_ones_are_right() {
    let app = App::start(Backend::Memory).await;
    let answer = app.client.delete("/parcels").await;
    answer.error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
    assert_eq!(answer.header("allow"), "GET, HEAD, POST");
}

#[actix_web::test]
async fn s14_who_may_not_is_told_401_or_403() {
    let app = App::start(Backend::Memory).await;
    for client in [
        app.client.clone(),
        app.client.with_token("no.token"),
        app.client.with_header("authorization", "Basic x"),
    ] {
        let answer = client.get("/me").await;
        answer.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
        assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    }
    let viewer = app.client.with_token(&app.token(Role::Viewer));
    viewer.get("/me").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let engineer = app.client.with_header("authorization", &format!("bEARER {}", app.token(Role::Engineer)));
    engineer.get("/me").await.expect(StatusCode::OK);
    assert_eq!(app.client.get("/maybe").await.data(), Value::Null);
    app.client.with_token("no.token").get("/maybe").await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[actix_web::test]
async fn s53_a_fault_of_ours_tells_nothing_of_its_cause() {
    let app = App::start(Backend::Memory).await;
    let answer = app.client.get("/broken").await;
    answer.error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR");
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    assert_eq!(answer.header("retry-after"), "1");
}

#[actix_web::test]
async fn s19_every_answer_carries_the_protective_headers_and_its_id() {
    let app = App::start(Backend::Memory).await;
    for path in ["/nowhere", "/parcels?limit=1", "/health"] {
        let answer = app.client.with_header("x-request-id", "trace-7").get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-request-id"), "trace-7");
    }
    let error = app.client.with_header("x-request-id", "two words").get("/nowhere").await;
    let error = error.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_eq!(error["requestId"].as_str().unwrap().len(), 36);
}

#[actix_web::test]
async fn s18_only_listed_origins_may_read_answers() {
    let app = App::start(Backend::Memory).await;
    let from = async |origin: &str| app.client.with_header("origin", origin).get("/parcels?limit=1").await;
    let listed = from("http://localhost:3000").await;
    assert_eq!(listed.header("access-control-allow-origin"), "http://localhost:3000");
    assert_eq!(listed.header("access-control-allow-credentials"), "true");
    assert!(listed.header("vary").to_lowercase().contains("origin"));
    for origin in
        ["http://localhost:3001", "https://localhost:3000", "null", "http://localhost:3000.evil.test"]
    {
        assert!(from(origin).await.headers.get("access-control-allow-origin").is_none(), "{origin}");
    }
}

#[actix_web::test]
async fn health_and_readiness_tell_of_the_backplane() {
    let app = App::start(Backend::Real).await;
    let health = app.client.get("/health").await.expect(StatusCode::OK);
    assert_eq!(
        (&health["status"], &health["dependencies"]["backplane"]["status"]),
        (&json!("ok"), &json!("up"))
    );
    app._stores.redis().kill();
    testing::eventually("the loss is noticed", async || !app.platform.backplane.is_connected()).await;
    let ready = app.client.get("/ready").await.expect(StatusCode::OK);
    assert_eq!(ready["status"], "degraded");
    testing::eventually("the metrics say so", async || {
        app.client.get("/metrics").await.text.contains("backplane_connected 0")
    })
    .await;
    app._stores.redis().restart();
    testing::eventually("it is heard again", async || {
        app.client.get("/ready").await.expect(StatusCode::OK)["status"] == "ok"
    })
    .await;
}

#[actix_web::test]
async fn s56_metrics_name_routes_and_never_paths() {
    let app = App::start(Backend::Memory).await;
    app.client.get("/parcels/0f0f0f0f-0000-0000-0000-000000000000").await;
    app.client.get("/secret-path").await;
    let brew = Method::from_bytes(b"BREW").unwrap();
    app.client.send(app.client.request(brew, "/me")).await;
    let metrics = app.client.get("/metrics").await.text;
    assert!(metrics.contains(r#"route="/parcels/{id}""#), "{metrics}");
    assert!(metrics.contains(r#"route="unmatched""#), "{metrics}");
    for unbounded in ["0f0f0f0f", "secret-path", "BREW"] {
        assert!(!metrics.contains(unbounded), "{unbounded}");
    }
}

#[actix_web::test]
async fn a_stopping_server_says_so_and_then_ends() {
    let app = App::start(Backend::Memory).await;
    app.client.get("/ready").await.expect(StatusCode::OK);
    app.platform.stop.cancel();
    tokio::time::timeout(testing::LIMIT, app.platform.served.cancelled()).await.expect("it ends in time");
}
