use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::ApiError;

/// The id of the request, as in its log line and its response.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl FromRequest for RequestId {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl RequestId {
    pub(super) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let id = request.extensions().get::<Self>().cloned();
        id.ok_or_else(|| ApiError::internal("a request without an id"))
    }
}
