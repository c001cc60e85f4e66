//! The responses that every service gives, whichever paths it has.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod app;
mod cors;
mod raw;

use contracts::Role;
use serde_json::{Value, json};
use testing::{Backend, Method, StatusCode};
use uuid::Uuid;

use app::App;

#[actix_web::test]
async fn responses_come_in_the_envelope() {
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
async fn the_envelope_names_each_fault_of_a_request_s53() {
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
async fn a_405_names_the_allowed_methods() {
    let app = App::start(Backend::Memory).await;
    let answer = app.client.delete("/parcels").await;
    answer.error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
    assert_eq!(answer.header("allow"), "GET, HEAD, POST");
}

#[actix_web::test]
async fn a_caller_without_permission_gets_401_or_403_s14() {
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
async fn an_internal_error_does_not_reveal_its_cause_s53() {
    let app = App::start(Backend::Memory).await;
    let answer = app.client.get("/broken").await;
    answer.error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR");
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    assert_eq!(answer.header("retry-after"), "1");
}

#[actix_web::test]
async fn every_response_has_the_protective_headers_and_its_id_s19() {
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
async fn health_and_readiness_report_the_backplane() {
    let app = App::start(Backend::Real).await;
    let health = app.client.get("/health").await.expect(StatusCode::OK);
    assert_eq!(
        (&health["status"], &health["dependencies"]["backplane"]["status"]),
        (&json!("ok"), &json!("up"))
    );
    app.stores.redis().kill();
    testing::eventually("the loss is noticed", async || !app.platform.backplane().is_connected()).await;
    let ready = app.client.get("/ready").await.expect(StatusCode::OK);
    assert_eq!(ready["status"], "degraded");
    testing::eventually("the metrics say so", async || {
        app.client.get("/metrics").await.text.contains("backplane_connected 0")
    })
    .await;
    app.stores.redis().restart();
    testing::eventually("it is heard again", async || {
        app.client.get("/ready").await.expect(StatusCode::OK)["status"] == "ok"
    })
    .await;
}

#[actix_web::test]
async fn metrics_name_routes_and_never_paths_s56() {
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
async fn a_stopping_server_reports_it_and_then_ends() {
    let app = App::start(Backend::Memory).await;
    app.client.get("/ready").await.expect(StatusCode::OK);
    app.platform.lifecycle().stop.cancel();
    tokio::time::timeout(testing::LIMIT, app.platform.lifecycle().served.cancelled())
        .await
        .expect("it ends in time");
}

#[actix_web::test]
async fn with_a_separate_metrics_address_the_main_port_reports_only_whether_the_process_is_up_s71() {
    let app = App::start_with(Backend::Memory, &["--metrics-listen", "127.0.0.1:0"]).await;
    assert_eq!(app.client.get("/health").await.expect(StatusCode::OK), json!({"status": "ok"}));
    assert_eq!(app.client.get("/ready").await.expect(StatusCode::OK), json!({"status": "ok"}));
    app.client.get("/metrics").await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let operations = app.operations.as_ref().unwrap();
    let health = operations.get("/health").await.expect(StatusCode::OK);
    assert_eq!(health["dependencies"]["backplane"]["status"], "up");
    assert!(operations.get("/metrics").await.text.contains("backplane_connected 1"));
}

#[actix_web::test]
async fn a_background_task_that_panics_stops_the_process_s80() {
    let app = App::start(Backend::Memory).await;
    app.client.get("/ready").await.expect(StatusCode::OK);
    app.platform.spawn("a feed", async { if true { panic!("boom") } else { Ok(()) } });
    tokio::time::timeout(testing::LIMIT, app.platform.lifecycle().served.cancelled())
        .await
        .expect("it ends in time");
    assert!(app.platform.lifecycle().tasks.have_failed());
}

#[actix_web::test]
async fn the_old_probes_show_details_only_where_the_current_ones_do() {
    let old = "--compat-routes=true";
    let hidden = App::start_with(Backend::Memory, &[old, "--metrics-listen", "127.0.0.1:0"]).await;
    let open = App::start_with(Backend::Memory, &[old]).await;
    for path in ["/health/live", "/health/ready", "/health/detailed"] {
        let brief = hidden.client.get(path).await;
        assert_eq!(brief.expect(StatusCode::OK), json!({"status": "ok"}), "{path}");
        let health = open.client.get(path).await.expect(StatusCode::OK);
        assert_eq!(health["dependencies"].is_object(), path == "/health/detailed", "{path}: {health}");
    }
}
