use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::Role;
use http::openapi::Success;
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::error::AuthError;
use crate::limits;
use crate::link::entity as link;
use crate::link::refusal::LinkRefusal;
use crate::state::State;
use crate::user::entity as user;

/// The response to a request for a mail, whether or not the address has an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Requested {
    /// For `POST /links/status`, and beside the code of the mail.
    pub request_id: Uuid,
    pub expires_at: DateTime<Utc>,
}

impl From<link::Model> for Requested {
    fn from(link: link::Model) -> Self {
        Self { request_id: link.id, expires_at: link.expires_at }
    }
}

/// Builds the response to a request for a mail.
pub fn requested(link: link::Model) -> HttpResponse {
    http::accepted(Requested::from(link))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LinkToken {
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    token: String,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkRequestId {
    request_id: Uuid,
}

/// A link that can be used.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShownLink {
    #[schema(pattern = "^(sign_up|reset_password|verify_email|change_email|undo_email|invitation|log_in)$")]
    purpose: &'static str,
    email: String,
    /// The name of the user, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The role that an invited person gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// The name of the admin who sent the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    inviter: Option<String>,
    expires_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct LinkStatus {
    #[schema(pattern = "^(pending|used|expired)$")]
    status: &'static str,
}

/// Describes a link without using it, so that a page can ask for a click.
#[utoipa::path(post, path = "/api/auth/links/show", tag = "auth", request_body = LinkToken, responses((status = 200, body = Success<ShownLink>), (status = 429)))]
pub async fn show_link(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<LinkToken>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_link_use(&state, ip).await?;
    Ok(http::ok(show(&state, &body.token).await?))
}

async fn show(state: &State, token: &str) -> Result<ShownLink, AuthError> {
    let found = link::by_id(&state.database, state.links.read(token)?).await?;
    let link = found.ok_or(LinkRefusal::Expired)?;
    link.check(state.platform.clock().now())?;
    let owner = match link.user_id {
        Some(id) => user::by_id(&state.database, id).await?,
        None => None,
    };
    let inviter = match link.invited_by {
        Some(id) => user::by_id(&state.database, id).await?,
        None => None,
    };
    Ok(ShownLink {
        purpose: link.purpose.into(),
        email: link.email,
        name: owner.map(|owner| owner.name).or(link.content.name),
        role: link.content.role,
        inviter: inviter.map(|inviter| inviter.name),
        expires_at: link.expires_at,
    })
}

/// Tells a waiting page whether the link of its request has been used. A request for an address without an
/// account stays pending until it expires.
#[utoipa::path(post, path = "/api/auth/links/status", tag = "auth", request_body = LinkRequestId, responses((status = 200, body = Success<LinkStatus>), (status = 429)))]
pub async fn get_link_status(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<LinkRequestId>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_status(&state, ip).await?;
    let found = link::by_id(&state.database, body.request_id).await.map_err(AuthError::from)?;
    let now = state.platform.clock().now();
    let status = match found {
        Some(link) if link.used_at.is_some() => "used",
        Some(link) if link.expires_at > now => "pending",
        Some(_) => "expired",
        // The row was deleted with its user, which must not show. The id holds the time of the request.
        None if is_younger_than_an_hour(body.request_id, now) => "pending",
        None => "expired",
    };
    Ok(http::ok(LinkStatus { status }))
}

fn is_younger_than_an_hour(id: Uuid, now: DateTime<Utc>) -> bool {
    let seconds = id.get_timestamp().and_then(|time| i64::try_from(time.to_unix().0).ok());
    seconds.is_some_and(|seconds| now.timestamp() - seconds < 60 * 60)
}
