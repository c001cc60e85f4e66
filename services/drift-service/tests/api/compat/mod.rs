//! The contract of the replaced stack, with `COMPAT_ROUTES=true`.

mod alerts;
mod bounds;
mod decisions;
mod lists;
mod metrics;
mod seam;

use testing::{Answer, Backend, Client, StatusCode};

use crate::app::App;

const SWITCH: &str = "--compat-routes=true";

async fn start(backend: Backend) -> App {
    App::with(backend, &[SWITCH]).await
}

/// Returns the same caller with the current contract.
fn current(caller: &Client) -> Client {
    caller.with_header("x-api-contract", "current")
}

/// Asserts an error in the old form. Returns the message of the only field that is wrong.
#[track_caller]
fn wrong_field(answer: &Answer, field: &str) -> String {
    let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let errors = error["details"]["errors"].as_array().unwrap();
    assert_eq!((errors.len(), errors[0]["field"].as_str()), (1, Some(field)), "{}", answer.text);
    errors[0]["message"].as_str().unwrap().to_owned()
}
