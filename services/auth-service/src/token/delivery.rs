//! The transport of refresh tokens: in the body, or in a cookie that no script can read.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use http::{ApiError, BodyLimit, is_from_own_origin, is_json, parse_body, read_body};
use platform::{Platform, ProcessConfig};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::error::AuthError;
use crate::settings::Delivery;
use crate::state::State;

const DELIVERY_HEADER: &str = "x-token-delivery";
/// Maximum number of cookies of one name that are read.
const MAX_COOKIES: usize = 8;

/// The refresh token in the body of a request, if there is one. The body may be empty.
pub struct BodyToken(pub Option<String>);

#[derive(Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefreshRequest {
    /// Absent if a cookie carries the token.
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
                if bytes.is_empty() { Default::default() } else { parse_body(&request, &bytes)? };
            Ok(Self(sent.refresh_token))
        })
    }
}

/// Returns the refresh tokens in cookies. A browser sends cookies with the requests of any page, so only
/// pages of allowed origins may use them, and only in JSON requests.
///
/// There can be several cookies of one name, such as one left over from another path or domain. Their order
/// has no meaning, so all are returned.
pub fn from_cookies(request: &HttpRequest) -> Result<Vec<String>, AuthError> {
    let Some(platform) = request.app_data::<actix_web::web::Data<Platform>>() else { return Ok(vec![]) };
    let headers = request.headers();
    let tokens = cookies_named(headers, cookie_name(platform.config()));
    if tokens.is_empty() {
        return Ok(tokens);
    }
    let same_origin = headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin");
    let allowed_origin = headers.contains_key("origin") && is_from_own_origin(request);
    if !same_origin && !allowed_origin {
        return Err(AuthError::ForeignOrigin);
    }
    if !is_json(request) {
        return Err(AuthError::NotJson);
    }
    Ok(tokens)
}

/// Returns the values of all cookies of that name. Other cookies do not interfere, however malformed they
/// are.
fn cookies_named(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let values = pairs.filter(|(own, _)| *own == name).map(|(_, value)| value.trim_matches('"').to_owned());
    values.take(MAX_COOKIES).collect()
}

/// Returns the delivery that a request asks for, as far as the settings allow it.
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
    let process = state.platform.config();
    Cookie::build(cookie_name(process), token.to_owned())
        .path("/api")
        .http_only(true)
        .secure(process.is_strict())
        .same_site(SameSite::Strict)
        .max_age(Duration::seconds(seconds))
        .finish()
}

/// Makes the browser delete the cookie.
pub fn forget_cookie(state: &State, mut answer: HttpResponse) -> Result<HttpResponse, ApiError> {
    answer.add_cookie(&cookie(state, "", 0)).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(answer)
}

fn cookie_name(process: &ProcessConfig) -> &'static str {
    if process.is_strict() { "__Secure-refresh_token" } else { "refresh_token" }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn every_cookie_of_the_name_is_found_and_no_other_interferes_s81() {
        let mut headers = HeaderMap::new();
        for line in ["theme; a=; refresh_token=one; =x", "refresh_token=\"two\";refresh_token_old=three"] {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        assert_eq!(cookies_named(&headers, "refresh_token"), ["one", "two"]);
        let many = "refresh_token=x;".repeat(100);
        headers.insert(header::COOKIE, HeaderValue::from_str(&many).unwrap());
        assert_eq!(cookies_named(&headers, "refresh_token").len(), MAX_COOKIES);
    }
}
