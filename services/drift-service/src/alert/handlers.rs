//! The endpoints of alerts.

use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::drift::Severity;
use contracts::events::alert::{AlertRead, AlertType, AlertsRead};
use http::openapi::{Done, List, Success};
use http::{Admin, ApiError, Caller, Engineer, NoQuery, ValidJson, ValidPath, ValidQuery, Viewer};
use sea_orm::SqlErr;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::entity::{self, AlertFilter, Model};
use super::view::{AlertView, reader_mark, views};
use super::{deletion, raise, reads};
use crate::access::Reader;
use crate::as_of::{AsOf, AsOfParams};
use crate::audit::{self, AuditAction, Record, Subject};
use crate::error::DriftError;
use crate::text::storable;
use crate::write::{self, Conditions, Reply};
use crate::{State, drift, page};

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct AlertQuery {
    is_read: Option<bool>,
    severity: Option<Severity>,
    #[serde(rename = "type")]
    #[param(rename = "type")]
    alert_type: Option<AlertType>,
    drift_id: Option<Uuid>,
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "http::cursor::default_limit")]
    #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    cursor: Option<String>,
}

/// Lists alerts, newest first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(AlertQuery, AsOfParams),
    responses((status = 200, body = List<AlertView>)),
    security((), ("bearer" = [])))]
pub async fn list_alerts(
    state: Data<State>,
    reader: Reader,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<AlertQuery>,
) -> Result<HttpResponse, ApiError> {
    let audience = reader.audience;
    let reader = reader_mark(&state.database, reader.user_id).await?;
    let bound = format!("{:?}", (query.is_read, query.severity, query.alert_type, query.drift_id));
    let filter = AlertFilter {
        is_read: query.is_read,
        reader: reader.clone(),
        severity: query.severity,
        alert_type: query.alert_type,
        drift_id: query.drift_id,
        text: None,
    };
    let after = page::after(query.cursor.as_deref(), &bound)?;
    let rows = entity::page(&state.database, &filter, after, query.limit + 1).await;
    let rows = rows.map_err(DriftError::from)?;
    let (alerts, next) = page::cut(rows, query.limit, &bound, |alert| (alert.created_at, alert.id));
    let views = views(&state.database, alerts, audience, reader.as_ref()).await?;
    Ok(as_of.on(http::list(views, query.limit, next)))
}

/// Returns an alert.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<AlertView>)),
    security((), ("bearer" = [])))]
pub async fn get_alert(
    state: Data<State>,
    reader: Reader,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let alert = entity::by_id(&state.database, id).await.map_err(DriftError::from)?;
    let alert = alert.ok_or(DriftError::NotFound("alert"))?;
    let mark = reader_mark(&state.database, reader.user_id).await?;
    Ok(http::ok(views(&state.database, vec![alert], reader.audience, mark.as_ref()).await?.pop()))
}

/// Marks an alert as read for the caller. A repetition changes nothing.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/read", tag = "alerts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<AlertView>)),
    security(("bearer" = ["viewer"])))]
pub async fn read_alert(
    state: Data<State>,
    Viewer(caller): Viewer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    read_one(&state, caller, id, &conditions, |view| view).await
}

/// Marks an alert as read for the caller, and responds with `show` of it.
pub(crate) async fn read_one<T: Serialize>(
    state: &State,
    caller: Caller,
    id: Uuid,
    conditions: &Conditions,
    show: impl FnOnce(AlertView) -> T,
) -> Result<HttpResponse, ApiError> {
    let audience = caller.role.into();
    write::once(state, caller, conditions, b"", async |write| {
        let alert = entity::by_id(&write.tx, id).await?;
        let alert = alert.ok_or(DriftError::NotFound("alert"))?;
        let user_id = write.actor.user_id.clone();
        let mark = reader_mark(&write.tx, Some(user_id.clone())).await?;
        let is_covered = mark.as_ref().is_some_and(|mark| mark.read_until >= Some(alert.created_at));
        if !alert.is_read && !is_covered && reads::note(&write.tx, id, &user_id, write.at).await? {
            let record = Record {
                from: Some("unread"),
                to: Some("read"),
                ..Record::new(Subject::Alert(id), AuditAction::AlertRead)
            };
            audit::record(&write.tx, &write.actor, write.at, vec![record]).await?;
            write.tx.emit(AlertRead { id, user_id });
        }
        let view = views(&write.tx, vec![alert], audience, mark.as_ref()).await?.pop();
        Ok(Reply::ok(view.map(show)))
    })
    .await
}

