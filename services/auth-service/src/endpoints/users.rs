use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::Role;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;
use web::{ApiError, ClientIp, ValidJson, ValidPath, ValidQuery, cursor};

use super::answers::{self, Terminated, User};
use crate::audit::Initiator;
use crate::caller::Admin;
use crate::entity::user;
use crate::error::AuthError;
use crate::state::State;
use crate::user_admin::{self, UserChange};
use web::openapi::{List, Success};

#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserQuery {
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "default_limit")]
    #[param(default = 50, minimum = 1, maximum = 100)]
    limit: u64,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// Part of a name or an email.
    #[validate(length(min = 1, max = 255), custom(function = "one_line"))]
    #[param(min_length = 1, max_length = 255)]
    q: Option<String>,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserPatch {
    #[schema(value_type = Option<String>, pattern = "^(viewer|engineer|admin)$")]
    role: Option<Role>,
    is_active: Option<bool>,
    /// `null` takes the user out of their account.
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "is_account_id"))]
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account_id: Option<Option<String>>,
}

pub(super) fn default_limit() -> u64 {
    50
}

/// All users, by email.
#[utoipa::path(get, path = "/api/auth/users", tag = "auth", params(UserQuery), security(("bearer" = ["admin"])), responses((status = 200, body = List<User>)))]
pub async fn list_users(
    state: Data<State>,
    _: Admin,
    ValidQuery(query): ValidQuery<UserQuery>,
) -> Result<HttpResponse, ApiError> {
    let after = query.cursor.as_deref().map(cursor::decode::<String>).transpose()?;
    let page = user::page(&*state.db, query.q.as_deref(), after.as_deref(), query.limit + 1);
    let users = page.await.map_err(AuthError::from)?;
    Ok(answers::page::<_, User>(users, query.limit, |user| json!(user.email)))
}

/// Changes a user's role, account or whether they may log in.
#[utoipa::path(patch, path = "/api/auth/users/{id}", tag = "auth", params(("id" = Uuid, Path)), request_body = UserPatch, security(("bearer" = ["admin"])), responses((status = 200, body = Success<User>), (status = 409)))]
pub async fn update_user(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    ValidPath(id): ValidPath<Uuid>,
    ValidJson(patch): ValidJson<UserPatch>,
) -> Result<HttpResponse, ApiError> {
    let UserPatch { role, is_active, account_id } = patch;
    let change = UserChange { role, is_active, account_id };
    let outcome = user_admin::update(&state, id, change, Initiator::admin_at(ip, admin.id)).await;
    Ok(web::ok(User::from(state.metrics.operation("update_user", outcome)?)))
}

/// Ends all sessions of a user.
#[utoipa::path(delete, path = "/api/auth/users/{id}/sessions", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 200, body = Success<Terminated>)))]
pub async fn end_user_sessions(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let outcome = user_admin::end_sessions(&state, id, Initiator::admin_at(ip, admin.id)).await;
    let terminated = state.metrics.operation("end_user_sessions", outcome)?;
    Ok(web::ok(Terminated { terminated }))
}

/// Tells a field that is `null` from one that is absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn one_line(text: &str) -> Result<(), validator::ValidationError> {
    let refused = validator::ValidationError::new("characters").with_message("has control characters".into());
    if text.contains(char::is_control) { Err(refused) } else { Ok(()) }
}

/// It ends up in room names and labels: `global` is everybody without an account.
pub(super) fn is_account_id(id: &str) -> Result<(), validator::ValidationError> {
    let is_id = (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && id != "global";
    let message = "must have 1 to 64 letters, digits, - _ or ., and not be global";
    if is_id {
        Ok(())
    } else {
        Err(validator::ValidationError::new("account_id").with_message(message.into()))
    }
}
