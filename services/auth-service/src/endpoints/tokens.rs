use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use identity::{TokenError, service_token_id};
use uuid::Uuid;
use web::{ApiError, ClientIp, bearer};

use super::answers::{TokenAnswer, Tokens};
use crate::audit::Initiator;
use crate::error::AuthError;
use crate::locked_user::LockedUser;
use crate::refresh_delivery::{BodyToken, RefreshRequest, forget_cookie, from_cookie, wanted};
use crate::settings::Delivery;
use crate::state::State;
use web::openapi::{Done, Success};

/// Exchanges a refresh token for an access token and the next refresh token.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "auth", request_body = RefreshRequest, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), security((), ("refreshCookie" = [])), responses((status = 200, body = Success<Tokens>), (status = 403), (status = 429)))]
pub async fn refresh(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    BodyToken(in_body): BodyToken,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let token = presented(in_body, &request)?.ok_or(AuthError::NoCredential)?;
    let outcome = exchange(&state, delivery, &token, Initiator::user_at(ip)).await;
    state.metrics.operation("refresh", outcome)?.send(StatusCode::OK, |tokens| tokens)
}

async fn exchange<'a>(
    state: &'a State,
    delivery: Delivery,
    token: &str,
    initiator: Initiator,
) -> Result<TokenAnswer<'a>, AuthError> {
    let token = state.refresh_tokens.read(token).map_err(|_| AuthError::BadRefreshToken)?;
    let user = LockedUser::lock_owner(state, token.session_id, initiator).await?;
    let mut user = user.ok_or(AuthError::BadRefreshToken)?;
    let refreshed = user.refresh(token).await?;
    let row = user.row.clone();
    user.commit().await?;
    let refreshed = refreshed.ok_or(AuthError::BadRefreshToken)?;
    TokenAnswer::new(state, delivery, &row, &refreshed.session, refreshed.counter)
}

/// Ends the session that the request names by any token of it.
#[utoipa::path(post, path = "/api/auth/logout", tag = "auth", request_body = RefreshRequest, security((), ("bearer" = []), ("refreshCookie" = [])), responses((status = 200, body = Done), (status = 403)))]
pub async fn log_out(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    BodyToken(in_body): BodyToken,
) -> Result<HttpResponse, ApiError> {
    let session_id = session_to_end(&state, &request, in_body);
    if let Some(session_id) = state.metrics.operation("logout", session_id)? {
        end(&state, session_id, Initiator::user_at(ip)).await?;
    }
    forget_cookie(&state, web::ok(()))
}

/// The session that any valid token of the request names; `None` if it has ended already. The cookie is
/// looked at last: where an access token does, no browser's rules matter.
fn session_to_end(
    state: &State,
    request: &HttpRequest,
    in_body: Option<String>,
) -> Result<Option<Uuid>, ApiError> {
    let by_access = bearer(request).map(|token| state.platform.verifier.verify(token));
    match &by_access {
        Some(Ok(claims)) if service_token_id(&claims.sub).is_some() => {
            return Err(AuthError::NotAPerson.into());
        }
        Some(Ok(claims)) => return Ok(claims.sid),
        Some(Err(TokenError::Revoked { .. })) => return Ok(None),
        _ => {}
    }
    match (presented(in_body, request)?, by_access) {
        (Some(token), _) => {
            let token = state.refresh_tokens.read(&token).map_err(|_| AuthError::BadRefreshToken)?;
            Ok(Some(token.session_id))
        }
        (None, Some(Err(error))) => Err(ApiError::unauthenticated(error.to_string())),
        (None, _) => Err(AuthError::NoCredential.into()),
    }
}

fn presented(in_body: Option<String>, request: &HttpRequest) -> Result<Option<String>, AuthError> {
    match in_body {
        Some(token) => Ok(Some(token)),
        None => from_cookie(request),
    }
}

async fn end(state: &State, session_id: Uuid, initiator: Initiator) -> Result<(), AuthError> {
    let Some(mut user) = LockedUser::lock_owner(state, session_id, initiator).await? else { return Ok(()) };
    user.log_out(session_id).await?;
    Ok(user.commit().await?)
}
