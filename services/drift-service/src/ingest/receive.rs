//! Receives the body of an upload, within its bounds of size, time and rate.

use std::time::{Duration, Instant};

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use scan::{MAX_BYTES, ScanError};
use web::ApiError;

/// A body may be slower than the rate for so long.
const GRACE: Duration = Duration::from_secs(10);
/// The least bytes per second, on average.
const MIN_RATE: u64 = 16 * 1024;
const DEADLINE: Duration = Duration::from_secs(300);

/// Reads the whole body.
///
/// # Errors
/// 413 if the body is too large, 400 if it breaks off or comes too slowly.
pub async fn receive(mut payload: Payload) -> Result<Bytes, ApiError> {
    let started = Instant::now();
    let mut body = BytesMut::new();
    loop {
        let patience = patience(started.elapsed(), body.len() as u64).ok_or_else(too_slow)?;
        let chunk = tokio::time::timeout(patience, payload.next()).await.map_err(|_| too_slow())?;
        let Some(chunk) = chunk else { return Ok(body.freeze()) };
        let chunk = chunk.map_err(|_| ApiError::validation("body", "broke off before its end"))?;
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(ApiError::too_large(ScanError::TooLarge.to_string()));
        }
        body.extend_from_slice(&chunk);
    }
}

/// How long the next chunk may take; `None` if the body is too slow already.
fn patience(elapsed: Duration, received: u64) -> Option<Duration> {
    let by_rate = GRACE + Duration::from_secs(received / MIN_RATE);
    by_rate.min(DEADLINE).checked_sub(elapsed).filter(|left| !left.is_zero())
}

fn too_slow() -> ApiError {
    let message = format!("came too slowly: send at least {} KiB per second", MIN_RATE / 1024);
    ApiError::validation("body", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_time_that_its_size_needs_and_no_more() {
        let after = |seconds, received| patience(Duration::from_secs(seconds), received);
        assert_eq!(after(0, 0), Some(GRACE));
        assert_eq!(after(11, 0), None);
        assert_eq!(after(11, 2 * MIN_RATE), Some(Duration::from_secs(1)));
        assert_eq!(after(301, u64::from(u32::MAX)), None);
    }
}
