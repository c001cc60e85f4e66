//! Messages as a destination would receive them, to write templates with.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use http::openapi::Success;
use http::{ApiError, Engineer, NoQuery, ValidJson};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::State;
use crate::delivery::{About, Message, write};
use crate::destination::target::Kind;
use crate::error::NotifyError;
use crate::event::Event;
use crate::intake::entity;
use crate::message::{Facts, sample};

/// Number of recent events.
const RECENT: u64 = 50;

/// An event that a destination received or will receive.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecentEvent {
    id: Uuid,
    #[serde(rename = "type")]
    event_type: String,
    at: DateTime<Utc>,
    title: String,
}

/// A message to preview.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preview {
    kind: Kind,
    #[validate(length(min = 1, max = 4096))]
    #[schema(min_length = 1, max_length = 4096)]
    template: Option<String>,
    /// A recent event; default: a sample
    event_id: Option<Uuid>,
}

/// A message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Previewed {
    /// The body of the request, or the subject and the text of the mail; `null` if the destination would receive
    /// nothing
    #[schema(value_type = Option<Object>)]
    message: Option<Value>,
}

/// Lists the last 50 events that a destination received or will receive, newest first. Events about users are left out.
#[utoipa::path(get, path = "/api/v1/notifications/events", tag = "notifications",
    responses((status = 200, body = Success<Vec<RecentEvent>>)),
    security(("bearer" = ["engineer"])))]
pub async fn list_recent_events(
    state: Data<State>,
    _: Engineer,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let rows = entity::newest(&state.database, RECENT).await.map_err(NotifyError::from)?;
    let recent = rows.into_iter().map(Event::from).map(|event| RecentEvent {
        title: Facts::of(&event, None).title,
        id: event.id,
        event_type: event.event_type,
        at: event.at,
    });
    Ok(http::ok(recent.collect::<Vec<_>>()))
}

/// Shows the message that a kind of destination would receive about an event.
#[utoipa::path(post, path = "/api/v1/notifications/preview", tag = "notifications", request_body = Preview,
    responses((status = 200, body = Success<Previewed>)),
    security(("bearer" = ["engineer"])))]
pub async fn preview_message(
    state: Data<State>,
    _: Engineer,
    _: NoQuery,
    ValidJson(preview): ValidJson<Preview>,
) -> Result<HttpResponse, ApiError> {
    let event = match preview.event_id {
        Some(id) => {
            let row = entity::by_id(&state.database, id).await.map_err(NotifyError::from)?;
            let row = row.filter(|row| !entity::is_about_users(row)).ok_or(NotifyError::NotFound("event"))?;
            Event::from(row)
        }
        None => sample(),
    };
    let public_url = state.public_url.as_deref();
    let about = About {
        events: &[event],
        public_url,
        destination: "Preview",
        routing_key: "routing key",
        has_buttons: true,
        now: state.platform.clock().now(),
    };
    let written = write(preview.kind, preview.template.as_deref(), &about);
    let message = match written.map_err(|error| ApiError::validation("template", error.to_string()))? {
        Message::Json(body) => Some(body),
        Message::Mail(content) => Some(json!({"subject": content.subject, "text": content.text})),
        Message::Nothing => None,
    };
    Ok(http::ok(Previewed { message }))
}
