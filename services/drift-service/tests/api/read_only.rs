use rstest::rstest;
use testing::{Backend, PrivatePostgres, StatusCode, eventually};

use crate::app::App;

#[rstest]
#[actix_web::test]
async fn a_read_only_database_is_unavailable_and_then_used_again_s70(
    #[values(Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ready = async || app.anonymous.get("/ready").await.status == StatusCode::OK;
    assert!(ready().await);
    PrivatePostgres::make_read_only(&app.database_url, true).await;
    eventually("the service is not ready", async || !ready().await).await;
    let refused = app.ingest("fakeaws_1/plan.json", "stack=prod").await;
    refused.error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE");
    app.engineer().get("/api/v1/drifts").await.expect(StatusCode::OK);

    PrivatePostgres::make_read_only(&app.database_url, false).await;
    eventually("the service is ready", ready).await;
    app.ingest("fakeaws_1/plan.json", "stack=prod").await.expect(StatusCode::OK);
}
