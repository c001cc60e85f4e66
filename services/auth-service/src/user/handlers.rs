use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::{AccountId, Role};
use http::openapi::{List, Success};
use http::{ApiError, ClientIp, NoQuery, ValidJson, ValidPath, ValidQuery, cursor, is_account_id};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::answers;
use crate::answers::{Terminated, User};
use crate::audit::action::Initiator;
use crate::caller::Admin;
use crate::error::AuthError;
use crate::limits;
use crate::login::account_locks;
use crate::login::account_locks::{Lock, Scope};
use crate::state::State;
use crate::user::admin as user_admin;
use crate::user::admin::UserEdit;
use crate::user::entity as user;

#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserQuery {
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "cursor::default_limit")]
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    /// `nextCursor` of the previous page.
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
    /// `null` removes the user from their account.
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "is_account_id"))]
    account_id: Option<Option<AccountId>>,
}

/// A user as admins see them.
#[derive(Serialize, ToSchema)]
pub struct ListedUser {
    #[serde(flatten)]
    user: User,
    /// The locks of the user after too many failed attempts.
    locks: Vec<UserLock>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserLock {
    /// `network`: logins from one network. `unfamiliar_networks`: logins from all networks that the user has
    /// not logged in from lately. `password_change`: password changes in one session.
    #[schema(pattern = "^(network|unfamiliar_networks|password_change)$")]
    scope: &'static str,
    /// Present only if the scope is `network`.
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    ends_at: DateTime<Utc>,
}

/// The number of locks that were lifted.
#[derive(Serialize, ToSchema)]
pub struct Lifted {
    lifted: usize,
}

impl From<Lock> for UserLock {
    fn from(Lock { scope, ends_at, .. }: Lock) -> Self {
        let name = scope.name();
        let network = if let Scope::Network(network) = scope { Some(network) } else { None };
        Self { scope: name, network, ends_at }
    }
}

/// Lists all users with their locks, sorted by email.
#[utoipa::path(get, path = "/api/auth/users", tag = "auth", params(UserQuery), security(("bearer" = ["admin"])), responses((status = 200, body = List<ListedUser>)))]
pub async fn list_users(
    state: Data<State>,
    _: Admin,
    ValidQuery(query): ValidQuery<UserQuery>,
) -> Result<HttpResponse, ApiError> {
    let after = query.cursor.as_deref().map(cursor::decode::<String>).transpose()?;
    if after.as_deref().is_some_and(|after| one_line(after).is_err()) {
        return Err(ApiError::validation("cursor", "is not a cursor of this list"));
    }
    let page = user::page(&state.database, query.q.as_deref(), after.as_deref(), query.limit + 1);
    let users = page.await.map_err(AuthError::from)?;
    let locks = account_locks::of_users(&state.database, &state, &users).await.map_err(AuthError::from)?;
    Ok(answers::page(
        users,
        query.limit,
        |user| json!(user.email),
        |user| {
            let own = locks.iter().filter(|lock| lock.user_id == user.id).cloned();
            ListedUser { locks: own.map(Into::into).collect(), user: user.into() }
        },
    ))
}

/// Changes a user's role or account, or disables or enables the user.
#[utoipa::path(patch, path = "/api/auth/users/{id}", tag = "auth", params(("id" = Uuid, Path)), request_body = UserPatch, security(("bearer" = ["admin"])), responses((status = 200, body = Success<User>), (status = 409), (status = 429)))]
pub async fn update_user(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    ValidJson(patch): ValidJson<UserPatch>,
) -> Result<HttpResponse, ApiError> {
    let UserPatch { role, is_active, account_id } = patch;
    let change = UserEdit { role, is_active, account_id };
    limits::admit_admin_change(&state, admin.id).await?;
    let outcome = user_admin::update(&state, id, change, Initiator::admin_at(ip, admin.id)).await;
    Ok(http::ok(User::from(state.metrics.operation("update_user", outcome)?)))
}

/// Ends all sessions of a user.
#[utoipa::path(delete, path = "/api/auth/users/{id}/sessions", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 200, body = Success<Terminated>), (status = 429)))]
pub async fn end_user_sessions(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_admin_change(&state, admin.id).await?;
    let outcome = user_admin::end_sessions(&state, id, Initiator::admin_at(ip, admin.id)).await;
    let terminated = state.metrics.operation("end_user_sessions", outcome)?;
    Ok(http::ok(Terminated { terminated }))
}

/// Lifts the locks of a user, who may then try to log in again from every network.
#[utoipa::path(delete, path = "/api/auth/users/{id}/locks", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 200, body = Success<Lifted>), (status = 429)))]
pub async fn lift_user_locks(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_admin_change(&state, admin.id).await?;
    let outcome = user_admin::lift_locks(&state, id, Initiator::admin_at(ip, admin.id)).await;
    let lifted = state.metrics.operation("lift_user_locks", outcome)?;
    Ok(http::ok(Lifted { lifted }))
}

/// Distinguishes a field that is `null` from an absent one.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn one_line(text: &str) -> Result<(), validator::ValidationError> {
    let refused = validator::ValidationError::new("characters")
        .with_message("must not contain control characters".into());
    if text.contains(char::is_control) { Err(refused) } else { Ok(()) }
}
