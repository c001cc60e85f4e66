use std::cmp::Reverse;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::openapi::{Done, Success};
use http::{ApiError, ClientIp, NoQuery, bearer};
use identity::{TokenError, service_token_id};
use uuid::Uuid;

use crate::answers::{TokenAnswer, Tokens};
use crate::audit::action::Initiator;
use crate::error::AuthError;
use crate::limits;
use crate::session::entity as session;
use crate::settings::Delivery;
use crate::state::State;
use crate::token::delivery::{BodyToken, RefreshRequest, forget_cookie, from_cookies, wanted};
use crate::token::refresh_token::RefreshToken;
use crate::token::rotation::Decision;
use crate::user::entity as user;
use crate::user::locked_user::{LockedUser, take_turn};

/// Exchanges a refresh token for an access token and the next refresh token.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "auth", request_body = RefreshRequest, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), security((), ("refreshCookie" = [])), responses((status = 200, body = Success<Tokens>), (status = 403), (status = 429)))]
pub async fn refresh(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    BodyToken(in_body): BodyToken,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let tokens = presented(in_body, &request)?;
    let outcome = exchange(&state, delivery, &tokens, Initiator::user_at(ip)).await;
    state.metrics.operation("refresh", outcome)?.send(StatusCode::OK, |tokens| tokens)
}

async fn exchange<'a>(
    state: &'a State,
    delivery: Delivery,
    tokens: &[String],
    initiator: Initiator,
) -> Result<TokenAnswer<'a>, AuthError> {
    let token = token_in_use(state, tokens).await?;
    let session = open_session(state, token).await?;
    // A repetition that writes nothing takes no turn: whoever holds an older token could repeat it without a limit.
    if let Some(repeated) = repeat(state, delivery, token, &session).await? {
        return Ok(repeated);
    }
    let owner = session.user_id;
    let turn = take_turn(state, &owner.to_string()).await?;
    // Read again in the owner's turn, so that in this process the limit counts only the first of several racing tabs.
    let session = open_session(state, token).await?;
    let policy = state.settings.rotation();
    if session.rotation.decide(token.counter, state.platform.clock().now(), policy).is_new(policy) {
        // Refused before the token is used, so that it stays the newest one of its session and works later.
        limits::admit_refresh(state, token.session_id, owner).await?;
    }
    let user = LockedUser::lock_in_turn(state, turn, owner, initiator).await?;
    let mut user = user.ok_or(AuthError::BadRefreshToken)?;
    let refreshed = user.refresh(token).await?;
    let row = user.row.clone();
    user.commit().await?;
    let refreshed = refreshed.ok_or(AuthError::BadRefreshToken)?;
    TokenAnswer::new(state, delivery, &row, &refreshed.session, refreshed.counter)
}

/// Answers a repetition of the last renewal that changes nothing. Returns `None` for any other refresh.
async fn repeat<'a>(
    state: &'a State,
    delivery: Delivery,
    token: RefreshToken,
    session: &session::Model,
) -> Result<Option<TokenAnswer<'a>>, AuthError> {
    let (now, settings) = (state.platform.clock().now(), &state.settings);
    let decision = session.rotation.decide(token.counter, now, settings.rotation());
    let Decision::Repeat(counter) = decision else { return Ok(None) };
    let (interval, is_live) = (settings.activity_interval(), session.is_live(now, settings.idle_timeout()));
    if decision.is_new(settings.rotation()) || !is_live || session.is_write_due(now, interval) {
        return Ok(None);
    }
    // A change of the user or the session that is committed meanwhile marks the new access token as well.
    let row = user::by_id(&state.database, session.user_id).await?.ok_or(AuthError::BadRefreshToken)?;
    Ok(Some(TokenAnswer::new(state, delivery, &row, session, counter)?))
}

/// Returns the session of a refresh token, unless it was revoked.
async fn open_session(state: &State, token: RefreshToken) -> Result<session::Model, AuthError> {
    let session = session::by_id(&state.database, token.session_id).await?;
    session.filter(|session| session.revoked_at.is_none()).ok_or(AuthError::BadRefreshToken)
}

