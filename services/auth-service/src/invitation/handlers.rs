use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use contracts::{AccountId, Role};
use http::openapi::{List, Success};
use http::{ApiError, ClientIp, NoQuery, ValidJson, ValidPath, ValidQuery, cursor, is_account_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::answers::{self, Login, logged_in};
use crate::audit::action::Initiator;
use crate::caller::Admin;
use crate::error::AuthError;
use crate::invitation::invite::Invitee;
use crate::invitation::{accept, entity as invitation, invite};
use crate::limits;
use crate::link::entity as link;
use crate::link::proof::Proof;
use crate::password::Password;
use crate::session::device::Device;
use crate::state::State;
use crate::token::delivery::wanted;
use crate::user::email::Email;
use crate::user::name::Name;
use crate::user::new_email::NewEmail;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewInvitation {
    email: NewEmail,
    name: Option<Name>,
    #[schema(value_type = String, pattern = "^(viewer|engineer|admin)$")]
    role: Role,
    #[validate(custom(function = "is_account_id"))]
    account_id: Option<AccountId>,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Acceptance {
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    token: Option<String>,
    /// With `email`, in place of `token`.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    code: Option<String>,
    email: Option<Email>,
    name: Name,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    password: Password,
}

#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InvitationQuery {
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "cursor::default_limit")]
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    /// `nextCursor` of the previous page.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    id: Uuid,
    email: String,
    name: Option<String>,
    #[schema(value_type = String)]
    role: Role,
    account_id: Option<AccountId>,
    invited_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    #[schema(pattern = "^(pending|accepted|expired|revoked)$")]
    status: &'static str,
}

impl Invitation {
    fn new(link: link::Model, now: DateTime<Utc>) -> Self {
        let status = match &link {
            link if link.used_at.is_some() => "accepted",
            link if link.revoked_at.is_some() => "revoked",
            link if link.expires_at <= now => "expired",
            _ => "pending",
        };
        let link::Content { name, role, account_id, .. } = link.content;
        Self {
            id: link.id,
            email: link.email,
            name,
            role: role.unwrap_or(Role::Viewer),
            account_id,
            invited_by: link.invited_by,
            created_at: link.created_at,
            expires_at: link.expires_at,
            status,
        }
    }
}

/// Invites a person by mail, with a role and an account.
#[utoipa::path(post, path = "/api/auth/invitations", tag = "auth", request_body = NewInvitation, security(("bearer" = ["admin"])), responses((status = 201, body = Success<Invitation>), (status = 409), (status = 429)))]
pub async fn create_invitation(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<NewInvitation>,
) -> Result<HttpResponse, ApiError> {
    let NewInvitation { email, name, role, account_id } = body;
    let invitee = Invitee { email: email.into(), name: name.map(Into::into), role, account_id };
    let outcome = invite::invite(&state, invitee, admin.id, Initiator::admin_at(ip, admin.id)).await;
    let link = state.metrics.operation("invite", outcome)?;
    Ok(http::created(Invitation::new(link, state.platform.clock().now())))
}

/// Lists the invitations, newest first.
#[utoipa::path(get, path = "/api/auth/invitations", tag = "auth", params(InvitationQuery), security(("bearer" = ["admin"])), responses((status = 200, body = List<Invitation>)))]
pub async fn list_invitations(
    state: Data<State>,
    _: Admin,
    ValidQuery(query): ValidQuery<InvitationQuery>,
) -> Result<HttpResponse, ApiError> {
    let before = query.cursor.as_deref().map(cursor::decode::<Uuid>).transpose()?;
    let page = invitation::page(&state.database, before, query.limit + 1).await.map_err(AuthError::from)?;
    let now = state.platform.clock().now();
    Ok(answers::page(page, query.limit, |link| json!(link.id), |link| Invitation::new(link, now)))
}

/// Replaces an invitation by a new one, and sends its mail. The response has the new id.
#[utoipa::path(post, path = "/api/auth/invitations/{id}/resend", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 202, body = Success<Invitation>), (status = 429)))]
pub async fn resend_invitation(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let outcome = invite::resend(&state, id, admin.id, Initiator::admin_at(ip, admin.id)).await;
    let link = state.metrics.operation("invite", outcome)?;
    Ok(http::accepted(Invitation::new(link, state.platform.clock().now())))
}

/// Revokes an invitation.
#[utoipa::path(delete, path = "/api/auth/invitations/{id}", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 200, body = Success<Invitation>), (status = 429)))]
pub async fn revoke_invitation(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_admin_change(&state, admin.id).await?;
    let outcome = invite::revoke(&state, id, Initiator::admin_at(ip, admin.id)).await;
    let link = state.metrics.operation("revoke_invitation", outcome)?;
    Ok(http::ok(Invitation::new(link, state.platform.clock().now())))
}

/// Creates the invited user and logs them in.
#[utoipa::path(post, path = "/api/auth/invitations/accept", tag = "auth", request_body = Acceptance, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), responses((status = 201, body = Success<Login>), (status = 409), (status = 429)))]
pub async fn accept_invitation(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<Acceptance>,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let Acceptance { token, code, email, name, password } = body;
    let proof = Proof { token, code, email, request_id: None };
    let outcome = accept::accept(&state, &proof, name, password, ip, Device::of_request(&request)).await;
    logged_in(&state, delivery, StatusCode::CREATED, state.metrics.operation("accept_invitation", outcome)?)
}
