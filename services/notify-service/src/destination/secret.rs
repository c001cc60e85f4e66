//! Replacing the secret that signs the requests to a webhook.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use http::openapi::Success;
use http::{Admin, ApiError, NoQuery, ValidPath};
use sea_orm::ActiveValue::Set;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::checks::new_secret;
use super::entity::{self, ActiveModel};
use super::signing::OVERLAP;
use crate::State;
use crate::error::NotifyError;

/// A new secret. It is shown in this response only.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotatedSecret {
    signing_secret: String,
    /// Until then, the former secret signs too
    former_until: DateTime<Utc>,
}

/// Replaces the secret of a webhook. For 24 hours, requests are signed with both.
#[utoipa::path(post, path = "/api/v1/notifications/destinations/{id}/rotate-secret", tag = "notifications",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<RotatedSecret>), (status = 409)),
    security(("bearer" = ["admin"])))]
pub async fn rotate_signing_secret(
    state: Data<State>,
    Admin(caller): Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let rotation = async {
        let now = state.platform.clock().now();
        let tx = state.database.begin().await?;
        let row = entity::lock(&tx, id).await?.ok_or(NotifyError::NotFound("destination"))?;
        let secrets = state.open_signing(&row).map_err(|_error| NotifyError::Unreadable)?;
        let secrets = secrets.ok_or(NotifyError::Conflict("only webhooks are signed"))?;
        let secret = new_secret()?;
        let signing = state.seal_signing(id, &secrets.rotated(&secret, now))?;
        entity::update(&tx, id, ActiveModel { signing: Set(Some(signing)), ..Default::default() }).await?;
        tx.commit().await?;
        Ok::<_, NotifyError>(RotatedSecret { signing_secret: secret.reveal(), former_until: now + OVERLAP })
    };
    let rotated = rotation.await?;
    tracing::info!(destination = %id, by = caller.user_id, "replaced the secret of a webhook");
    Ok(http::ok(rotated))
}
