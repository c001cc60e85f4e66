//! How refresh tokens come in and go out: in the body, or as a cookie that no script can read.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;
use web::{ApiError, BodyLimit, HttpConfig, is_json, origin_is_allowed, parse_json, read_body};

use crate::error::AuthError;
use crate::settings::Delivery;
use crate::state::State;

const DELIVERY_HEADER: &str = "x-token-delivery";

/// The refresh token in the body of a request, if one is. The body may be empty.
pub struct BodyToken(pub Option<String>);

#[derive(Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefreshRequest {
    /// Absent where the cookie carries it.
    pub refresh_token: Option<String>,
}

impl FromRequest for BodyToken {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = actix_web::web::Payload::from_request(&request, payload);
        Box::pin(async move {
            let limit = request.app_data::<BodyLimit>().copied().unwrap_or_default().0;
            let body = body.await.map_err(|error| ApiError::validation("body", error.to_string()))?;
            let bytes = read_body(body, limit).await?;
            if !bytes.is_empty() && !is_json(&request) {
                return Err(AuthError::NotJson.into());
            }
            let sent: RefreshRequest =
                if bytes.is_empty() { Default::default() } else { parse_json(&bytes)? };
            Ok(Self(sent.refresh_token))
        })
    }
}

/// The refresh token in the cookie. A browser sends it along whoever made the page: so only pages of
/// ours may use it.
pub fn from_cookie(request: &HttpRequest) -> Result<Option<String>, AuthError> {
    let Some(platform) = request.app_data::<actix_web::web::Data<web::Platform>>() else { return Ok(None) };
    let Some(cookie) = request.cookie(cookie_name(&platform.http)) else { return Ok(None) };
    let headers = request.headers();
    let same_origin = headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin");
    let allowed_origin = headers.contains_key("origin") && origin_is_allowed(headers, &platform.http);
    if !same_origin && !allowed_origin {
        return Err(AuthError::ForeignOrigin);
    }
    if !is_json(request) {
        return Err(AuthError::NotJson);
    }
    Ok(Some(cookie.value().to_owned()))
}

/// How this request wants its refresh token, within what the settings allow.
pub fn wanted(request: &HttpRequest, state: &State) -> Result<Delivery, ApiError> {
    let asked = match request.headers().get(DELIVERY_HEADER).map(|value| value.as_bytes()) {
        None => Delivery::Both,
        Some(b"body") => Delivery::Body,
        Some(b"cookie") => Delivery::Cookie,
        Some(_) => return Err(ApiError::validation(DELIVERY_HEADER, "must be body or cookie")),
    };
    match state.settings.refresh_token_delivery {
        Delivery::Both => Ok(asked),
        fixed => Ok(fixed),
    }
}

/// The cookie that carries `token` until the session's absolute end.
pub fn cookie(state: &State, token: &str, seconds: i64) -> Cookie<'static> {
    let http = &state.platform.http;
    Cookie::build(cookie_name(http), token.to_owned())
        .path("/api")
        .http_only(true)
        .secure(http.is_strict())
        .same_site(SameSite::Strict)
        .max_age(Duration::seconds(seconds))
        .finish()
}

/// Tells the browser to forget the cookie.
pub fn forget_cookie(state: &State, mut answer: HttpResponse) -> Result<HttpResponse, ApiError> {
    answer.add_cookie(&cookie(state, "", 0)).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(answer)
}

fn cookie_name(http: &HttpConfig) -> &'static str {
    if http.is_strict() { "__Secure-refresh_token" } else { "refresh_token" }
}
