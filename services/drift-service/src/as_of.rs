//! Reads with a position. A list says up to which event of the log it is complete, so that a socket can continue from
//! there; and a reader can ask for a list that is not older than an event that it has seen.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use backplane::Position;
use futures_util::future::LocalBoxFuture;
use http::{ApiError, ErrorCode};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;
use utoipa::IntoParams;

use crate::State;

const POSITION: HeaderName = HeaderName::from_static("x-position");
const AT_LEAST: HeaderName = HeaderName::from_static("if-position-at-least");
/// Time that a read waits for an event that has not arrived here.
const PATIENCE: Duration = Duration::from_secs(2);

/// The position of the newest event that this process has received. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Newest(Arc<watch::Sender<Option<Position>>>);

impl Newest {
    /// Notes that every event up to a position has arrived.
    pub(crate) fn reach(&self, position: &Position) {
        self.0.send_replace(Some(position.clone()));
    }

    /// Waits until an event has arrived, and returns the newest position then.
    async fn at_least(&self, wanted: &Position) -> Result<Option<Position>, ApiError> {
        let has_arrived = |at: &Option<Position>| {
            at.as_ref().is_some_and(|at| at.epoch == wanted.epoch && at.seq >= wanted.seq)
        };
        let mut changes = self.0.subscribe();
        let result = match timeout(PATIENCE, changes.wait_for(has_arrived)).await {
            Ok(Ok(at)) => Ok(at.clone()),
            Ok(Err(_)) | Err(_) => Err(()),
        };
        result.map_err(|()| {
            let at = self.0.borrow().as_ref().map(ToString::to_string);
            let message = "that event has not arrived here; it may be of a log that was lost. \
                Ask again, or without If-Position-At-Least";
            ApiError::new(ErrorCode::PreconditionFailed, message).with_details(&json!({ "position": at }))
        })
    }
}

/// The header of a read that must not be older than an event.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header in the API reference; `AsOf` reads it")]
pub struct AsOfParams {
    /// The read waits for this event, for at most two seconds: `<epoch>:<seq>`, as `X-Position` has it. 412 if the event
    /// has not arrived
    #[param(rename = "If-Position-At-Least")]
    at_least: Option<String>,
}

/// The position that a read has. Taken before the handler reads from the database, so that the response contains what
/// every event up to the position says; an event is published after its change is stored.
pub struct AsOf(Option<Position>);

impl AsOf {
    /// Adds the position to a response.
    pub(crate) fn on(&self, mut response: HttpResponse) -> HttpResponse {
        let position = self.0.as_ref().and_then(|at| HeaderValue::from_str(&at.to_string()).ok());
        if let Some(position) = position {
            response.headers_mut().insert(POSITION, position);
        }
        response
    }
}

impl FromRequest for AsOf {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let wanted = wanted(request.headers());
        let newest = request.app_data::<Data<State>>().map(|state| state.newest.clone()).unwrap_or_default();
        Box::pin(async move {
            let at = match wanted? {
                Some(wanted) => newest.at_least(&wanted).await?,
                None => newest.0.borrow().clone(),
            };
            Ok(Self(at))
        })
    }
}

fn wanted(headers: &HeaderMap) -> Result<Option<Position>, ApiError> {
    let Some(value) = headers.get(AT_LEAST) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.parse().ok());
    let refusal = || ApiError::validation("If-Position-At-Least", "must be a value of X-Position");
    position.map(Some).ok_or_else(refusal)
}
