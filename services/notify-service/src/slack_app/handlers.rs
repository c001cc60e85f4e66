//! The endpoints with which a person links their Slack user.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::Role;
use http::openapi::{Done, Success};
use http::{ApiError, Caller, Engineer, NoQuery, ValidJson, ValidPath};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{code, link};
use crate::State;
use crate::destination::entity as destination;
use crate::error::NotifyError;

const WINDOW: Duration = Duration::from_secs(60);
/// Maximum number of codes that one person may try in a minute.
const PER_PERSON: u64 = 30;

/// The code of the address that the person got in Slack.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SlackCode {
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    code: String,
}

/// A Slack user who may be linked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlackUserView {
    /// The name of the destination
    destination: String,
    slack_user: String,
    slack_name: String,
}

/// The code of the address that the person got in Slack, and a personal token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSlackLink {
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    code: String,
    /// From `POST /api/auth/personal-tokens`
    #[validate(length(min = 1, max = 4096))]
    #[schema(min_length = 1, max_length = 4096)]
    token: String,
}

/// A Slack user whose decisions are those of the user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlackLinkView {
    id: Uuid,
    destination_id: Uuid,
    slack_user: String,
    slack_name: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl From<link::Model> for SlackLinkView {
    fn from(row: link::Model) -> Self {
        let link::Model { id, destination_id, slack_user, slack_name, created_at, expires_at, .. } = row;
        Self { id, destination_id, slack_user, slack_name, created_at, expires_at }
    }
}

/// Shows which Slack user a code would link to the caller.
#[utoipa::path(post, path = "/api/v1/notifications/slack/codes", tag = "notifications",
    request_body = SlackCode,
    responses((status = 200, body = Success<SlackUserView>), (status = 404), (status = 429)),
    security(("bearer" = ["engineer"])))]
pub async fn check_slack_code(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidJson(SlackCode { code }): ValidJson<SlackCode>,
) -> Result<HttpResponse, ApiError> {
    admit(&state, &caller).await?;
    let claim = code::find(&state, &code).await?.ok_or(UNKNOWN_CODE)?;
    let row = destination::by_id(&state.database, claim.destination).await.map_err(NotifyError::from)?;
    let destination = row.ok_or(UNKNOWN_CODE)?.name;
    let (slack_user, slack_name) = (claim.slack_user, claim.slack_name);
    Ok(http::ok(SlackUserView { destination, slack_user, slack_name }))
}

/// Links the Slack user of a code to the caller. From then on, the Slack user decides on drifts as the caller.
#[utoipa::path(post, path = "/api/v1/notifications/slack/links", tag = "notifications",
    request_body = NewSlackLink,
    responses((status = 201, body = Success<SlackLinkView>), (status = 404), (status = 429)),
    security(("bearer" = ["engineer"])))]
pub async fn create_slack_link(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidJson(NewSlackLink { code, token }): ValidJson<NewSlackLink>,
) -> Result<HttpResponse, ApiError> {
    admit(&state, &caller).await?;
    let expires_at = check_token(&state, &caller, &token)?;
    let claim = code::take(&state, &code).await?.ok_or(UNKNOWN_CODE)?;
    let storing = async {
        let id = Uuid::now_v7();
        let row = link::Model {
            id,
            destination_id: claim.destination,
            slack_user: claim.slack_user,
            slack_name: claim.slack_name,
            user_id: caller.user_id,
            token: state.seal_slack_token(id, &token)?,
            created_at: state.platform.clock().now(),
            expires_at,
        };
        let tx = state.database.begin().await?;
        destination::lock(&tx, row.destination_id).await?.ok_or(UNKNOWN_CODE)?;
        link::store(&tx, row.clone()).await?;
        tx.commit().await?;
        Ok::<_, NotifyError>(row)
    };
    let row = storing.await?;
    tracing::info!(link = %row.id, user = row.user_id, "linked a Slack user");
    Ok(http::created(SlackLinkView::from(row)))
}

/// Lists the Slack users that are linked to the caller, oldest first.
#[utoipa::path(get, path = "/api/v1/notifications/slack/links", tag = "notifications",
    responses((status = 200, body = Success<Vec<SlackLinkView>>)),
    security(("bearer" = ["viewer"])))]
pub async fn list_slack_links(
    state: Data<State>,
    caller: Caller,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let rows = link::of_user(&state.database, &caller.user_id).await.map_err(NotifyError::from)?;
    Ok(http::ok(rows.into_iter().map(SlackLinkView::from).collect::<Vec<_>>()))
}

/// Deletes a link of the caller.
#[utoipa::path(delete, path = "/api/v1/notifications/slack/links/{id}", tag = "notifications",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Done)),
    security(("bearer" = ["viewer"])))]
pub async fn delete_slack_link(
    state: Data<State>,
    caller: Caller,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let was_there =
        link::delete_own(&state.database, id, &caller.user_id).await.map_err(NotifyError::from)?;
    if !was_there {
        return Err(NotifyError::NotFound("link").into());
    }
    tracing::info!(link = %id, user = caller.user_id, "deleted a link of a Slack user");
    Ok(http::ok(()))
}

const UNKNOWN_CODE: NotifyError = NotifyError::NotFound("code: press the button in Slack again");

async fn admit(state: &State, caller: &Caller) -> Result<(), ApiError> {
    let count =
        state.platform.limiter().count(&format!("notify:slack-code:{}", caller.user_id), WINDOW).await;
    if count > PER_PERSON { Err(ApiError::rate_limited(WINDOW.as_secs())) } else { Ok(()) }
}

/// Checks that the token is one of the caller's own, other than that of the session. Returns its expiry.
fn check_token(state: &State, caller: &Caller, token: &str) -> Result<DateTime<Utc>, ApiError> {
    let refused = |message: &str| ApiError::validation("token", message);
    let claims = state.platform.tokens().verifier.verify(token);
    let claims = claims.map_err(|_error| refused("is not valid; create another one"))?;
    if claims.user_id != caller.user_id || claims.sid.is_none() || claims.sid == caller.session_id {
        return Err(refused("must be a personal token of yours"));
    }
    if claims.role < Role::Engineer {
        return Err(refused("must be a token of an engineer or an admin"));
    }
    DateTime::from_timestamp(claims.exp, 0).ok_or_else(|| refused("is not valid; create another one"))
}
