use rstest::rstest;
use serde_json::json;
use testing::{Backend, PrivatePostgres, Proxy, StatusCode, eventually};

use crate::app::{App, PASSWORD};

#[rstest]
#[actix_web::test]
async fn without_its_database_the_service_is_unavailable_and_then_recovers_s21(
    #[values(Backend::Real)] backend: Backend,
) {
    let stores = backend.start().await;
    let url = stores.database_url().await;
    let server = url.split(['@', '/']).find(|part| part.contains("127.0.0.1:")).unwrap().to_owned();
    let proxy = Proxy::start(server.parse().unwrap()).await;
    let app = App::on_database(stores, url.replace(&server, &proxy.address().to_string())).await;
    let alice = app.sign_up("alice").await;

    proxy.cut();
    let calls = [
        app.try_log_in(&alice.email, "wrong password").await,
        app.try_refresh(&alice.refresh).await,
        alice.client.post("/api/auth/activity", &json!({})).await,
        alice.client.post("/api/auth/logout", &json!({})).await,
        alice.client.get("/api/auth/me").await,
    ];
    for answer in calls {
        answer.error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    app.client.get("/ready").await.expect(StatusCode::SERVICE_UNAVAILABLE);
    app.client.get("/api/auth/config").await.expect(StatusCode::OK);

    proxy.resume();
    eventually("the service is ready again", async || {
        app.client.get("/ready").await.status == StatusCode::OK
    })
    .await;
    assert!(alice.is_in().await);
    app.refresh(&alice.refresh).await;
}

#[rstest]
#[actix_web::test]
async fn a_read_only_database_is_unavailable_and_then_used_again_s70(
    #[values(Backend::Real)] backend: Backend,
) {
    let stores = backend.start().await;
    let url = stores.database_url().await;
    let app = App::on_database(stores, url.clone()).await;
    let alice = app.sign_up("alice").await;
    app.client.get("/ready").await.expect(StatusCode::OK);

    PrivatePostgres::make_read_only(&url, true).await;
    eventually("the service is not ready", async || app.client.get("/ready").await.status != StatusCode::OK)
        .await;
    let refused = [
        app.try_log_in(&alice.email, PASSWORD).await,
        app.try_log_in(&alice.email, "wrong password").await,
        app.try_refresh(&alice.refresh).await,
        alice.client.post("/api/auth/logout", &json!({})).await,
    ];
    for answer in refused {
        answer.error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    assert!(alice.is_in().await, "what only reads goes on");
    let metrics = app.client.get("/metrics").await.text;
    let logouts = metrics.lines().filter(|line| line.contains("operation=\"logout\"")).collect::<Vec<_>>();
    assert_eq!(logouts, [r#"auth_operations_total{operation="logout",status="failure"} 1"#]);

    PrivatePostgres::make_read_only(&url, false).await;
    eventually("the service is ready", async || app.client.get("/ready").await.status == StatusCode::OK)
        .await;
    app.refresh(&alice.refresh).await;
    app.log_in("alice").await;
}