/// Picks the token to exchange from all presented tokens. Reuse detection judges only this token: a leftover
/// cookie must not end the session of another cookie.
async fn token_in_use(state: &State, tokens: &[String]) -> Result<RefreshToken, AuthError> {
    if tokens.is_empty() {
        return Err(AuthError::NoCredential);
    }
    let genuine = genuine(state, tokens);
    let (&first, others) = genuine.split_first().ok_or(AuthError::BadRefreshToken)?;
    if others.is_empty() {
        return Ok(first);
    }
    let (now, settings) = (state.platform.clock().now(), &state.settings);
    for &token in &genuine {
        if let Some(session) = session::by_id(&state.database, token.session_id).await?
            && session.is_live(now, settings.idle_timeout())
            && session.rotation.decide(token.counter, now, settings.rotation()) != Decision::Theft
        {
            return Ok(token);
        }
    }
    Ok(first)
}

/// Returns the presented tokens that this service issued, the newest of each session first.
fn genuine(state: &State, tokens: &[String]) -> Vec<RefreshToken> {
    let mut genuine =
        tokens.iter().filter_map(|token| state.refresh_tokens.read(token).ok()).collect::<Vec<_>>();
    genuine.sort_by_key(|token| Reverse(token.counter));
    genuine
}

/// Ends the session of the access token or, without a valid one, the sessions of the refresh tokens.
#[utoipa::path(post, path = "/api/auth/logout", tag = "auth", request_body = RefreshRequest, security((), ("bearer" = []), ("refreshCookie" = [])), responses((status = 200, body = Done), (status = 403)))]
pub async fn log_out(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    BodyToken(in_body): BodyToken,
) -> Result<HttpResponse, ApiError> {
    let outcome = end_named_sessions(&state, &request, in_body, Initiator::user_at(ip)).await;
    state.metrics.operation("logout", outcome)?;
    forget_cookie(&state, http::ok(()))
}

/// Ends the sessions that the tokens of a request name.
pub(crate) async fn end_named_sessions(
    state: &State,
    request: &HttpRequest,
    in_body: Option<String>,
    initiator: Initiator,
) -> Result<(), ApiError> {
    for ending in sessions_to_end(state, request, in_body)? {
        end(state, ending, initiator).await?;
    }
    Ok(())
}

/// A session to end, named by a valid token.
struct Ending {
    session_id: Uuid,
    /// The user that the access token names; `None` for a refresh token.
    subject: Option<String>,
}

/// Returns the sessions that the valid tokens of the request name, or none if they have already ended.
/// Cookies are read last: if an access token names the session, the origin rules for cookies do not apply.
fn sessions_to_end(
    state: &State,
    request: &HttpRequest,
    in_body: Option<String>,
) -> Result<Vec<Ending>, ApiError> {
    let by_access = bearer(request).map(|token| state.platform.tokens().verifier.verify(token));
    match by_access {
        Some(Ok(claims)) if service_token_id(&claims.sub).is_some() => {
            return Err(AuthError::NotAPerson.into());
        }
        Some(Ok(claims)) => {
            let subject = Some(claims.sub);
            return Ok(claims.sid.map(|session_id| Ending { session_id, subject }).into_iter().collect());
        }
        Some(Err(TokenError::Revoked { .. })) => return Ok(vec![]),
        _ => {}
    }
    let tokens = presented(in_body, request)?;
    let genuine = genuine(state, &tokens);
    match (tokens.is_empty(), by_access) {
        (false, _) if genuine.is_empty() => Err(AuthError::BadRefreshToken.into()),
        (false, _) => Ok(genuine
            .into_iter()
            .map(|token| Ending { session_id: token.session_id, subject: None })
            .collect()),
        (true, Some(Err(error))) => Err(ApiError::unauthenticated(error.to_string())),
        (true, _) => Err(AuthError::NoCredential.into()),
    }
}

/// Returns the refresh tokens of a request, genuine or not.
fn presented(in_body: Option<String>, request: &HttpRequest) -> Result<Vec<String>, AuthError> {
    match in_body {
        Some(token) => Ok(vec![token]),
        None => from_cookies(request),
    }
}

async fn end(state: &State, ending: Ending, initiator: Initiator) -> Result<(), AuthError> {
    let Ending { session_id, subject } = ending;
    let session = session::by_id(&state.database, session_id).await?;
    let is_owner = |session: &session::Model| {
        subject.as_ref().is_none_or(|subject| *subject == session.user_id.to_string())
    };
    let Some(session) = session.filter(is_owner) else {
        // The row of a session can be deleted before its refresh token expires.
        return if subject.is_some() { Err(AuthError::UnknownCaller) } else { Ok(()) };
    };
    // Whoever holds a token of an ended session must not make its owner wait.
    if session.revoked_at.is_some() {
        return Ok(());
    }
    let user = LockedUser::lock(state, session.user_id, initiator).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    user.log_out(session_id).await?;
    Ok(user.commit().await?)
}
