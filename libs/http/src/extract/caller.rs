use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use contracts::{AccountId, Claims, Role};
use identity::{TokenError, service_token_id};
use platform::Platform;
use serde_json::json;
use uuid::Uuid;

use super::request_id::RequestId;
use crate::ApiError;

/// The caller, authenticated by a valid access token. A handler that takes it requires a token.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user_id: String,
    pub email: String,
    pub role: Role,
    /// `None` only for tokens of the old stack.
    pub session_id: Option<Uuid>,
    pub account_id: Option<AccountId>,
    pub request_id: RequestId,
}

impl Caller {
    /// Requires that the caller has `role` or a higher one.
    ///
    /// # Errors
    /// 403 if the caller's role is lower.
    pub fn require(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        Err(ApiError::forbidden(format!("this needs the role {role}; yours is {}", self.role)))
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let missing = || ApiError::unauthenticated("send an access token: Authorization: Bearer …");
        ready(bearer(request).ok_or_else(missing).and_then(|token| verify(request, token)))
    }
}

/// The caller, where a token is optional. A token that is sent must still be valid.
#[derive(Clone, Debug)]
pub struct MaybeCaller(pub Option<Caller>);

impl FromRequest for MaybeCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = bearer(request).map(|token| verify(request, token)).transpose();
        ready(caller.map(Self))
    }
}

/// Returns the token of `Authorization: Bearer …`, the scheme in any case. Another scheme counts as an
/// invalid token.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
        _ => Some(""),
    }
}

fn verify(request: &HttpRequest, token: &str) -> Result<Caller, ApiError> {
    let platform = request.app_data::<web::Data<Platform>>();
    let platform = platform.ok_or_else(|| ApiError::internal("no platform in the app data"))?;
    let claims = platform.tokens().verifier.verify(token).map_err(|error| refusal(&error))?;
    if let Some(id) = service_token_id(&claims.sub) {
        let (now, tasks) = (platform.clock().now(), &platform.lifecycle().tasks);
        platform.tokens().uses.note(id, now, platform.backplane(), tasks);
    }
    let Claims { sub, email, role, sid, account_id, .. } = claims;
    let request_id = RequestId::of(request)?;
    Ok(Caller { user_id: sub, email, role, session_id: sid, account_id, request_id })
}

fn refusal(error: &TokenError) -> ApiError {
    let refusal = ApiError::unauthenticated(error.to_string());
    match error {
        TokenError::Revoked { reason } => refusal.with_details(&json!({"reason": reason})),
        TokenError::Expired { .. } | TokenError::Invalid => refusal,
    }
}