/// A new alert of a person or another service.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAlert {
    drift_id: Option<Uuid>,
    #[serde(rename = "type")]
    alert_type: AlertType,
    severity: Severity,
    #[validate(length(min = 1, max = 255), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 255)]
    title: String,
    #[validate(length(min = 1, max = 2000), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 2000)]
    message: String,
}

/// Creates an alert. A drift has at most one of each type.
#[utoipa::path(post, path = "/api/v1/alerts", tag = "alerts", request_body = NewAlert,
    responses((status = 201, body = Success<AlertView>), (status = 404), (status = 409)),
    security(("bearer" = ["engineer"])))]
pub async fn create_alert(
    state: Data<State>,
    Engineer(caller): Engineer,
    conditions: Conditions,
    _: NoQuery,
    ValidJson(body): ValidJson<NewAlert>,
) -> Result<HttpResponse, ApiError> {
    let audience = caller.role.into();
    write::once(&state, caller, &conditions, &serde_json::to_vec(&body).unwrap_or_default(), async |write| {
        let stack = match body.drift_id {
            Some(id) => match drift::entity::by_id(&write.tx, id).await? {
                Some(drift) => Some(drift.stack),
                None => return Err(ApiError::validation("driftId", "there is no such drift").into()),
            },
            None => None,
        };
        let alert = Model {
            id: Uuid::now_v7(),
            drift_id: body.drift_id,
            alert_type: body.alert_type,
            severity: body.severity,
            title: state.redacted(&body.title),
            message: state.redacted(&body.message),
            created_at: write.at,
            is_read: false,
            read_at: None,
            read_by: None,
            stack,
            scan_id: None,
        };
        raise(&mut write.tx, &write.actor, vec![alert.clone()]).await.map_err(|error| {
            match error.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => DriftError::AlertExists,
                _ => error.into(),
            }
        })?;
        Ok(Reply::created(AlertView::new(alert, audience, None)))
    })
    .await
}

/// The number of alerts that were marked as read.
#[derive(Serialize, ToSchema)]
pub struct ReadCount {
    read: u64,
}

/// Marks all alerts as read, for the caller only.
#[utoipa::path(post, path = "/api/v1/alerts/read-all", tag = "alerts",
    responses((status = 200, body = Success<ReadCount>)),
    security(("bearer" = ["viewer"])))]
pub async fn read_all_alerts(
    state: Data<State>,
    Viewer(caller): Viewer,
    conditions: Conditions,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    read_all(&state, caller, &conditions, |read| ReadCount { read }).await
}

/// Marks all alerts as read for the caller, and responds with `show` of their number.
pub(crate) async fn read_all<T: Serialize>(
    state: &State,
    caller: Caller,
    conditions: &Conditions,
    show: impl FnOnce(u64) -> T,
) -> Result<HttpResponse, ApiError> {
    write::once(state, caller, conditions, b"", async |write| {
        let user_id = write.actor.user_id.clone();
        let mark = reader_mark(&write.tx, Some(user_id.clone())).await?;
        let read = entity::count_unread(&write.tx, mark.as_ref()).await?;
        if read > 0 {
            reads::note_all(&write.tx, &user_id, write.at).await?;
            write.tx.emit(AlertsRead { id: user_id.clone(), read_until: write.at, user_id });
        }
        Ok(Reply::ok(show(read)))
    })
    .await
}

/// Deletes an alert. Its audit rows are kept.
#[utoipa::path(delete, path = "/api/v1/alerts/{id}", tag = "alerts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Done)),
    security(("bearer" = ["admin"])))]
pub async fn delete_alert(
    state: Data<State>,
    Admin(caller): Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    write::once(&state, caller, &conditions, b"", async |write| {
        let alert = entity::delete(&write.tx, id).await?;
        let alert = alert.ok_or(DriftError::NotFound("alert"))?;
        audit::record(&write.tx, &write.actor, write.at, vec![deletion(&alert)]).await?;
        Ok(Reply::ok(()))
    })
    .await
}
