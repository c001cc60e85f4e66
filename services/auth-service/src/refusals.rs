use std::sync::Arc;
use std::time::Duration;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::Data;
use tokio::sync::Semaphore;

use crate::state::State;

const DELAY: Duration = Duration::from_millis(500);
/// Maximum number of responses that are held back at one time. Each occupies only the memory of its
/// connection.
const MAX_HELD: usize = 1_000;

/// Creates the semaphore that bounds the responses held back.
pub fn room() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MAX_HELD))
}

/// Middleware that holds back responses with 429 and 503 for a moment. A refusal is cheap, so a client that
/// retries at once would get thousands per second. They would take processor time from the requests that are
/// served, above all from the hashing threads, which have a low priority.
pub async fn hold_back(
    state: Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    let is_refusal =
        matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    if is_refusal && let Ok(_held) = state.refusals.try_acquire() {
        tokio::time::sleep(DELAY).await;
    }
    Ok(response)
}
