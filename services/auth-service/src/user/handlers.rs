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
use crate::login::attempt::Attempt;
use crate::password::Password;
use crate::session::handlers::{Session, live_sessions};
use crate::state::State;
use crate::user::admin as user_admin;
use crate::user::admin::UserEdit;
use crate::user::deletion;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::entity::UserFilter;
use crate::user::locked_user::NewUser;
use crate::user::name::Name;
use crate::user::new_email::NewEmail;

#[derive(Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
    #[param(value_type = Option<String>, pattern = "^(viewer|engineer|admin)$")]
    role: Option<Role>,
    is_active: Option<bool>,
    /// Whether the email is verified.
    verified: Option<bool>,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUserRequest {
    name: Name,
    email: NewEmail,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    password: Password,
    #[schema(value_type = String, pattern = "^(viewer|engineer|admin)$")]
    role: Role,
    #[validate(custom(function = "is_account_id"))]
    account_id: Option<AccountId>,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserPatch {
    name: Option<Name>,
    /// The new email is not verified.
    email: Option<NewEmail>,
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

/// A user as an admin sees them on their own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserDetails {
    #[serde(flatten)]
    listed: ListedUser,
    /// The number of live sessions.
    open_sessions: usize,
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
    let UserQuery { limit, q, role, is_active, verified, .. } = query;
    let filter = UserFilter { q, role, is_active, verified };
    let page = user::page(&state.database, filter, after.as_deref(), limit + 1);
    let users = page.await.map_err(AuthError::from)?;
    let locks = account_locks::of_users(&state.database, &state, &users).await.map_err(AuthError::from)?;
    Ok(answers::page(
        users,
        limit,
        |user| json!(user.email),
        |user| {
            let own = locks.iter().filter(|lock| lock.user_id == user.id).cloned();
            ListedUser { locks: own.map(Into::into).collect(), user: user.into() }
        },
    ))
}

/// Creates a user with a password that the admin chose. The user's email is not verified.
#[utoipa::path(post, path = "/api/auth/users", tag = "auth", request_body = NewUserRequest, security(("bearer" = ["admin"])), responses((status = 201, body = Success<User>), (status = 409), (status = 429)))]
pub async fn create_user(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<NewUserRequest>,
) -> Result<HttpResponse, ApiError> {
    let NewUserRequest { name, email, password, role, account_id } = body;
    let (name, email) = (String::from(name), Email::from(email));
    limits::admit_admin_change(&state, admin.id).await?;
    state.settings.check_strength(&password, &name, &email).map_err(AuthError::from)?;
    let path = Attempt { email: email.clone(), ip }.path();
    let password = state.passwords.hash(password, path).await.map_err(AuthError::from)?;
    let new = NewUser { account_id, ..NewUser::new(name, email, password, role) };
    let outcome = user_admin::create(&state, new, Initiator::admin_at(ip, admin.id)).await;
    Ok(http::created(User::from(state.metrics.operation("create_user", outcome)?)))
}

/// Returns a user with their locks and the number of their live sessions.
#[utoipa::path(get, path = "/api/auth/users/{id}", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 200, body = Success<UserDetails>)))]
pub async fn get_user(
    state: Data<State>,
    _: Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let user = existing(&state, id).await?;
    let users = std::slice::from_ref(&user);
    let locks = account_locks::of_users(&state.database, &state, users).await.map_err(AuthError::from)?;
    let open_sessions = live_sessions(&state, id, None).await?.len();
    let listed = ListedUser { locks: locks.into_iter().map(Into::into).collect(), user: user.into() };
    Ok(http::ok(UserDetails { listed, open_sessions }))
}

/// Lists the live sessions of a user.
#[utoipa::path(get, path = "/api/auth/users/{id}/sessions", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 200, body = Success<Vec<Session>>)))]
pub async fn list_user_sessions(
    state: Data<State>,
    admin: Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    existing(&state, id).await?;
    Ok(http::ok(live_sessions(&state, id, admin.session).await?))
}

async fn existing(state: &State, id: Uuid) -> Result<user::Model, AuthError> {
    user::by_id(&state.database, id).await?.ok_or(AuthError::UnknownUser)
}

/// Deletes a user, and erases the personal data about them. This cannot be undone.
///
/// Ends all their sessions, and revokes the service tokens that they created. The last active admin stays (409).
#[utoipa::path(delete, path = "/api/auth/users/{id}", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 200, body = Success<Terminated>), (status = 409), (status = 429)))]
pub async fn delete_user(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_admin_change(&state, admin.id).await?;
    let outcome = deletion::delete_by_admin(&state, id, admin.id, ip).await;
    let terminated = state.metrics.operation("delete_user", outcome)?;
    Ok(http::ok(Terminated { terminated }))
}

/// Changes a user's name, email, role or account, or disables or enables the user.
#[utoipa::path(patch, path = "/api/auth/users/{id}", tag = "auth", params(("id" = Uuid, Path)), request_body = UserPatch, security(("bearer" = ["admin"])), responses((status = 200, body = Success<User>), (status = 409), (status = 429)))]
pub async fn update_user(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    ValidJson(patch): ValidJson<UserPatch>,
) -> Result<HttpResponse, ApiError> {
    let UserPatch { name, email, role, is_active, account_id } = patch;
    let email = email.map(Email::from);
    let change = UserEdit { name, email, role, is_active, account_id };
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
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

pub(super) fn one_line(text: &str) -> Result<(), validator::ValidationError> {
    let refused = validator::ValidationError::new("characters")
        .with_message("must not contain control characters".into());
    if text.contains(char::is_control) { Err(refused) } else { Ok(()) }
}
