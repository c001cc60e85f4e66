//! The endpoints of destinations.

use actix_web::HttpResponse;
use actix_web::web::Data;
use http::openapi::{Done, Success};
use http::{Admin, ApiError, Engineer, NoQuery, ValidJson, ValidPath};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::checks::{check_template, new_secret, plain};
use super::entity::{self, Model};
use super::rules::Rules;
use super::schedule::Schedule;
use super::signing::SigningSecrets;
use super::target::{Kind, Target};
use super::view::{CreatedDestination, DestinationView};
use crate::State;
use crate::error::NotifyError;

/// Maximum number of destinations.
const MAX_DESTINATIONS: u64 = 2_000;

/// A destination to create.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewDestination {
    #[validate(length(min = 1, max = 80), custom(function = "plain"))]
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    target: Target,
    #[serde(default)]
    rules: Rules,
    #[serde(default)]
    schedule: Schedule,
    /// The text of messages to Slack, to Teams and in mails, in the language of minijinja; default: built in
    #[validate(length(min = 1, max = 4096))]
    #[schema(min_length = 1, max_length = 4096)]
    template: Option<String>,
}

/// Lists the destinations in the order of their names.
#[utoipa::path(get, path = "/api/v1/notifications/destinations", tag = "notifications",
    responses((status = 200, body = Success<Vec<DestinationView>>)),
    security(("bearer" = ["engineer"])))]
pub async fn list_destinations(
    state: Data<State>,
    _: Engineer,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let rows = entity::all(&state.database).await.map_err(NotifyError::from)?;
    Ok(http::ok(rows.into_iter().map(DestinationView::from).collect::<Vec<_>>()))
}

/// Returns a destination.
#[utoipa::path(get, path = "/api/v1/notifications/destinations/{id}", tag = "notifications",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<DestinationView>)),
    security(("bearer" = ["engineer"])))]
pub async fn get_destination(
    state: Data<State>,
    _: Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let row = entity::by_id(&state.database, id).await.map_err(NotifyError::from)?;
    Ok(http::ok(DestinationView::from(row.ok_or(NotifyError::NotFound("destination"))?)))
}

/// Creates a destination, which receives what happens from now on. There can be 2,000.
#[utoipa::path(post, path = "/api/v1/notifications/destinations", tag = "notifications",
    request_body = NewDestination,
    responses((status = 201, body = Success<CreatedDestination>), (status = 409)),
    security(("bearer" = ["admin"])))]
pub async fn create_destination(
    state: Data<State>,
    Admin(caller): Admin,
    _: NoQuery,
    ValidJson(new): ValidJson<NewDestination>,
) -> Result<HttpResponse, ApiError> {
    let NewDestination { name, target, rules, schedule, template } = new;
    target.check(&state.client, state.smtp.is_some())?;
    rules.check()?;
    schedule.check()?;
    check_template(template.as_deref(), target.kind())?;
    let (id, now) = (Uuid::now_v7(), state.platform.clock().now());
    let secret = if target.kind() == Kind::Webhook { Some(new_secret()?) } else { None };
    let signing = secret.as_ref().map(|secret| state.seal_signing(id, &SigningSecrets::new(secret)));
    let row = Model {
        id,
        name,
        kind: target.kind(),
        target: state.seal_target(id, &target).map_err(NotifyError::from)?,
        shown: target.shown(),
        signing: signing.transpose().map_err(NotifyError::from)?,
        rules,
        schedule,
        template,
        is_enabled: true,
        version: 1,
        created_by: caller.user_id.clone(),
        created_at: now,
        updated_by: caller.user_id,
        updated_at: now,
        due_at: None,
        leased_by: None,
        leased_until: None,
        failures: 0,
        failing_since: None,
        last_failure: None,
        blocked_until: None,
    };
    if entity::count(&state.database).await.map_err(NotifyError::from)? >= MAX_DESTINATIONS {
        return Err(NotifyError::Conflict("there are 2,000 destinations; delete one first").into());
    }
    entity::insert(&state.database, row.clone()).await.map_err(NotifyError::from)?;
    tracing::info!(destination = %id, by = row.created_by, "created a destination of notifications");
    let signing_secret = secret.map(|secret| secret.reveal());
    Ok(http::created(CreatedDestination { destination: row.into(), signing_secret }))
}

/// Deletes a destination, with its deliveries.
#[utoipa::path(delete, path = "/api/v1/notifications/destinations/{id}", tag = "notifications",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Done)),
    security(("bearer" = ["admin"])))]
pub async fn delete_destination(
    state: Data<State>,
    Admin(caller): Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let deletion = async {
        let tx = state.database.begin().await?;
        entity::lock(&tx, id).await?.ok_or(NotifyError::NotFound("destination"))?;
        entity::delete(&tx, id).await?;
        tx.commit().await?;
        Ok::<_, NotifyError>(())
    };
    deletion.await?;
    tracing::info!(destination = %id, by = caller.user_id, "deleted a destination of notifications");
    Ok(http::ok(()))
}
