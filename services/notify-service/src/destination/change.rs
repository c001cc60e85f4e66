//! Changing destinations.

use actix_web::http::header::{self, EntityTag, Header, IfMatch, TryIntoHeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::openapi::Success;
use http::{Admin, ApiError, NoQuery, ValidJson, ValidPath};
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::checks::{check_template, new_secret, plain};
use super::entity::{self, ActiveModel, Model};
use super::rules::Rules;
use super::schedule::Schedule;
use super::signing::SigningSecrets;
use super::target::{Kind, Target};
use super::view::DestinationView;
use crate::State;
use crate::error::NotifyError;
use crate::slack_app::thread;

/// A change of a destination. Absent fields stay.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DestinationChange {
    #[validate(length(min = 1, max = 80), custom(function = "plain"))]
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    /// Replaces the address and the secrets; the kind stays
    target: Option<Target>,
    rules: Option<Rules>,
    schedule: Option<Schedule>,
    /// `null` removes it
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 4096)]
    template: Option<Option<String>>,
    /// `false` keeps what waits, and sends nothing
    is_enabled: Option<bool>,
}

/// Distinguishes `null` from an absent field.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Changes a destination. A change ends the pauses after failures.
#[utoipa::path(patch, path = "/api/v1/notifications/destinations/{id}", tag = "notifications",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header,
        description = "The version that must still be current, such as `\"v3\"`")),
    request_body = DestinationChange,
    responses((status = 200, body = Success<DestinationView>), (status = 412)),
    security(("bearer" = ["admin"])))]
pub async fn update_destination(
    state: Data<State>,
    Admin(caller): Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    request: HttpRequest,
    ValidJson(change): ValidJson<DestinationChange>,
) -> Result<HttpResponse, ApiError> {
    let expected = expected_version(&request)?;
    change.check(&state)?;
    let row = store(&state, id, change, expected, caller.user_id).await?;
    state.dispatch.notify_one();
    let tag = EntityTag::new_strong(format!("v{}", row.version)).try_into_value();
    let mut response = http::ok(DestinationView::from(row));
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn expected_version(request: &HttpRequest) -> Result<Option<i32>, ApiError> {
    if !request.headers().contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    let refused = || ApiError::validation("If-Match", "must be an ETag such as \"v3\"");
    match IfMatch::parse(request).map_err(|_error| refused())? {
        IfMatch::Any => Ok(None),
        IfMatch::Items(tags) => match &tags[..] {
            [tag] => {
                tag.tag().strip_prefix('v').and_then(|text| text.parse().ok()).map(Some).ok_or_else(refused)
            }
            _ => Err(refused()),
        },
    }
}

impl DestinationChange {
    fn check(&self, state: &State) -> Result<(), ApiError> {
        if let Some(target) = &self.target {
            target.check(&state.client, state.smtp.is_some())?;
        }
        if let Some(rules) = &self.rules {
            rules.check()?;
        }
        if let Some(schedule) = &self.schedule {
            schedule.check()?;
        }
        if let Some(Some(source)) = &self.template
            && !(1..=4_096).contains(&source.len())
        {
            return Err(ApiError::validation("template", "must have 1 to 4096 characters"));
        }
        Ok(())
    }
}

async fn store(
    state: &State,
    id: Uuid,
    change: DestinationChange,
    expected: Option<i32>,
    by: String,
) -> Result<Model, NotifyError> {
    let tx = state.database.begin().await?;
    let mut row = entity::lock(&tx, id).await?.ok_or(NotifyError::NotFound("destination"))?;
    if expected.is_some_and(|expected| expected != row.version) {
        return Err(NotifyError::Changed { current: row.version });
    }
    if let Some(target) = &change.target {
        if target.kind() != row.kind {
            return Err(
                ApiError::validation("target.kind", "cannot be changed; create another destination").into()
            );
        }
        row.target = state.seal_target(id, target)?;
        row.shown = target.shown();
        thread::delete_of(&tx, id).await?;
        // Secrets that cannot be decrypted any more are replaced with the address; a rotation shows the new ones.
        if row.kind == Kind::Webhook && state.open_signing(&row).is_err() {
            row.signing = Some(state.seal_signing(id, &SigningSecrets::new(&new_secret()?))?);
        }
    }
    if let Some(template) = change.template {
        check_template(template.as_deref(), row.kind)?;
        row.template = template;
    }
    row.name = change.name.unwrap_or(row.name);
    row.rules = change.rules.unwrap_or(row.rules);
    row.schedule = change.schedule.unwrap_or(row.schedule);
    row.is_enabled = change.is_enabled.unwrap_or(row.is_enabled);
    row.version += 1;
    row.updated_by = by;
    row.updated_at = state.platform.clock().now();
    (row.failures, row.failing_since, row.last_failure, row.blocked_until) = (0, None, None, None);
    let stored = ActiveModel {
        name: Set(row.name.clone()),
        target: Set(row.target.clone()),
        shown: Set(row.shown.clone()),
        signing: Set(row.signing.clone()),
        rules: Set(row.rules.clone()),
        schedule: Set(row.schedule.clone()),
        template: Set(row.template.clone()),
        is_enabled: Set(row.is_enabled),
        version: Set(row.version),
        updated_by: Set(row.updated_by.clone()),
        updated_at: Set(row.updated_at),
        ..entity::healthy()
    };
    entity::update(&tx, id, stored).await?;
    tx.commit().await?;
    tracing::info!(destination = %id, by = row.updated_by, "changed a destination of notifications");
    Ok(row)
}
