//! Personal tokens: with one, another system, such as a chat, acts as a person in the services other than this one.
//!
//! A personal token has the subject of the person, so that the audit names the person. It is revoked by every change after
//! which older access tokens are out of date: their marks do not live as long as it does.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::events::auth::EndReason;
use contracts::{Holder, Role};
use http::openapi::{Done, Success};
use http::{ApiError, ClientIp, NoQuery, ValidJson, ValidPath};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::changes::{DEFAULT_LIFE, emit_end, insert};
use super::entity::{self, Model};
use crate::audit::action::{Action, Initiator};
use crate::caller::{Engineer, Person};
use crate::error::AuthError;
use crate::limits;
use crate::state::State;
use crate::user::locked_user::LockedUser;
use crate::user::name::Name;

/// Maximum number of valid personal tokens of a person.
const MAX_VALID: usize = 20;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonalTokenRequest {
    name: Name,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonalToken {
    id: Uuid,
    name: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct NewPersonalToken {
    #[serde(flatten)]
    about: PersonalToken,
    /// The token itself. No other response contains it.
    token: String,
}

impl From<Model> for PersonalToken {
    fn from(row: Model) -> Self {
        let Model { id, name, created_at, expires_at, .. } = row;
        Self { id, name, created_at, expires_at }
    }
}

/// Creates a token with which another system acts as the caller, for 90 days.
///
/// It has the role `engineer`, also if the caller is an admin, and no access to this service. It is revoked when the
/// caller's password, email, role or account changes, and when an admin ends the caller's sessions.
#[utoipa::path(post, path = "/api/auth/personal-tokens", tag = "auth", request_body = PersonalTokenRequest, security(("bearer" = ["engineer"])), responses((status = 201, body = Success<NewPersonalToken>), (status = 409), (status = 429)))]
pub async fn create_personal_token(
    state: Data<State>,
    Engineer(person): Engineer,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<PersonalTokenRequest>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_settings_change(&state, person.id).await?;
    let outcome = create(&state, body.name, &person, Initiator::user_at(ip)).await;
    let (row, token) = state.metrics.operation("create_personal_token", outcome)?;
    Ok(http::created(NewPersonalToken { about: row.into(), token }))
}

/// Lists the valid personal tokens of the caller, oldest first, without the tokens themselves.
#[utoipa::path(get, path = "/api/auth/personal-tokens", tag = "auth", security(("bearer" = ["viewer"])), responses((status = 200, body = Success<Vec<PersonalToken>>)))]
pub async fn list_personal_tokens(
    state: Data<State>,
    person: Person,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let rows = entity::personal_of(&state.database, person.id, state.platform.clock().now()).await;
    let rows = rows.map_err(AuthError::from)?;
    Ok(http::ok(rows.into_iter().map(PersonalToken::from).collect::<Vec<_>>()))
}

/// Revokes a personal token of the caller at once, in all services.
#[utoipa::path(delete, path = "/api/auth/personal-tokens/{id}", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["viewer"])), responses((status = 200, body = Done), (status = 404), (status = 429)))]
pub async fn end_personal_token(
    state: Data<State>,
    person: Person,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    ClientIp(ip): ClientIp,
) -> Result<HttpResponse, ApiError> {
    limits::admit_settings_change(&state, person.id).await?;
    let outcome = end(&state, id, person.id, Initiator::user_at(ip)).await;
    state.metrics.operation("end_personal_token", outcome)?;
    Ok(http::ok(()))
}

async fn create(
    state: &State,
    name: Name,
    person: &Person,
    initiator: Initiator,
) -> Result<(Model, String), AuthError> {
    let user = LockedUser::lock(state, person.id, initiator).await?;
    let user = user.filter(|user| user.row.is_active).ok_or(AuthError::UnknownCaller)?;
    user.open_session_by_id(person.session.id).await?.ok_or(AuthError::SessionEnded)?;
    if user.row.role < Role::Engineer {
        return Err(AuthError::NotAnEngineer);
    }
    if entity::personal_of(&user.transaction, user.row.id, user.now).await?.len() >= MAX_VALID {
        return Err(AuthError::TooManyServiceTokens);
    }
    let id = Uuid::now_v7();
    let holder = Holder {
        subject: user.row.id.to_string(),
        email: user.row.email.clone(),
        role: Role::Engineer,
        account_id: user.row.account_id.clone(),
        generation: user.row.generation,
        session: id,
    };
    let expires_at = user.now + DEFAULT_LIFE;
    insert(state, user, holder, String::from(name), expires_at, true).await
}

async fn end(state: &State, id: Uuid, owner: Uuid, initiator: Initiator) -> Result<(), AuthError> {
    let user = LockedUser::lock(state, owner, initiator).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    let own = entity::personal_of(&user.transaction, owner, user.now).await?;
    if !own.iter().any(|token| token.id == id) {
        return Err(AuthError::UnknownServiceToken);
    }
    user.end_personal_tokens(Some(id), EndReason::Logout).await?;
    Ok(user.commit().await?)
}

impl LockedUser<'_> {
    /// Revokes the personal tokens of the user, or one of them.
    pub async fn end_personal_tokens(&mut self, id: Option<Uuid>, reason: EndReason) -> Result<(), DbErr> {
        for token in entity::end_personal_of(&self.transaction, self.row.id, id, reason, self.now).await? {
            emit_end(&mut self.transaction, &token, reason);
            self.audit(Action::ServiceTokenEnded, Some(token.id), Some(reason.into_str()));
            self.ended.push((token.id, reason));
        }
        Ok(())
    }
}
