use testing::{Backend, Method, StatusCode};

use crate::app::App;

#[actix_web::test]
async fn only_listed_origins_may_read_responses_s18() {
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
async fn a_preflight_names_what_is_allowed_so_that_the_browser_can_name_what_is_not() {
    let app = App::start_with(Backend::Memory, &["--cors-headers", "x-of-the-operator"]).await;
    let preflight = async |origin: &str, header: &str| {
        let request = app.client.request(Method::OPTIONS, "/parcels").header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        app.client.send(request.header("access-control-request-headers", header)).await
    };
    for header in [
        "traceparent",
        "tracestate",
        "baggage",
        "sentry-trace",
        "x-correlation-id",
        "x-api-contract",
        "if-position-at-least",
        "x-requested-with",
        "authorization",
        "x-of-the-operator",
        "x-unknown",
    ] {
        let answer = preflight("http://localhost:3000", header).await;
        answer.expect(StatusCode::NO_CONTENT);
        assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:3000", "{header}");
        let allowed = answer.header("access-control-allow-headers");
        let is_allowed = allowed.split(", ").any(|allowed| allowed == header);
        assert_eq!(is_allowed, header != "x-unknown", "{header}: {allowed}");
        assert!(answer.header("access-control-allow-methods").contains("POST"));
    }
    let foreign = preflight("https://evil.test", "authorization").await;
    for name in
        ["access-control-allow-origin", "access-control-allow-headers", "access-control-allow-methods"]
    {
        assert!(foreign.headers.get(name).is_none(), "{name}");
    }
}

#[actix_web::test]
async fn origins_are_compared_without_case_and_may_belong_to_apps() {
    let origins = "https://App.Example.com,capacitor://localhost,app://.";
    let app = App::start_with(Backend::Memory, &["--cors-origin", origins]).await;
    for origin in ["https://app.example.com", "capacitor://localhost", "app://."] {
        let answer = app.client.with_header("origin", origin).get("/parcels?limit=1").await;
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        let exposed = answer.header("access-control-expose-headers");
        assert_eq!(
            exposed,
            "etag, idempotency-replayed, location, retry-after, x-correlation-id, x-position, x-request-id"
        );
    }
    let answer = app.client.with_header("origin", "http://localhost:3000").get("/parcels?limit=1").await;
    assert!(answer.headers.get("access-control-allow-origin").is_none(), "the default is replaced");
}
