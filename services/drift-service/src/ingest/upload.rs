use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{Bytes, Data, Payload};
use http::{ApiError, Caller, ErrorCode, expect_large_body, read_body};
use platform::Turn;
use scan::{Criteria, Scan, Scope};

use super::costs::{self, Costs};
use crate::State;
use crate::error::DriftError;
use crate::rules::RulesInForce;

/// The maximum time for reading one upload, while others wait.
const READING: Duration = Duration::from_secs(20);

/// Returns the time by which an upload that is received now must be read.
pub fn reading_deadline() -> Instant {
    Instant::now() + READING
}

/// The scans of an upload, and the costs of their resources.
pub type Contents = (Vec<Scan>, Costs);

/// A received upload, with the turns that bound the memory and the processor time of all uploads.
pub struct Upload {
    pub body: Bytes,
    _turns: (Turn, Turn),
}

impl Upload {
    /// Waits for its turns, and receives the body.
    ///
    /// # Errors
    /// If the body is of another type or too large, or if too many callers wait.
    pub async fn receive(
        state: &State,
        caller: &Caller,
        request: &HttpRequest,
        body: Payload,
    ) -> Result<Self, ApiError> {
        require_json_or_gzip(request)?;
        let busy = |_| ApiError::unavailable("too many scans are being ingested; try again", 5);
        // Turns at receiving bound the memory for request bodies.
        let receiving = state.receiving.take(&caller.user_id).await.map_err(busy)?;
        expect_large_body(request);
        let body = read_body(body, scan::MAX_BYTES).await?;
        // One scan at a time: SQLite has one writer, and a scan in memory is larger than its body.
        let processing = state.processing.take(&caller.user_id).await.map_err(busy)?;
        Ok(Self { body, _turns: (receiving, processing) })
    }

    /// Reads the upload on a thread of its own. The thread holds the turns, because it goes on when the caller
    /// disconnects.
    ///
    /// # Errors
    /// If the upload cannot be read.
    pub async fn read(
        self,
        state: &Data<State>,
        scope: Scope,
        rules: &Arc<RulesInForce>,
    ) -> Result<(Contents, Self), DriftError> {
        let (state, rules) = (state.clone(), Arc::clone(rules));
        let reading = move || {
            let criteria = Criteria { rules: &rules.rules, key: &state.state_key };
            (contents(&self.body, &scope, criteria), self)
        };
        let (contents, upload) = tokio::task::spawn_blocking(reading).await.map_err(ApiError::internal)?;
        Ok((contents?, upload))
    }
}

/// Reads the plans of an upload, and the costs beside them.
fn contents(body: &[u8], scope: &Scope, criteria: Criteria<'_>) -> Result<Contents, DriftError> {
    let upload = scan::unpack(body)?;
    let (plan, costs) = costs::split(&upload)?;
    let scans = scan::read(plan, scope, criteria)?;
    costs::check_count(&costs, scans.len())?;
    Ok((scans, costs))
}

fn require_json_or_gzip(request: &HttpRequest) -> Result<(), ApiError> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type =
        header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_lowercase();
    let is_known =
        matches!(content_type.as_str(), "application/json" | "application/gzip" | "application/x-gzip");
    let encoding = header(header::CONTENT_ENCODING).to_lowercase();
    if is_known && matches!(encoding.as_str(), "" | "identity" | "gzip") {
        return Ok(());
    }
    let message = "send JSON as application/json, plain or with Content-Encoding: gzip";
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, message))
}
