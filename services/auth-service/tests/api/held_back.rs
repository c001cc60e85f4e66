use std::time::{Duration, Instant};

use futures_util::join;
use rstest::rstest;
use testing::{Backend, PrivatePostgres, StatusCode, eventually};

use crate::app::{App, PASSWORD};

#[rstest]
#[actix_web::test]
async fn a_response_of_an_unavailable_service_is_held_back_s59(#[values(Backend::Real)] backend: Backend) {
    let stores = backend.start().await;
    let url = stores.database_url().await;
    let app = App::on_database(stores, url.clone()).await;
    let alice = app.sign_up("alice").await;
    PrivatePostgres::make_read_only(&url, true).await;
    app.state.refusals.add_permits(2);
    let started = Instant::now();
    let held = eventually("the response is held back", async || app.state.refusals.available_permits() == 1);
    let (refused, ()) = join!(app.try_log_in(&alice.email, PASSWORD), held);
    refused.error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE");
    assert!(started.elapsed() >= Duration::from_millis(500));
}
