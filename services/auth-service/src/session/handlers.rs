use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::events::auth::EndReason;
use http::openapi::{Done, Success};
use http::{ApiError, ClientIp, NoQuery, ValidPath};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answers::Terminated;
use crate::audit::action::Initiator;
use crate::caller::Person;
use crate::error::AuthError;
use crate::limits;
use crate::session::device::Device;
use crate::session::entity as session;
use crate::state::State;
use crate::user::locked_user::LockedUser;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    id: Uuid,
    /// Whether this is the session of the caller's token.
    current: bool,
    device_info: Device,
    ip_address: String,
    created_at: DateTime<Utc>,
    last_activity: DateTime<Utc>,
    /// The time at which the session expires if it stays idle.
    idle_expires_at: DateTime<Utc>,
    /// The time at which the session expires at the latest.
    expires_at: DateTime<Utc>,
}

impl Session {
    fn of(session: session::Model, callers: Option<Uuid>, state: &State) -> Self {
        let idle_end = session.last_activity + state.settings.idle_timeout();
        Self {
            id: session.id,
            current: Some(session.id) == callers,
            device_info: session.device_info,
            ip_address: session.ip_address,
            created_at: session.created_at,
            last_activity: session.last_activity,
            idle_expires_at: idle_end.min(session.expires_at),
            expires_at: session.expires_at,
        }
    }
}

/// Returns the caller's session.
#[utoipa::path(get, path = "/api/auth/session", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<Session>)))]
pub async fn get_session(state: Data<State>, person: Person, _: NoQuery) -> Result<HttpResponse, ApiError> {
    Ok(http::ok(Session::of(person.session.clone(), Some(person.session.id), &state)))
}

/// Lists the caller's live sessions.
#[utoipa::path(get, path = "/api/auth/sessions", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<Vec<Session>>)))]
pub async fn list_sessions(state: Data<State>, person: Person, _: NoQuery) -> Result<HttpResponse, ApiError> {
    Ok(http::ok(live_sessions(&state, person.id, Some(person.session.id)).await?))
}

/// Returns the live sessions of a user. `callers` is the session of the request.
pub async fn live_sessions(
    state: &State,
    user_id: Uuid,
    callers: Option<Uuid>,
) -> Result<Vec<Session>, AuthError> {
    let open = session::open_of(&state.database, user_id).await?;
    let (now, idle_timeout) = (state.platform.clock().now(), state.settings.idle_timeout());
    let live = open.into_iter().filter(|session| session.is_live(now, idle_timeout));
    Ok(live.map(|session| Session::of(session, callers, state)).collect())
}

/// Records activity, which keeps the caller's session from expiring as idle.
///
/// Activity is written at most once per `activityIntervalSeconds`.
#[utoipa::path(post, path = "/api/auth/activity", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<Session>)))]
pub async fn note_activity(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let age = state.platform.clock().now() - person.session.last_activity;
    if age < state.settings.activity_interval() {
        return Ok(http::ok(Session::of(person.session.clone(), Some(person.session.id), &state)));
    }
    let touched = touch(&state, &person, Initiator::user_at(ip)).await?;
    Ok(http::ok(Session::of(touched, Some(person.session.id), &state)))
}

async fn touch(state: &State, person: &Person, initiator: Initiator) -> Result<session::Model, AuthError> {
    let user = LockedUser::lock(state, person.id, initiator).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    let touched = user.touch(person.session.id).await?;
    user.commit().await?;
    touched.ok_or(AuthError::SessionEnded)
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/api/auth/sessions/{id}", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = [])), responses((status = 200, body = Done), (status = 429)))]
pub async fn end_session(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_session_end(&state, person.session.id).await?;
    let outcome = terminate(&state, person, id, Initiator::user_at(ip)).await;
    state.metrics.operation("terminate_session", outcome)?;
    Ok(http::ok(()))
}

async fn terminate(state: &State, person: Person, id: Uuid, initiator: Initiator) -> Result<(), AuthError> {
    let user = LockedUser::lock(state, person.id, initiator).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    if !user.terminate(id, person.session.id).await? {
        return Err(AuthError::UnknownSession);
    }
    Ok(user.commit().await?)
}

/// Ends all of the caller's sessions except the current one.
#[utoipa::path(delete, path = "/api/auth/sessions/all", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<Terminated>), (status = 429)))]
pub async fn end_other_sessions(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    limits::admit_session_end(&state, person.session.id).await?;
    let outcome = terminate_others(&state, person, Initiator::user_at(ip)).await;
    let terminated = state.metrics.operation("terminate_other_sessions", outcome)?;
    Ok(http::ok(Terminated { terminated }))
}

async fn terminate_others(state: &State, person: Person, initiator: Initiator) -> Result<usize, AuthError> {
    let user = LockedUser::lock(state, person.id, initiator).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    if user.open_session_by_id(person.session.id).await?.is_none() {
        return Err(AuthError::SessionEnded);
    }
    let ended = user.end_all(Some(person.session.id), EndReason::Logout).await?;
    user.commit().await?;
    Ok(ended)
}
